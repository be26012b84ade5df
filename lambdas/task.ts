// What every Task state's function is wrapped in: its lock and timeline, one line of log, and an error that the state
// machine knows by name.

import middy from '@middy/core';
import { attemptOf } from '../core/fleet.ts';
import type { Ports } from '../core/petra.ts';
import type { EndPorts, StepInput, StepPorts } from '../core/steps/context.ts';
import { recordFailure } from '../core/steps/finish.ts';
import { runFinalStep, runStep, type StepFunction, type StepOutput } from '../core/steps/run-step.ts';
import { type LogFields, logging } from './logging.ts';
import { namedErrors } from './named-errors.ts';
import { systemClock } from './ports/clock.ts';
import { events, metrics } from './ports/reports.ts';
import { settings } from './ports/settings.ts';
import { fleet, ledger, operations } from './ports/table.ts';
import type { LambdaHandler } from './runtime.ts';
import type { WriteLine } from './write-line.ts';

export type TaskHandler = LambdaHandler<StepInput, StepOutput>;

/** The ports that a step names, without those that every step has: leaving one out does not compile. */
type OwnPorts<P extends keyof Ports, Given extends keyof Ports> = Pick<Ports, Exclude<P, Given>>;

/** The function of a Task state. */
export function task<P extends keyof Ports = never>(
  state: string,
  step: StepFunction<P>,
  ports: OwnPorts<NoInfer<P>, keyof StepPorts>,
): TaskHandler {
  // Together they are all that the step names, which TypeScript cannot see through Exclude.
  const all = { ...stepPorts(), ...ports } as StepPorts & Pick<Ports, P>;
  return wrapTask(state, (input) => runStep(all, state, { run: step }, input));
}

/** The function of the Task state that ends an operation well. */
export function finalTask<P extends keyof Ports = never>(
  state: string,
  step: StepFunction<P>,
  ports: OwnPorts<NoInfer<P>, keyof StepPorts | keyof EndPorts>,
): TaskHandler {
  const all = { ...stepPorts(), ...endPorts(), ...ports } as StepPorts & EndPorts & Pick<Ports, P>;
  return wrapTask(state, (input) => runFinalStep(all, state, { run: step }, input));
}

/** The function of the Task state that ends an operation which failed. */
export function failureTask(): TaskHandler {
  const all = { ...stepPorts(), ...endPorts() };
  return wrapTask('RecordFailure', (input) => recordFailure(all, input));
}

function stepPorts(): StepPorts {
  return {
    clock: systemClock,
    settings: settings(),
    fleet: fleet(),
    operations: operations(),
    ledger: ledger(),
  };
}

function endPorts(): EndPorts {
  return { events: events(), metrics: metrics() };
}

/** Logs each run of a state, and names its errors. */
export function wrapTask(
  state: string,
  run: (input: StepInput) => Promise<StepOutput>,
  options: { readonly write?: WriteLine } = {},
): TaskHandler {
  // Never early at the end of Lambda's time, as middy would be: a step that is told it is over but not stopped goes on
  // working in the next invocation. Lambda itself ends the process.
  return middy<StepInput, StepOutput>({ timeoutEarlyInMillis: 0 })
    .use(namedErrors(state))
    .use(
      logging<StepInput, StepOutput>(
        { about: (input) => aboutStep(state, input), outcome: outcomeOfStep },
        options,
      ),
    )
    .handler(run) as TaskHandler;
}

function aboutStep(step: string, { operation }: StepInput): LogFields {
  return {
    operation: operation.id,
    verb: operation.verb,
    cluster: operation.cluster,
    uid: operation.uid,
    step,
    attempt: attemptOf(operation.id),
  };
}

function outcomeOfStep({ ready, gone, message }: StepOutput): LogFields {
  return {
    ...(ready === false || gone === false ? { outcome: 'waiting' } : {}),
    ...(message === undefined ? {} : { message }),
  };
}
