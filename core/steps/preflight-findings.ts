import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { Machines } from '../ports.ts';

/** One finding for each instance type of the spec that the region does not offer. */
export async function instanceTypeFindings(
  context: { readonly machines: Machines },
  record: ClusterRecord,
): Promise<PetraError[]> {
  const { controlPlane, workers } = record.spec.spec.nodes;
  const used = [
    { type: controlPlane.instanceType, path: 'spec.nodes.controlPlane.instanceType' },
    ...(workers.count === 0 ? [] : [{ type: workers.instanceType, path: 'spec.nodes.workers.instanceType' }]),
  ];
  const offered = await context.machines.offerings(
    record.region,
    used.map(({ type }) => type),
  );
  return used
    .filter(({ type }) => (offered.get(type) ?? []).length === 0)
    .map(
      ({ type, path }) =>
        new PetraError('InstanceTypeNotOffered', `${path}: ${record.region} does not offer ${type}`),
    );
}

/** Throws one error that holds every finding: its code is the first one's. Nothing when there are none. */
export function refuseAll(findings: readonly PetraError[]): void {
  const [first, ...others] = findings;
  if (!first) return;
  if (others.length === 0) throw first;
  throw new PetraError(first.code, findings.map((finding) => finding.message).join('\n'), {
    fix: [...new Set(findings.map((finding) => finding.fix))].join('\n'),
    evidence: findings.flatMap((finding) => finding.evidence),
    details: findings.map(({ code, message, fix }) => ({ code, message, fix })),
  });
}
