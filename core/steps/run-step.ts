import { hasCode, PetraError } from '../errors.ts';
import type { LedgerEvent, OperationRecord, StepRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import type { Lease } from '../ports.ts';
import { closeSettled, isSettled } from './close-operation.ts';
import type { EndPorts, StepContext, StepInput, StepPorts } from './context.ts';
import { toFailure, unforeseen } from './failure.ts';
import type { StepTitle } from './step-titles.ts';

/** What a step leaves for the state machine: small facts only, never a spec, manifest or secret. */
export interface StepOutput {
  /** Polls: whether what is waited for has come. */
  readonly ready?: boolean;
  /** Polls of a cluster: whether its network is there, so that its end may be near. */
  readonly provisioned?: boolean;
  /** Polls of a removal: whether it is over. */
  readonly gone?: boolean;
  /** One line for people: what is being waited for, or what was done. */
  readonly message?: string;
  /** When the phase that begins now must be over. */
  readonly deadline?: string;
  /** sha256 of each part of the installation, by name. */
  readonly components?: Readonly<Record<string, string>>;
  readonly serversRun?: boolean;
}

/** One Task state: what it does, and how a person reads it. */
export interface Step extends StepTitle {
  readonly run: StepFunction<keyof Ports>;
}

/** The work of a step that uses these ports besides those that every step has. */
export type StepFunction<P extends keyof Ports> = (
  context: StepContext<P>,
  input: StepInput,
) => Promise<StepOutput>;

/**
 * Runs one step of an operation: renews its lock, keeps the operation's timeline and the ledger, and turns whatever
 * goes wrong into a named error. Safe to repeat as far as the step is, and every step is.
 *
 * @throws LeaseLost when another operation holds the cluster; whatever the step throws; InternalError for the rest.
 */
export async function runStep<P extends keyof Ports>(
  ports: StepPorts & Pick<Ports, P>,
  state: string,
  step: { readonly run: StepFunction<P> },
  input: StepInput,
): Promise<StepOutput> {
  return run(ports, state, { run: step.run, final: false }, input);
}

/**
 * Runs the step that ends an operation. It gives the lock back, and may then be run again, since its answer was lost:
 * that is success. A function of its own, since only the end of an operation is told to the world outside.
 */
export async function runFinalStep<P extends keyof Ports>(
  ports: StepPorts & EndPorts & Pick<Ports, P>,
  state: string,
  step: { readonly run: StepFunction<P> },
  input: StepInput,
): Promise<StepOutput> {
  try {
    return await run(ports, state, { run: step.run, final: true }, input);
  } catch (error) {
    if (!hasCode(error, 'LeaseLost')) throw error;
    const operation = await ports.operations.find(input.operation.id);
    if (!operation || !isSettled(await ports.fleet.find(operation.cluster), operation)) throw error;
    await closeSettled(ports, operation);
    return {};
  }
}

async function run<P extends keyof Ports>(
  ports: StepPorts & Pick<Ports, P>,
  state: string,
  step: { readonly run: StepFunction<P>; readonly final: boolean },
  input: StepInput,
): Promise<StepOutput> {
  const { id, cluster, uid, fence } = input.operation;
  const lease: Lease = { cluster, uid, fence };
  const begun = ports.clock.now();
  const expiresAt = new Date(begun.getTime() + ports.settings.leaseSeconds * 1000).toISOString();
  const operation = await ports.operations.find(id);
  if (!operation) throw new PetraError('InternalError', `operation ${id} has no record`);

  const record = await ports.fleet.renew(lease, expiresAt);
  const known = operation.steps.find((entry) => entry.name === state);
  const continues = known !== undefined && known.status !== 'Succeeded';
  const running: StepRecord = {
    name: state,
    status: 'Running',
    startedAt: continues ? known.startedAt : begun.toISOString(),
    runs: (known?.runs ?? 0) + 1,
    ...(continues && known.message !== undefined ? { message: known.message } : {}),
  };
  // A poll that goes on writes once, at its end.
  if (known?.status !== 'Running') await ports.operations.recordStep(id, running);

  try {
    const output = await step.run({ ...ports, record, operation, lease }, input);
    const isNews = known?.status !== 'Succeeded' || known.message !== output.message;
    await recordOutcome(ports, operation, running, output, isNews && !step.final);
    return output;
  } catch (error) {
    const named = error instanceof PetraError ? error : unforeseen(state, error);
    // What went wrong is thrown whether or not it could be written: the end of the operation tells it as well.
    if (!hasCode(named, 'LeaseLost')) {
      await recordStepFailure(ports, operation, running, named).catch(() => undefined);
    }
    throw named;
  }
}

async function recordOutcome(
  ports: StepPorts,
  operation: OperationRecord,
  running: StepRecord,
  output: StepOutput,
  isNews: boolean,
): Promise<void> {
  const message = output.message === undefined ? {} : { message: output.message };
  if (output.ready === false || output.gone === false) {
    await ports.operations.recordStep(operation.id, { ...running, ...message });
    return;
  }
  const endedAt = ports.clock.now().toISOString();
  const { message: _waitedFor, ...rest } = running;
  await ports.operations.recordStep(operation.id, { ...rest, status: 'Succeeded', endedAt, ...message });
  // What ends an operation has already written the operation's own last line, and what a loop finds again is no news.
  if (!isNews) return;
  await ports.ledger.append(stepEvent(operation, running, endedAt, { outcome: 'succeeded', ...message }));
}

async function recordStepFailure(
  ports: StepPorts,
  operation: OperationRecord,
  running: StepRecord,
  error: PetraError,
): Promise<void> {
  const endedAt = ports.clock.now().toISOString();
  const failure = toFailure(error, running.name);
  await ports.operations.recordStep(operation.id, { ...running, status: 'Failed', endedAt, failure });
  await ports.ledger.append(
    stepEvent(operation, running, endedAt, { outcome: 'failed', code: error.code, message: error.message }),
  );
}

function stepEvent(
  operation: OperationRecord,
  step: StepRecord,
  at: string,
  outcome: Pick<LedgerEvent, 'outcome' | 'code' | 'message'>,
): Omit<LedgerEvent, 'seq'> {
  return {
    cluster: operation.cluster,
    uid: operation.uid,
    at,
    operationId: operation.id,
    verb: operation.verb,
    step: step.name,
    caller: operation.caller,
    durationMs: Date.parse(at) - Date.parse(step.startedAt),
    ...outcome,
  };
}
