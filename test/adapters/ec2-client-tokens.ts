import { isDeepStrictEqual } from 'node:util';
import {
  DescribeInstancesCommand,
  type EC2Client,
  type RunInstancesCommandOutput,
  type ServiceOutputTypes,
} from '@aws-sdk/client-ec2';

/** What EC2 says to the token of a machine that has ended: since January 2025 an error, before that the machine. */
export type AnswerForEnded = 'error' | 'machine';

/**
 * Gives a client of moto, which ignores it, the `ClientToken` of RunInstances and CreateNetworkInterface as EC2's
 * developer guide describes it: a repetition is answered with what was made the first time (a machine in its present
 * state), and one with other parameters is refused. Returns the tokens of launches.
 */
export function rememberClientTokens(
  client: EC2Client,
  options: { answerForEnded: AnswerForEnded } = { answerForEnded: 'error' },
): string[] {
  const made = new Map<string, { readonly input: object; readonly answer: Promise<ServiceOutputTypes> }>();
  const launches: string[] = [];
  client.middlewareStack.add(
    (next, context) => async (call) => {
      const launch = context.commandName === 'RunInstancesCommand';
      if (!launch && context.commandName !== 'CreateNetworkInterfaceCommand') return next(call);
      const token = 'ClientToken' in call.input ? String(call.input.ClientToken) : '';
      if (launch) launches.push(token);
      const key = `${context.commandName} ${token}`;
      const first = made.get(key);
      if (!first) {
        const result = next(call);
        const answer = result.then(({ output }) => output);
        made.set(key, { input: call.input, answer });
        answer.catch(() => made.delete(key));
        return result;
      }
      if (!isDeepStrictEqual(call.input, first.input))
        throw named('IdempotentParameterMismatch', 'Arguments on this idempotent request are inconsistent.');
      const answer = await first.answer;
      // The answer of the command of this name.
      return { output: launch ? await present(answer as RunInstancesCommandOutput) : answer, response: {} };
    },
    { step: 'initialize' },
  );
  return launches;

  async function present(answer: RunInstancesCommandOutput): Promise<RunInstancesCommandOutput> {
    const InstanceIds = answer.Instances?.map(({ InstanceId }) => InstanceId ?? '');
    const now = await client.send(new DescribeInstancesCommand({ InstanceIds }));
    const Instances = now.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? [];
    if (options.answerForEnded === 'error' && Instances[0]?.State?.Name === 'terminated')
      throw named(
        'IdempotentInstanceTerminated',
        'The client token is associated with a terminated instance.',
      );
    return { ...answer, Instances };
  }
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
}
