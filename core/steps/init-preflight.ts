// The first states of init: refuse before anything is made, then fetch what will be installed.

import { type ComponentKey, certManagerRelease, providersFor } from '../capi/providers.ts';
import type { ManagementVersions } from '../capi/spec-schema.ts';
import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { ReleaseAsset } from '../ports.ts';
import { preflightManagement } from '../preflight/management.ts';
import { subjectOf } from '../preflight/subject.ts';
import type { StepContext } from './context.ts';
import { settleFindings } from './preflight-findings.ts';
import type { StepOutput } from './run-step.ts';

/** The component versions of a management cluster. @throws InternalError for a workload cluster. */
export function managementVersions(record: ClusterRecord): ManagementVersions {
  const versions = record.spec.spec.management;
  if (!versions) throw new PetraError('InternalError', `"${record.name}" is not a management cluster`);
  return versions;
}

/**
 * Checks everything that can be known before money is spent; every finding at once.
 * @throws RegionMismatch, ReleaseNotFound, ReleaseCorrupt, VariablesMissing, IncompatibleProviders, InstanceTypeNotOffered,
 *   ImageNotFound, QuotaTooSmall
 */
export async function preflight(
  context: StepContext<'machines' | 'networks' | 'releases' | 'quotas' | 'permissions'>,
): Promise<StepOutput> {
  const { record } = context;
  const subject = subjectOf(record.spec, record);
  const { findings } = await preflightManagement(context, subject, managementVersions(record));
  return settleFindings(context, findings);
}

/** Downloads every component's manifest and stores it by its sha256; says under which. Safe to repeat. */
export async function fetchComponents(context: StepContext<'releases' | 'artifacts'>): Promise<StepOutput> {
  const versions = managementVersions(context.record);
  const assets: { readonly key: ComponentKey; readonly asset: ReleaseAsset }[] = [
    ...providersFor(versions).map(({ provider, components }) => ({
      key: provider.key,
      asset: components,
    })),
    { key: 'cert-manager', asset: certManagerRelease(versions.certManagerVersion) },
  ];
  const stored = await Promise.all(
    assets.map(
      async ({ key, asset }) =>
        [key, await context.artifacts.store(await context.releases.fetch(asset))] as const,
    ),
  );
  return { components: Object.fromEntries(stored), message: `${stored.length} components` };
}
