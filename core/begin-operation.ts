// How an operation begins: who may start one, who attaches to a running one, who is refused.

import { announce } from './announce.ts';
import { diffClusterSpecs, hashClusterSpec } from './capi/cluster-spec.ts';
import type { ClusterSpec } from './capi/spec-schema.ts';
import { hasCode, PetraError } from './errors.ts';
import {
  attemptOf,
  type ClusterKind,
  type ClusterRecord,
  type Lock,
  type OperationOptions,
  type OperationRecord,
  type OperationSummary,
  operationId,
  phaseDuring,
  type Verb,
} from './fleet.ts';
import type { Ports } from './petra.ts';
import { abandon } from './steps/close-operation.ts';

export interface Begun {
  /** started: first attempt. resumed: attempt n+1. attached: it was running. unchanged: nothing to do. updated: a setting changed. */
  readonly outcome: 'started' | 'resumed' | 'attached' | 'unchanged' | 'updated';
  readonly record: ClusterRecord;
  /** Absent when nothing runs. */
  readonly operation?: OperationRecord;
}

/** What beginning an operation takes. */
export type BeginPorts = Pick<
  Ports,
  'clock' | 'settings' | 'fleet' | 'operations' | 'ledger' | 'workflows' | 'events' | 'metrics'
>;

/** How often the record is looked at before a lost race for it is called a conflict. */
const looks = 3;

/**
 * Begins init or create: makes the record with its lock, or attaches, or resumes after a failure.
 * Safe to repeat: the same spec leads to the same operation.
 *
 * @throws NameTaken, OperationInProgress, DeletionUnfinished, SpecDiffers
 */
export async function beginMaking(ports: MakingPorts, request: Making): Promise<Begun> {
  return withoutRaces(() => tryMaking(ports, request));
}

type MakingPorts = BeginPorts & Pick<Ports, 'newUid'>;

interface Making {
  readonly verb: 'init' | 'create';
  readonly spec: ClusterSpec;
  /** Workload clusters: the name of the management cluster. */
  readonly management?: string;
  readonly caller: string;
  /** Of the attempt that begins; who attaches to a running one has no say in it. */
  readonly options?: OperationOptions;
}

async function tryMaking(ports: MakingPorts, request: Making): Promise<Begun> {
  const { verb, spec, management, caller, options = {} } = request;
  const kind: ClusterKind = verb === 'init' ? 'management' : 'workload';
  const name = spec.metadata.name;
  const specHash = hashClusterSpec(spec);
  const present = await ports.fleet.find(name);
  if (!present || present.phase === 'Deleted') return addCluster(ports, request, specHash, present);

  if (present.kind !== kind || (management !== undefined && present.management !== management)) {
    const where = present.management === undefined ? '' : ` of management cluster "${present.management}"`;
    throw new PetraError('NameTaken', `"${name}" is already the name of a ${present.kind} cluster${where}`);
  }
  const last = present.operation.verb;
  const lock = heldLock(ports, present);
  if (lock) {
    if (last !== verb || present.specHash !== specHash) throw inProgress(present, lock);
    return attach(ports, await protect(ports, present, request), caller);
  }
  // A refused removal that touched nothing leaves the cluster Ready.
  if (present.phase !== 'Ready' && (last === 'delete' || last === 'destroy')) {
    throw new PetraError('DeletionUnfinished', `"${name}" is being removed: its ${last} did not end`);
  }
  const differs = present.specHash !== specHash;
  if (differs && (present.phase === 'Ready' || present.materialized)) {
    throw new PetraError('SpecDiffers', `"${name}" exists with another spec`, {
      details: { differences: diffClusterSpecs(present.spec, spec) },
    });
  }
  // A Ready cluster whose Cluster object is gone is made again, of the same spec.
  const isGone = present.findings?.some(({ code }) => code === 'ClusterGone') ?? false;
  if (present.phase === 'Ready' && !isGone) {
    const record = await protect(ports, present, request);
    return { outcome: record === present ? 'unchanged' : 'updated', record };
  }
  const record = await acquire(ports, present, { verb, caller, options, spec, specHash });
  return start(ports, await protect(ports, record, request), caller);
}

