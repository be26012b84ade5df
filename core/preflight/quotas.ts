import { PetraError } from '../errors.ts';
import type { Quota, QuotaName } from '../ports.ts';
import { errorFinding, type PreflightFinding, uncheckedFinding, warningFinding } from './finding.ts';
import type { MachineGroup } from './machine-groups.ts';
import type { CountedItem, PlannedItem } from './plan.ts';
import { standardFamily, vcpuFamilyOf } from './vcpu-families.ts';

/** Above this share of a quota, whoever comes next is in trouble. */
const nearlyAll = 0.8;

/** The quotas that something still to be made counts against. */
export function quotaNames(items: readonly CountedItem[]): readonly QuotaName[] {
  return items.flatMap(({ limitedBy }) => limitedBy ?? []);
}

/** Whether each quota holds what is still to be made, now and while machines are replaced. */
export function assessQuotas(
  items: readonly CountedItem[],
  quotas: ReadonlyMap<QuotaName, Quota>,
  region: string,
): readonly PreflightFinding[] {
  return items.flatMap((item) => {
    const quota = item.limitedBy && quotas.get(item.limitedBy);
    if (quota) return assessQuota(item, quota, region);
    if (item.limitedBy === undefined) return [];
    const silence = new PetraError('AwsUnavailable', `Service Quotas does not know it in ${region}`, {
      fix: `Look for it in the console of Service Quotas in ${region}.`,
    });
    return [uncheckedFinding(`the quota of ${item.what}`, silence)];
  });
}

function assessQuota(item: CountedItem, quota: Quota, region: string): readonly PreflightFinding[] {
  const { code, title, limit, used } = quota;
  const needed = neededOf(item);
  const numbers = { needed, used, limit, quotaCode: code };
  const request = (least: number) =>
    `Ask for at least ${least} of quota ${code} (${title}) in the Service Quotas console of ${region}, or free some of it.`;
  const takes = `${title} in ${region}: ${used} of ${limit} are used, and this cluster takes ${needed} more`;
  const withSurge = used + needed + item.surge;
  if (needed > 0 && used + needed > limit) {
    return [errorFinding('QuotaTooSmall', takes, { numbers, fix: request(withSurge) })];
  }
  if (withSurge > limit) {
    return [
      warningFinding('QuotaTooSmall', `${takes}; replacing its machines needs ${item.surge} in addition`, {
        numbers,
        fix: `${request(withSurge)} Before that, an upgrade stands still.`,
      }),
    ];
  }
  if (needed > 0 && used + needed > limit * nearlyAll) {
    return [
      warningFinding('QuotaNearlyUsed', takes, {
        numbers,
        fix: request(Math.ceil((used + needed) / nearlyAll)),
      }),
    ];
  }
  return [];
}

/** The item as it is shown, with what is known of its quota. */
export function shownItem(
  { limitedBy, stillNeeded: _, ...item }: CountedItem,
  quotas: ReadonlyMap<QuotaName, Quota>,
): PlannedItem {
  const quota = limitedBy && quotas.get(limitedBy);
  if (!quota) return item;
  const { code, used, limit } = quota;
  return { ...item, quota: { code, used, limit } };
}

/** Instance types whose vCPUs count against a quota that Petra does not read: one warning for each quota. */
export function assessFamilies(groups: readonly MachineGroup[], region: string): readonly PreflightFinding[] {
  const others = groups.filter(({ instanceType }) => vcpuFamilyOf(instanceType)?.title !== standardFamily);
  return [...Map.groupBy(others, ({ instanceType }) => vcpuFamilyOf(instanceType))].map(
    ([family, members]) => {
      const types = [...new Set(members.map(({ instanceType }) => instanceType))].join(', ');
      return warningFinding(
        'Unchecked',
        family === undefined
          ? `the vCPU quota of ${types} was not checked: its family is not known to Petra`
          : `the vCPU quota of ${types} was not checked: Petra reads that of Standard instances only`,
        {
          fix:
            family === undefined
              ? `Look for the family's quota of On-Demand instances in the Service Quotas console of ${region}.`
              : `Look at quota ${family.quotaCode} (Running On-Demand ${family.title} instances) in the Service Quotas console of ${region}; it is 0 in many accounts.`,
        },
      );
    },
  );
}

function neededOf({ count, existing, stillNeeded }: CountedItem): number {
  return stillNeeded ?? Math.max(0, count - existing);
}
