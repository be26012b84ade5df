// How an operation ends. Order matters: the lock is given back first, then the operation is closed; a kill in between
// is mended by `isSettled` when the step runs again.

import type { ErrorCode } from '../errors.ts';
import { errorCatalogue, hasCode, PetraError } from '../errors.ts';
import type { Failure, OperationRecord } from '../fleet.ts';
import type { ClusterChange } from '../ports.ts';
import { closeOperation, closeSettled, isSettled, restingPhase } from './close-operation.ts';
import type { EndPorts, StepContext, StepInput, StepPorts } from './context.ts';
import { toFailure } from './failure.ts';
import type { StepOutput } from './run-step.ts';

/** Ends an operation well: sets the cluster's last phase, gives the lock back, closes the operation. */
export async function succeed(
  context: StepContext<keyof EndPorts>,
  change: ClusterChange,
): Promise<StepOutput> {
  const endedAt = context.clock.now().toISOString();
  await context.fleet.release(context.lease, { ...change, updatedAt: endedAt });
  await closeOperation(context, context.operation, { status: 'Succeeded', endedAt });
  return {};
}

/**
 * Ends an operation that failed: keeps the original cause, gives the lock back. The cluster goes back to Ready when
 * nothing of it was touched, else it is Failed and the same command resumes. Safe to repeat.
 */
export async function recordFailure(ports: StepPorts & EndPorts, input: StepInput): Promise<StepOutput> {
  const { id, cluster, uid, fence } = input.operation;
  const operation = await ports.operations.find(id);
  const record = await ports.fleet.find(cluster);
  if (!operation || !record) throw new PetraError('InternalError', `operation ${id} has no record`);
  if (isSettled(record, operation)) {
    await closeSettled(ports, operation);
    return {};
  }

  const endedAt = ports.clock.now().toISOString();
  const failure = originalFailure(operation, input.error);
  const phase = restingPhase(record);
  try {
    await ports.fleet.release({ cluster, uid, fence }, { phase, updatedAt: endedAt });
  } catch (error) {
    if (!hasCode(error, 'LeaseLost')) throw error;
    // Where no other operation came after it: it gave the lock back itself and was killed, or somebody removed it.
    const isLast = record.operation.id === id && record.lock === undefined;
    const gaveItBack = isLast && failure.code !== 'LeaseLost' && failure.code !== 'OperationAbandoned';
    await closeOperation(ports, operation, {
      status: gaveItBack ? 'Failed' : 'Abandoned',
      endedAt,
      failure: gaveItBack ? failure : toFailure(error),
    });
    return {};
  }
  await closeOperation(ports, operation, { status: 'Failed', endedAt, failure });
  return {};
}

/** The failure a step recorded itself, or what the state machine knows of one that had no time to. */
function originalFailure(operation: OperationRecord, error: StepInput['error']): Failure {
  const name = error?.Error;
  const last = operation.steps.findLast(
    ({ status, failure }) => status === 'Failed' && (name === undefined || failure?.code === name),
  );
  if (last?.failure) return last.failure;
  if (name === undefined) {
    return toFailure(new PetraError('OperationAbandoned', `operation ${operation.id} ended without a word`));
  }
  const cause = causeText(error?.Cause);
  if (name === 'States.Timeout' || name === 'Sandbox.Timedout') {
    const step = operation.steps.findLast((entry) => entry.status === 'Running')?.name;
    return toFailure(
      new PetraError('StepTimedOut', `${step ?? 'a step'} took longer than its state allows`),
      step,
    );
  }
  if (isCode(name)) return toFailure(new PetraError(name, cause ?? name));
  return toFailure(
    new PetraError('InternalError', `the state machine failed: ${cause ?? name}`, { cause: name }),
  );
}

/** Lambda hands over its error as a JSON string with `errorMessage`; local runs as the plain message. */
function causeText(cause: string | undefined): string | undefined {
  if (cause === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed)
      return String(parsed.errorMessage);
  } catch {
    // Not JSON: the message itself.
  }
  return cause;
}

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCatalogue, name);
}
