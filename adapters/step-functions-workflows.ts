import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { PetraError } from '../core/errors.ts';
import type { OperationRecord } from '../core/fleet.ts';
import type { ExecutionState, WorkflowInput, Workflows } from '../core/ports.ts';
import { translateAwsError } from './aws-errors.ts';

type Verb = OperationRecord['verb'];

const states: Readonly<Record<ExecutionStatus, ExecutionState>> = {
  RUNNING: 'running',
  PENDING_REDRIVE: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  ABORTED: 'failed',
};

/**
 * State machines on Step Functions. They are Standard ones, which keep the name of an execution for 90 days: an
 * operation's id is never used again, so no execution is started twice.
 */
export class StepFunctionsWorkflows implements Workflows {
  readonly #client: SFNClient;
  readonly #stateMachines: Readonly<Partial<Record<Verb, string>>>;

  /** `stateMachines`: the ARN for each verb that this function may start or ask for. */
  constructor(client: SFNClient, stateMachines: Readonly<Partial<Record<Verb, string>>>) {
    this.#client = client;
    this.#stateMachines = stateMachines;
  }

  async start(execution: {
    readonly id: string;
    readonly verb: Verb;
    readonly input: WorkflowInput;
  }): Promise<void> {
    const { id, verb, input } = execution;
    const stateMachineArn = this.#arnOf(verb);
    try {
      await this.#client.send(
        new StartExecutionCommand({ stateMachineArn, name: id, input: JSON.stringify(input) }),
      );
    } catch (error) {
      // It runs with another input, or has ended.
      if (isNamed(error, 'ExecutionAlreadyExists')) return;
      throw translate(error, `start ${id}`, stateMachineArn);
    }
  }

  /** May say `absent` for moments after the start: the answer is eventually consistent. */
  async state({ id, verb }: { readonly id: string; readonly verb: Verb }): Promise<ExecutionState> {
    const stateMachineArn = this.#arnOf(verb);
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${id}`;
    try {
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      return status === undefined ? 'running' : states[status];
    } catch (error) {
      if (isNamed(error, 'ExecutionDoesNotExist')) return 'absent';
      throw translate(error, `ask for ${id}`, stateMachineArn);
    }
  }

  #arnOf(verb: Verb): string {
    const arn = this.#stateMachines[verb];
    if (arn === undefined) throw new Error(`this function was given no state machine for ${verb}`);
    return arn;
  }
}

function translate(error: unknown, doing: string, stateMachineArn: string): unknown {
  if (!(error instanceof Error) || !/^StateMachine(?:DoesNotExist|Deleting)$/.test(error.name))
    return translateAwsError(error, doing);
  return new PetraError('InternalError', `cannot ${doing}: ${error.name}: ${stateMachineArn}`, {
    cause: error,
    fix: 'The state machine is not in this account and region: deploy the Petra stack, then repeat the command.',
  });
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
