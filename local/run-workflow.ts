// Runs one state machine in this process: the only importer of aws-local-stepfunctions.
//
// What differs from AWS: nothing is kept between processes (a restart runs the machine again from its start, and every
// step finds what exists), waits and retries are sped up by the pace, and a Catch gets the error's message itself as
// its cause instead of Lambda's JSON.

import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { PetraError } from '../core/errors.ts';
import { at } from '../core/json-fields.ts';
import type { Pace } from './pace.ts';

/** Does the work of one Task state. What it throws must carry its code as `name`, for Retry and Catch to match. */
export type TaskHandler = (state: string, payload: unknown) => Promise<unknown>;

/** A machine whose loops never end would otherwise run until the memory is gone. */
const maximumTasks = 20_000;

interface State {
  readonly Type: string;
  readonly Seconds?: number;
  readonly Retry?: readonly { readonly IntervalSeconds?: number }[];
  /** Of a Map: the states that each item goes through. */
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}

/** As the engine declares it; it does not export the name. */
type JsonValue = Parameters<StateMachine['run']>[0];

/** The states of a definition, those inside a Map included: the engine overrides all of them by name. */
function statesOf(definition: object): readonly (readonly [string, State])[] {
  const { States } = definition as { readonly States: Readonly<Record<string, State>> };
  return Object.entries(States).flatMap(([name, state]) => [
    [name, state] as const,
    ...(state.ItemProcessor ? statesOf(state.ItemProcessor) : []),
  ]);
}

/**
 * Resolves when the machine has succeeded; rejects with its error when it has failed. `abort` ends it at the next
 * state, without running any more of it.
 */
export async function runWorkflow(
  definition: object,
  input: unknown,
  { task, pace, signal }: { readonly task: TaskHandler; readonly pace: Pace; readonly signal: AbortSignal },
): Promise<void> {
  const handlers: Record<string, (invocation: JsonValue) => Promise<JsonValue>> = {};
  const waits: Record<string, number> = {};
  const retries: Record<string, number[]> = {};
  let tasks = 0;
  for (const [name, state] of statesOf(definition)) {
    if (state.Type === 'Wait') waits[name] = pace.milliseconds(state.Seconds ?? 1);
    if (state.Type !== 'Task') continue;
    retries[name] = (state.Retry ?? []).map(({ IntervalSeconds }) => pace.milliseconds(IntervalSeconds ?? 1));
    handlers[name] = async (invocation) => {
      // The engine goes on for a few states after its abort; nothing of them is done.
      signal.throwIfAborted();
      tasks += 1;
      if (tasks > maximumTasks)
        throw new PetraError('InternalError', 'the state machine does not come to an end');
      return { Payload: toJson(await task(name, at(invocation, 'Payload'))) };
    };
  }
  const machine = new StateMachine(definition as StateMachineDefinition, {
    validationOptions: { noValidate: true },
  });
  const execution = machine.run(toJson(input), {
    overrides: {
      taskResourceLocalHandlers: handlers,
      waitTimeOverrides: waits,
      retryIntervalOverrides: retries,
    },
  });
  const abort = () => execution.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await execution.result;
    // The engine resolves, without a result, when it is told to stop in the middle of a task.
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** What crosses the border between a state machine and a Lambda function is JSON, and nothing else. */
function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value ?? {}));
}
