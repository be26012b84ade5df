// Records of the store as the API shows them.

import type { ClusterRecord, OperationRecord, Verb } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import { plannedSteps } from '../steps/step-titles.ts';
import type { ClusterView, OperationView } from './contract.ts';
import { findingsOf } from './findings.ts';

/** A cluster as lists show it. */
export function clusterView(record: ClusterRecord, now: Date): ClusterView {
  const findings = findingsOf(record, now);
  const { name, uid, kind, management, phase, region, spec, deletionProtection } = record;
  const { operation, lock, observed, createdAt, updatedAt, readyAt } = record;
  return {
    name,
    uid,
    kind,
    ...(management === undefined ? {} : { management }),
    phase,
    region,
    version: spec.spec.kubernetes.version,
    controlPlaneCount: spec.spec.nodes.controlPlane.count,
    workerCount: spec.spec.nodes.workers.count,
    deletionProtection,
    operation,
    ...(lock === undefined ? {} : { lock }),
    ...(observed === undefined ? {} : { observed }),
    ...(findings.length === 0 ? {} : { findings }),
    createdAt,
    updatedAt,
    ...(readyAt === undefined ? {} : { readyAt }),
  };
}

/** A cluster with everything: its spec, what was made for it, and why its last operation failed. */
export async function clusterDetails(
  ports: Pick<Ports, 'operations' | 'resources' | 'clock'>,
  record: ClusterRecord,
): Promise<ClusterView> {
  const [operation, resources] = await Promise.all([
    ports.operations.find(record.operation.id),
    ports.resources.list(record.name, record.uid),
  ]);
  return {
    ...clusterView(record, ports.clock.now()),
    ...(operation?.failure === undefined ? {} : { failure: operation.failure }),
    spec: record.spec,
    resources,
  };
}

/** How many past operations an estimate looks at. */
const estimateSample = 50;

/** An operation with what is still to come, and how long its verb took before. */
export async function operationView(
  ports: Pick<Ports, 'operations'>,
  record: OperationRecord,
): Promise<OperationView> {
  const past = record.status === 'Running' ? await pastOperations(ports) : [];
  return viewOf(record, past);
}

/** The same for many: the past is read once. */
export async function operationViews(
  ports: Pick<Ports, 'operations'>,
  records: readonly OperationRecord[],
): Promise<OperationView[]> {
  const past = records.some(({ status }) => status === 'Running') ? await pastOperations(ports) : [];
  return records.map((record) => viewOf(record, past));
}

async function pastOperations(ports: Pick<Ports, 'operations'>): Promise<readonly OperationRecord[]> {
  return (await ports.operations.list({ limit: estimateSample })).items;
}

function viewOf(record: OperationRecord, past: readonly OperationRecord[]): OperationView {
  const estimateSeconds = record.status === 'Running' ? estimate(record.verb, past) : undefined;
  return {
    ...record,
    plannedSteps: plannedSteps(record.verb, record.options),
    ...(estimateSeconds === undefined ? {} : { estimateSeconds }),
  };
}

/** The median of the verb's past first-attempt successes: a resumed operation skipped what was already done. */
function estimate(verb: Verb, past: readonly OperationRecord[]): number | undefined {
  const seconds = past
    .filter((one) => one.verb === verb)
    .flatMap(({ startedAt, endedAt, status, attempt }) =>
      endedAt !== undefined && status === 'Succeeded' && attempt === 1
        ? [(Date.parse(endedAt) - Date.parse(startedAt)) / 1000]
        : [],
    )
    .toSorted((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)];
}
