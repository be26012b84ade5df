import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetCommandInvocationCommand,
  type InstanceInformation,
  paginateDescribeInstanceInformation,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { NodeDiagnosis } from '../core/ports.ts';
import { isNamed } from './aws-errors.ts';
import { consoleLines } from './console-lines.ts';
import { nodeDiagnosisScript } from './node-diagnosis-script.ts';

/** Systems Manager takes as many machines in one command. */
const machinesAtOnce = 50;

/** A healthy node answers in two or three seconds; one that does not in 15 is described by that. */
const defaultAnswerLimitMilliseconds = 15_000;
const answerPauseMilliseconds = 1_000;

/** The least that Systems Manager accepts: how long a command waits for its machine. */
const deliverySeconds = 30;

/** With the question who is there at all, before and after the command. */
const reportLimitMilliseconds = 20_000;

const ended = new Set(['Success', 'Failed', 'Cancelled', 'TimedOut']);

/** Asks machines through their agents of Systems Manager: no port is open and no key is there for anything else. */
export class SsmNodeDiagnosis implements NodeDiagnosis {
  readonly #client: (region: string) => SSMClient;
  readonly #answerLimit: number;

  constructor(
    client: (region: string) => SSMClient,
    options: { readonly answerLimitMilliseconds?: number } = {},
  ) {
    this.#client = client;
    this.#answerLimit = options.answerLimitMilliseconds ?? defaultAnswerLimitMilliseconds;
  }

  async report(region: string, machineIds: readonly string[]): Promise<readonly string[]> {
    const asking = {
      client: this.#client(region),
      answerLimit: this.#answerLimit,
      abortSignal: AbortSignal.timeout(reportLimitMilliseconds),
    };
    const groups: (readonly string[])[] = [];
    for (let start = 0; start < machineIds.length; start += machinesAtOnce)
      groups.push(machineIds.slice(start, start + machinesAtOnce));
    const reports = await Promise.all(groups.map((ids) => reportOn(asking, ids)));
    return reports.flat();
  }
}

interface Asking {
  readonly client: SSMClient;
  readonly answerLimit: number;
  readonly abortSignal: AbortSignal;
}

async function reportOn(asking: Asking, ids: readonly string[]): Promise<readonly string[]> {
  try {
    const agents = await agentsOf(asking.client, ids);
    const online = ids.filter((id) => agents.get(id)?.PingStatus === 'Online');
    const answers = await answersOf(asking, online);
    return ids.flatMap((id) => [heardLine(id, agents.get(id)), ...(answers.get(id) ?? [])]);
  } catch (error) {
    return ids.map((id) => `${id}: Systems Manager cannot be asked: ${wordsOf(error)}`);
  }
}

async function agentsOf(
  client: SSMClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, InstanceInformation>> {
  const agents = new Map<string, InstanceInformation>();
  const Filters = [{ Key: 'InstanceIds', Values: [...ids] }];
  for await (const page of paginateDescribeInstanceInformation({ client }, { Filters }))
    for (const agent of page.InstanceInformationList ?? []) agents.set(agent.InstanceId ?? '', agent);
  return agents;
}

function heardLine(id: string, agent: InstanceInformation | undefined): string {
  if (!agent) return `${id}: its agent was never heard of`;
  const { PingStatus, LastPingDateTime } = agent;
  return `${id}: its agent is ${PingStatus}, last heard of at ${LastPingDateTime?.toISOString() ?? 'no time'}`;
}

/** What each machine answers, as indented lines. */
async function answersOf(
  asking: Asking,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const { client, abortSignal } = asking;
  try {
    const { Command } = await client.send(
      new SendCommandCommand({
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [...ids],
        Comment: 'Petra asks a node why its Kubernetes does not answer',
        TimeoutSeconds: deliverySeconds,
        Parameters: { commands: [nodeDiagnosisScript()], executionTimeout: ['10'] },
      }),
      { abortSignal },
    );
    const until = performance.now() + asking.answerLimit;
    const answers = ids.map(async (InstanceId) => {
      const invocation = { CommandId: Command?.CommandId, InstanceId };
      return [InstanceId, await answerOf(asking, invocation, until)] as const;
    });
    return new Map(await Promise.all(answers));
  } catch (error) {
    return new Map(ids.map((id) => [id, [`  cannot be asked: ${wordsOf(error)}`]]));
  }
}

async function answerOf(
  { client, answerLimit, abortSignal }: Asking,
  invocation: { readonly CommandId: string | undefined; readonly InstanceId: string },
  until: number,
): Promise<readonly string[]> {
  while (performance.now() < until) {
    try {
      const answer = await client.send(new GetCommandInvocationCommand(invocation), { abortSignal });
      if (ended.has(answer.Status ?? '')) {
        const text = `${answer.StandardOutputContent ?? ''}\n${answer.StandardErrorContent ?? ''}`;
        const failure = answer.Status === 'Success' ? [] : [`the questions ended as ${answer.StatusDetails}`];
        return [...failure, ...consoleLines(text)].map((line) => `  ${line}`);
      }
    } catch (error) {
      // For a moment after it was sent there is no invocation.
      if (!isNamed(error, 'InvocationDoesNotExist')) return [`  cannot be asked: ${wordsOf(error)}`];
    }
    await sleep(answerPauseMilliseconds);
  }
  return [`  does not answer within ${answerLimit / 1_000} s`];
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