/**
 * Begins delete or destroy. A cluster that is already gone is success (`unchanged`). Safe to repeat.
 * @throws ClusterNotFound, InvalidRequest (wrong verb for the kind), DeletionProtected, OperationInProgress
 */
export async function beginRemoval(ports: BeginPorts, request: Removal): Promise<Begun> {
  return withoutRaces(() => tryRemoval(ports, request));
}

interface Removal {
  readonly verb: 'delete' | 'destroy';
  readonly name: string;
  readonly caller: string;
  readonly options: OperationOptions;
}

async function tryRemoval(ports: BeginPorts, request: Removal): Promise<Begun> {
  const { verb, name, caller, options } = request;
  const present = await ports.fleet.find(name);
  if (!present) throw new PetraError('ClusterNotFound', `there is no cluster "${name}"`);
  const kind: ClusterKind = verb === 'destroy' ? 'management' : 'workload';
  if (present.kind !== kind) {
    throw new PetraError('InvalidRequest', `"${name}" is a ${present.kind} cluster`, {
      fix: `Use \`petra capi ${kind === 'management' ? 'delete' : 'destroy'}\` for it.`,
    });
  }
  if (present.phase === 'Deleted') return { outcome: 'unchanged', record: present };
  if (present.deletionProtection) {
    throw new PetraError('DeletionProtected', `"${name}" has deletion protection`);
  }
  const lock = heldLock(ports, present);
  if (lock) {
    const { verb: last, options: lastOptions } = present.operation;
    const sameOptions = (lastOptions.cascade ?? false) === (options.cascade ?? false);
    if (last === verb && sameOptions) return attach(ports, present, caller);
    throw inProgress(present, lock);
  }
  const { spec, specHash } = present;
  return start(ports, await acquire(ports, present, { verb, caller, options, spec, specHash }), caller);
}

/**
 * Looks, decides and writes; where someone else wrote in between, looks again, and so attaches to what they started.
 * What was no race is refused again in the same words.
 */
async function withoutRaces(attempt: () => Promise<Begun>): Promise<Begun> {
  for (let look = 1; ; look += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isOvertaken = hasCode(error, 'NameTaken', 'OperationInProgress', 'LeaseLost', 'ClusterNotFound');
      if (!isOvertaken || look === looks) throw error;
    }
  }
}

/**
 * Sees to it that a held lock has its operation and its execution: whoever took it may have died in between.
 * Safe to repeat: both are made only if absent.
 */
export async function ensureStarted(ports: BeginPorts, record: ClusterRecord): Promise<OperationRecord> {
  const { lock, operation } = record;
  if (!lock) throw new PetraError('InternalError', `"${record.name}" has no lock to run an operation under`);
  const wanted: OperationRecord = {
    id: operation.id,
    verb: operation.verb,
    cluster: record.name,
    uid: record.uid,
    attempt: operation.attempt,
    fence: lock.fence,
    specHash: record.specHash,
    caller: lock.holder,
    status: 'Running',
    options: operation.options,
    startedAt: lock.acquiredAt,
    steps: [],
    warnings: [],
  };
  const { id, verb, cluster, uid, fence } = wanted;
  if (operation.supersedes !== undefined) {
    await abandon(ports, operation.supersedes, `its lock went stale; ${id} took over`);
  }
  await ports.operations.add(wanted);
  await ports.workflows.start({ id, verb, input: { operation: { id, verb, cluster, uid, fence } } });
  return (await ports.operations.find(id)) ?? wanted;
}

async function addCluster(
  ports: MakingPorts,
  request: Making,
  specHash: string,
  tombstone: ClusterRecord | undefined,
): Promise<Begun> {
  const { verb, spec, management, caller, options = {} } = request;
  const uid = ports.newUid();
  const now = ports.clock.now().toISOString();
  const operation: OperationSummary = {
    id: operationId(verb, spec.metadata.name, uid, 1),
    verb,
    attempt: 1,
    options,
  };
  const fence = (tombstone?.fence ?? 0) + 1;
  const record: ClusterRecord = {
    name: spec.metadata.name,
    uid,
    kind: verb === 'init' ? 'management' : 'workload',
    ...(management === undefined ? {} : { management }),
    region: spec.spec.target.region,
    spec,
    specHash,
    phase: phaseDuring[verb],
    materialized: false,
    fence,
    lock: newLock(ports, operation.id, fence, caller),
    operation,
    deletionProtection: spec.spec.deletionProtection,
    createdAt: now,
    updatedAt: now,
  };
  await ports.fleet.add(record);
  return start(ports, record, caller);
}

