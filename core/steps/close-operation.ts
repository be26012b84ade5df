import { announce } from '../announce.ts';
import { PetraError } from '../errors.ts';
import type { ClusterRecord, Failure, OperationRecord, OperationStatus, Phase } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import { toFailure } from './failure.ts';

type ClosePorts = Pick<Ports, 'ledger' | 'operations' | 'events' | 'metrics'>;

/**
 * Closes an operation: in the ledger, then in its own record. Safe to repeat: an ended one stays as it is.
 * The ledger first: a kill in between leaves a second line there, never a missing one.
 */
export async function closeOperation(
  ports: ClosePorts,
  operation: OperationRecord,
  end: { readonly status: OperationStatus; readonly endedAt: string; readonly failure?: Failure },
): Promise<void> {
  if (operation.status !== 'Running') return;
  const { id, cluster, uid, verb, caller, startedAt } = operation;
  const { status, endedAt, failure } = end;
  const event = {
    cluster,
    uid,
    at: endedAt,
    operationId: id,
    verb,
    caller,
    outcome: status === 'Succeeded' ? 'succeeded' : 'failed',
    durationMs: Date.parse(endedAt) - Date.parse(startedAt),
    ...(failure === undefined ? {} : { code: failure.code, message: failure.message }),
  } as const;
  await ports.ledger.append(event);
  await ports.operations.finish(id, end);
  await announce(ports, event);
}

/** The phase of a cluster whose operation ended otherwise than well: Ready again where nothing of it was touched. */
export function restingPhase({ readyAt }: ClusterRecord): Phase {
  return readyAt === undefined ? 'Failed' : 'Ready';
}

/** Whether the cluster already shows this operation's success: it gave the lock back and set its last phase. */
export function isSettled(record: ClusterRecord | undefined, operation: OperationRecord): boolean {
  if (!record || record.uid !== operation.uid || record.operation.id !== operation.id || record.lock)
    return false;
  const removes = operation.verb === 'delete' || operation.verb === 'destroy';
  return record.phase === (removes ? 'Deleted' : 'Ready') && (removes || record.readyAt !== undefined);
}

/** Closes an operation whose cluster already shows its success, since it was killed before it could. Safe to repeat. */
export async function closeSettled(
  ports: ClosePorts & Pick<Ports, 'clock'>,
  operation: OperationRecord,
): Promise<void> {
  await closeOperation(ports, operation, { status: 'Succeeded', endedAt: ports.clock.now().toISOString() });
}

/**
 * Ends an operation whose lock another one took, or someone removed. Safe to repeat, and for an operation whose
 * beginner died before it was recorded.
 */
export async function abandon(
  ports: ClosePorts & Pick<Ports, 'clock'>,
  id: string,
  why: string,
): Promise<void> {
  const operation = await ports.operations.find(id);
  if (!operation) return;
  const error = new PetraError('OperationAbandoned', `operation ${id} was given up: ${why}`);
  const endedAt = ports.clock.now().toISOString();
  await closeOperation(ports, operation, { status: 'Abandoned', endedAt, failure: toFailure(error) });
}
