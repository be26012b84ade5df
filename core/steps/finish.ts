// How an operation ends. Order matters: the lock is given back first, then the operation is closed; a kill in between
// is mended by `isSettled` when the step runs again.

import type { ErrorCode } from '../errors.ts';
import { errorCatalogue, hasCode, PetraError } from '../errors.ts';
import type { Failure, OperationRecord, ResidueLine } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import type { ClusterChange } from '../ports.ts';
import type { StepContext, StepInput } from './context.ts';
import { isSettled, type StepOutput, toFailure } from './run-step.ts';

/** Ends an operation well: sets the cluster's last phase, gives the lock back, closes the operation. */
export async function succeed(
  context: StepContext,
  change: ClusterChange,
  residue?: readonly ResidueLine[],
): Promise<StepOutput> {
  const endedAt = context.clock.now().toISOString();
  await context.fleet.release(context.lease, { ...change, updatedAt: endedAt });
  await context.operations.finish(context.operation.id, {
    status: 'Succeeded',
    endedAt,
    ...(residue === undefined ? {} : { residue }),
  });
  await appendEnd(context, context.operation, endedAt, { outcome: 'succeeded' });
  return {};
}

/**
 * Ends an operation that failed: keeps the original cause, gives the lock back. The cluster goes back to Ready when
 * nothing of it was touched, else it is Failed and the same command resumes. Safe to repeat.
 */
export async function recordFailure(ports: Ports, input: StepInput): Promise<StepOutput> {
  const { id, cluster, uid, fence } = input.operation;
  const operation = await ports.operations.find(id);
  if (!operation) throw new PetraError('InternalError', `operation ${id} has no record`);
  const endedAt = ports.clock.now().toISOString();
  if (await isSettled(ports, operation)) {
    await ports.operations.finish(id, { status: 'Succeeded', endedAt });
    return {};
  }

  const failure = originalFailure(operation, input.error);
  const record = await ports.fleet.find(cluster);
  const phase = record?.readyAt === undefined ? 'Failed' : 'Ready';
  try {
    await ports.fleet.release({ cluster, uid, fence }, { phase, updatedAt: endedAt });
  } catch (error) {
    if (!hasCode(error, 'LeaseLost')) throw error;
    const lost = record?.operation.id === id && record.lock === undefined ? failure : toFailure(error);
    await ports.operations.finish(id, {
      status: lost.code === 'LeaseLost' ? 'Abandoned' : 'Failed',
      endedAt,
      failure: lost,
    });
    return {};
  }
  await ports.operations.finish(id, { status: 'Failed', endedAt, failure });
  await appendEnd(ports, operation, endedAt, {
    outcome: 'failed',
    code: failure.code,
    message: failure.message,
  });
  return {};
}

/** The failure a step recorded itself, or what the state machine knows of one that had no time to. */
function originalFailure(operation: OperationRecord, error: StepInput['error']): Failure {
  const name = error?.Error ?? 'InternalError';
  const recorded = operation.steps.filter((step) => step.failure?.code === name && step.status === 'Failed');
  const last = recorded.toSorted((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? '')).at(-1);
  if (last?.failure) return last.failure;
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

async function appendEnd(
  ports: Pick<Ports, 'ledger'>,
  operation: OperationRecord,
  at: string,
  outcome: { readonly outcome: 'succeeded' | 'failed'; readonly code?: string; readonly message?: string },
): Promise<void> {
  await ports.ledger.append({
    cluster: operation.cluster,
    uid: operation.uid,
    at,
    operationId: operation.id,
    verb: operation.verb,
    caller: operation.caller,
    durationMs: Date.parse(at) - Date.parse(operation.startedAt),
    ...outcome,
  });
}
