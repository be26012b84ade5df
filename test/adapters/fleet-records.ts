import { randomUUID } from 'node:crypto';
import type { ClusterRecord, Lock, OperationRecord } from '../../core/fleet.ts';

/** A name no other test of the run uses. */
export function freshName(prefix = 'dev'): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

export function clusterRecord(change: Partial<ClusterRecord> = {}): ClusterRecord {
  const name = change.name ?? freshName();
  const uid = change.uid ?? randomUUID();
  const fence = change.fence ?? 1;
  return {
    name,
    uid,
    kind: 'workload',
    management: 'management',
    region: 'us-west-2',
    spec: {
      apiVersion: 'petra.sh/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: {
        kubernetes: { version: 'v1.33.1+k3s1' },
        profile: 'standard',
        target: { type: 'aws', region: 'us-west-2' },
        nodes: {
          controlPlane: { count: 1, instanceType: 'm5a.large' },
          workers: { count: 2, instanceType: 'm5a.large' },
        },
        addons: { cilium: { enabled: true }, flux: { enabled: true } },
        deletionProtection: false,
      },
    },
    specHash: 'hash-1',
    phase: 'Creating',
    materialized: false,
    fence,
    lock: lockOf(fence, `create-${name}-1`),
    operation: { id: `create-${name}-1`, verb: 'create', attempt: 1, options: {} },
    deletionProtection: false,
    createdAt: at(0),
    updatedAt: at(0),
    ...change,
  };
}

export function lockOf(fence: number, operationId: string, expiresAt = at(60)): Lock {
  return { operationId, fence, holder: 'local:tester', acquiredAt: at(0), expiresAt };
}

export function operationRecord(change: Partial<OperationRecord> = {}): OperationRecord {
  const cluster = change.cluster ?? freshName();
  return {
    id: `create-${cluster}-1`,
    verb: 'create',
    cluster,
    uid: randomUUID(),
    attempt: 1,
    fence: 1,
    specHash: 'hash-1',
    caller: 'local:tester',
    status: 'Running',
    options: {},
    startedAt: at(0),
    steps: [],
    warnings: [],
    ...change,
  };
}

/** A time of the tests' own clock, in seconds from its start. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 31, 12) + seconds * 1000).toISOString();
}

/** The outcome of each promise: `done`, or the code it was rejected with. */
export async function outcomes(promises: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => (result.status === 'fulfilled' ? 'done' : codeOf(result.reason)));
}

export async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'done', codeOf);
}

function codeOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
