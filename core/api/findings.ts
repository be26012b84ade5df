// What is not as it should be, as the API tells it.

import type { ClusterRecord, Finding } from '../fleet.ts';
import type { FindingView } from './contract.ts';

/** The findings of a cluster: what reconciliation stored, and a lock that its holder stopped renewing. */
export function findingsOf(record: ClusterRecord, now: Date): readonly Finding[] {
  const { name, lock, findings = [] } = record;
  if (!lock || lock.expiresAt > now.toISOString()) return findings;
  const stale: Finding = {
    code: 'LockStale',
    message: `${lock.operationId} stopped renewing its lock, which it took for ${lock.holder}`,
    fix: `The same command takes the lock over; \`petra capi unlock ${name}\` gives it up.`,
    since: lock.expiresAt,
  };
  return [stale, ...findings];
}

/** The same with the cluster they are about. */
export function findingViews(record: ClusterRecord, now: Date): readonly FindingView[] {
  const { name: cluster, kind, management } = record;
  return findingsOf(record, now).map((finding) => ({
    cluster,
    kind,
    ...(management === undefined ? {} : { management }),
    ...finding,
  }));
}