async function acquire(
  ports: BeginPorts,
  present: ClusterRecord,
  next: {
    readonly verb: Verb;
    readonly caller: string;
    readonly options: OperationOptions;
    readonly spec: ClusterSpec;
    readonly specHash: string;
  },
): Promise<ClusterRecord> {
  const { verb, caller, options, spec, specHash } = next;
  const before = present.operation;
  const attempt = before.verb === verb ? attemptOf(before.id) + 1 : 1;
  const now = ports.clock.now().toISOString();
  const id = operationId(verb, present.name, present.uid, attempt);
  return ports.fleet.acquire(
    present.name,
    { uid: present.uid, fence: present.fence, now },
    {
      phase: phaseDuring[verb],
      operation: { id, verb, attempt, options, ...(present.lock ? { supersedes: before.id } : {}) },
      spec,
      specHash,
      region: spec.spec.target.region,
      updatedAt: now,
      lock: newLock(ports, id, present.fence + 1, caller),
    },
  );
}

async function start(ports: BeginPorts, record: ClusterRecord, caller: string): Promise<Begun> {
  await appendEvent(ports, record, 'started', caller);
  const outcome = record.operation.attempt > 1 ? 'resumed' : 'started';
  return { outcome, record, operation: await ensureStarted(ports, record) };
}

async function attach(ports: BeginPorts, record: ClusterRecord, caller: string): Promise<Begun> {
  if (caller !== record.lock?.holder) await appendEvent(ports, record, 'attached', caller);
  return { outcome: 'attached', record, operation: await ensureStarted(ports, record) };
}

/** Deletion protection is a setting of the record, not of what runs on it: it takes effect at once. */
async function protect(
  ports: Pick<Ports, 'clock' | 'fleet' | 'ledger'>,
  record: ClusterRecord,
  { spec, caller }: Making,
): Promise<ClusterRecord> {
  const { deletionProtection } = spec.spec;
  if (record.deletionProtection === deletionProtection) return record;
  const { name, uid, lock } = record;
  const at = ports.clock.now().toISOString();
  const change = { deletionProtection, updatedAt: at };
  const changed = lock
    ? await ports.fleet.update({ cluster: name, uid, fence: lock.fence }, change)
    : await ports.fleet.updateUnlocked(name, uid, change);
  await ports.ledger.append({
    cluster: name,
    uid,
    at,
    verb: 'protect',
    outcome: 'succeeded',
    message: `deletion protection ${deletionProtection ? 'on' : 'off'}`,
    caller,
  });
  return changed;
}

function newLock(
  ports: Pick<Ports, 'clock' | 'settings'>,
  operation: string,
  fence: number,
  holder: string,
): Lock {
  const now = ports.clock.now();
  return {
    operationId: operation,
    fence,
    holder,
    acquiredAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + ports.settings.leaseSeconds * 1000).toISOString(),
  };
}

/** The lock of a cluster that somebody works on; undefined where there is none, or a stale one. */
export function heldLock(ports: Pick<Ports, 'clock'>, { lock }: ClusterRecord): Lock | undefined {
  return lock && lock.expiresAt > ports.clock.now().toISOString() ? lock : undefined;
}

function inProgress({ name, operation }: ClusterRecord, lock: Lock): PetraError {
  return new PetraError(
    'OperationInProgress',
    `${operation.verb} of "${name}" is running since ${lock.acquiredAt}, asked for by ${lock.holder}`,
    { cluster: name, details: { operation: operation.id, lock } },
  );
}

async function appendEvent(
  ports: Pick<Ports, 'ledger' | 'clock' | 'events' | 'metrics'>,
  record: ClusterRecord,
  outcome: 'started' | 'attached',
  caller: string,
): Promise<void> {
  const event = {
    cluster: record.name,
    uid: record.uid,
    at: ports.clock.now().toISOString(),
    operationId: record.operation.id,
    verb: record.operation.verb,
    outcome,
    caller,
  };
  await ports.ledger.append(event);
  await announce(ports, event);
}
