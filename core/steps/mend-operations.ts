// The first state of state-machines/reconcile.asl.json: operations whose execution ended, or never began, without anybody
// having written it down.

import { type BeginPorts, beginMaking, beginRemoval, ensureStarted } from '../begin-operation.ts';
import { hasCode, PetraError } from '../errors.ts';
import { everyCluster } from '../every-cluster.ts';
import type { ClusterRecord, LedgerEvent, OperationRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import { recordFailure } from './finish.ts';
import { type ReconcileItem, reconciler } from './reconcile.ts';

/** How long the one who took a lock has for starting its execution, before somebody else does. */
const startSeconds = 60;

/** An operation that is interrupted this often has a cause that another attempt does not remove. */
const mostAttempts = 5;

/** Records that changed so lately may have an operation that gave its lock back and was killed before it was closed. */
const recentSeconds = 3600;

export interface Mended {
  /** The management clusters to look at next. */
  readonly items: readonly ReconcileItem[];
  readonly resumed: number;
  /** Locks that nobody renews any more, though their execution runs. */
  readonly staleLocks: number;
}

type MendPorts = BeginPorts & Pick<Ports, 'newUid'>;

/**
 * Goes through the fleet: starts executions that were never started, closes operations whose execution is over, and
 * begins the next attempt of those that were interrupted, unless a person ended them. A stale lock whose execution runs
 * is counted, and left alone: `petra capi unlock` is for people. Safe to repeat.
 */
export async function mendOperations(ports: MendPorts): Promise<Mended> {
  const items: ReconcileItem[] = [];
  let resumed = 0;
  let staleLocks = 0;
  for await (const record of everyCluster(ports)) {
    const outcome = record.lock ? await mendLocked(ports, record) : await closeForgotten(ports, record);
    if (outcome === 'resumed') resumed += 1;
    if (outcome === 'stale') staleLocks += 1;
    if (record.kind === 'management' && record.phase === 'Ready') {
      items.push({ management: record.name, uid: record.uid });
    }
  }
  return { items, resumed, staleLocks };
}

type Outcome = 'well' | 'stale' | 'resumed';

async function mendLocked(ports: MendPorts, record: ClusterRecord): Promise<Outcome> {
  const { lock, operation: last } = record;
  if (!lock) return 'well';
  const now = ports.clock.now();
  const execution = await ports.workflows.state(last);
  if (execution === 'running') return lock.expiresAt > now.toISOString() ? 'well' : 'stale';
  if (execution === 'absent') {
    if (now.getTime() - Date.parse(lock.acquiredAt) < startSeconds * 1000) return 'well';
    await note(ports, record, `${last.id} was never started; it is started now`);
    await ensureStarted(ports, record);
    return 'resumed';
  }
  const operation = await ports.operations.find(last.id);
  if (!operation) return 'well';
  await recordFailure(ports, inputOf(operation));
  if (execution !== 'failed' || last.attempt >= mostAttempts) return 'well';
  return (await resume(ports, record)) ? 'resumed' : 'well';
}

/** The same command again, as whoever asked for it would. Whether anything was begun. */
async function resume(ports: MendPorts, record: ClusterRecord): Promise<boolean> {
  const { name, operation, spec, management, lock } = record;
  const { verb, options } = operation;
  const caller = lock?.holder ?? reconciler;
  try {
    const begun =
      verb === 'init' || verb === 'create'
        ? await beginMaking(ports, {
            verb,
            spec,
            caller,
            ...(management === undefined ? {} : { management }),
          })
        : await beginRemoval(ports, { verb, name, caller, options });
    if (!begun.operation) return false;
    await note(ports, begun.record, `${operation.id} was interrupted; ${begun.operation.id} goes on`);
    return true;
  } catch (error) {
    // What forbids the command now would forbid it to its caller too, and is told to whoever repeats it.
    if (error instanceof PetraError && error.source === 'user') return false;
    throw error;
  }
}

/** Closes an operation that gave its lock back and was killed before it was closed. */
async function closeForgotten(ports: MendPorts, record: ClusterRecord): Promise<Outcome> {
  if (ports.clock.now().getTime() - Date.parse(record.updatedAt) > recentSeconds * 1000) return 'well';
  const operation = await ports.operations.find(record.operation.id);
  if (operation?.status !== 'Running' || (await ports.workflows.state(operation)) === 'running')
    return 'well';
  await recordFailure(ports, inputOf(operation)).catch((error: unknown) => {
    if (!hasCode(error, 'LeaseLost')) throw error;
  });
  return 'well';
}

function inputOf({ id, verb, cluster, uid, fence }: OperationRecord) {
  return { operation: { id, verb, cluster, uid, fence } };
}

async function note(
  ports: Pick<Ports, 'ledger' | 'clock'>,
  { name, uid, operation }: ClusterRecord,
  message: string,
): Promise<void> {
  const event: Omit<LedgerEvent, 'seq'> = {
    cluster: name,
    uid,
    at: ports.clock.now().toISOString(),
    operationId: operation.id,
    verb: 'reconcile',
    outcome: 'started',
    message,
    caller: reconciler,
  };
  await ports.ledger.append(event);
}
