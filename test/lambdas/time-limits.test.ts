// One call that hangs must end before its function does: the error is then the service's, which Retry and Catch know by
// name, and not a function that was killed in the middle of something.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { awsCalls } from '../../adapters/aws-calls.ts';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { connectEventBridge } from '../../adapters/eventbridge-client.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import { numberAt } from '../../core/json-fields.ts';
import { routeCalls, routeKubernetes, taskKubernetes } from '../../lambdas/ports/patience.ts';

const folder = path.join(import.meta.dirname, '../../state-machines');
const definitions = readdirSync(folder)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => readFileSync(path.join(folder, file), 'utf8'));

/** As the stack sets it: 5 s before the state gives up. */
const shortestTask =
  Math.min(
    ...definitions.flatMap((text) =>
      [...text.matchAll(/"TimeoutSeconds": (\d+)/g)].map(([, s]) => Number(s)),
    ),
  ) - 5;
const routeSeconds = 29;

/** Seconds until a call has failed each time by its timeout, with the longest waits of the SDK in between. */
async function longest(client: {
  readonly config: { readonly maxAttempts: () => Promise<number>; readonly requestHandler: object };
}): Promise<number> {
  const attempts = await client.config.maxAttempts();
  // The transport shows its numbers only after its first request; they are in this field before.
  const transport: unknown = await Reflect.get(client.config.requestHandler, 'configProvider');
  const waits = Array.from({ length: attempts - 1 }, (_, index) => Math.min(0.5 * 2 ** index, 20));
  const timeout = numberAt(transport, 'requestTimeout') ?? Number.POSITIVE_INFINITY;
  return (attempts * timeout) / 1000 + waits.reduce((sum, wait) => sum + wait, 0);
}

const region = 'us-east-1';

describe('a call that hangs fails before its function ends', () => {
  test.each([
    ['DynamoDB', connectDynamoDb({ region })],
    ['an AWS service', connectSecretsManager({ region })],
    ['EventBridge', connectEventBridge({ region })],
  ])('in a Task state: %s', async (_name, client) => {
    expect(await longest(client)).toBeLessThan(shortestTask);
  });

  test.each([
    ['DynamoDB', connectDynamoDb({ region })],
    ['Secrets Manager', connectSecretsManager({ region, ...routeCalls })],
    ['Step Functions', connectStepFunctions({ region, ...routeCalls })],
    ['EventBridge', connectEventBridge({ region })],
  ])('in a route: %s', async (_name, client) => {
    expect(await longest(client)).toBeLessThan(routeSeconds);
  });

  test('Kubernetes, which may be asked twice', () => {
    expect((2 * taskKubernetes.timeoutMilliseconds) / 1000).toBeLessThan(shortestTask);
    expect((2 * routeKubernetes.timeoutMilliseconds) / 1000).toBeLessThan(routeSeconds);
  });
});

test('a route is less patient with AWS than a Task state', () => {
  expect(routeCalls.maxAttempts ?? awsCalls.maxAttempts).toBeLessThan(awsCalls.maxAttempts);
});
