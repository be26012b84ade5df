import { isDeepStrictEqual } from 'node:util';
import {
  DescribeInstancesCommand,
  type EC2Client,
  type RunInstancesCommandInput,
  type RunInstancesCommandOutput,
} from '@aws-sdk/client-ec2';

/** What EC2 says to the token of a machine that has ended: since January 2025 an error, before that the machine. */
export type AnswerForEnded = 'error' | 'machine';

/**
 * Gives a client of moto, which ignores it, the `ClientToken` of RunInstances as EC2's developer guide describes it: a
 * repetition is answered with the machine of the first time in its present state, and one with other parameters is
 * refused. Returns the tokens seen.
 */
export function rememberClientTokens(
  client: EC2Client,
  options: { answerForEnded: AnswerForEnded } = { answerForEnded: 'error' },
): string[] {
  const launched = new Map<
    string,
    { input: RunInstancesCommandInput; output: Promise<RunInstancesCommandOutput> }
  >();
  const seen: string[] = [];
  client.middlewareStack.add(
    (next, context) => async (call) => {
      if (context.commandName !== 'RunInstancesCommand') return next(call);
      // The name of the command says what its input is.
      const input = call.input as RunInstancesCommandInput;
      const token = input.ClientToken ?? '';
      seen.push(token);
      const first = launched.get(token);
      if (!first) {
        const made = next(call);
        // The answer of the command of this name.
        const output = made.then((answer) => answer.output as RunInstancesCommandOutput);
        launched.set(token, { input, output });
        output.catch(() => launched.delete(token));
        return made;
      }
      if (!isDeepStrictEqual(input, first.input))
        throw named('IdempotentParameterMismatch', 'Arguments on this idempotent request are inconsistent.');
      const output = await first.output;
      const InstanceIds = output.Instances?.map(({ InstanceId }) => InstanceId ?? '');
      const now = await client.send(new DescribeInstancesCommand({ InstanceIds }));
      const Instances = now.Reservations?.flatMap((reservation) => reservation.Instances ?? []) ?? [];
      if (options.answerForEnded === 'error' && Instances[0]?.State?.Name === 'terminated')
        throw named(
          'IdempotentInstanceTerminated',
          'The client token is associated with a terminated instance.',
        );
      return { output: { ...output, Instances }, response: {} };
    },
    { step: 'initialize' },
  );
  return seen;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
}
