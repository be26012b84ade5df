// Handlers as Lambda would run them: made from their environment, asked with its events, against a real table.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connectDynamoDb } from '../../adapters/dynamodb-client.ts';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { DynamoDbLedger } from '../../adapters/dynamodb-ledger.ts';
import { DynamoDbOperations } from '../../adapters/dynamodb-operations.ts';
import { DynamoDbResourceLedger } from '../../adapters/dynamodb-resource-ledger.ts';
import type { ClusterRecord } from '../../core/fleet.ts';
import type { StepInput } from '../../core/steps/context.ts';
import type { HttpApiEvent } from '../../lambdas/route.ts';
import { record } from '../core/api/recorded-clusters.ts';
import { type TestPorts, testPorts } from '../core/test-ports.ts';
import { openTableEndpoint, type TableEndpoint, tableName } from './table-endpoint.ts';

const arn = 'arn:aws:iam::123456789012:user/ada';
const context = { functionName: 'petra', awsRequestId: 'request' };

let endpoint: TableEndpoint;
let ports: TestPorts;

beforeAll(async () => {
  endpoint = await openTableEndpoint();
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('FLEET_TABLE', tableName);
  vi.stubEnv('EVENT_BUS', 'petra');
  vi.stubEnv('PETRA_MODE', 'aws');
  vi.stubEnv('PETRA_VERSION', '1.2.3');
  const client = connectDynamoDb();
  ports = await testPorts({
    fleet: new DynamoDbFleetStore(client, tableName),
    operations: new DynamoDbOperations(client, tableName),
    ledger: new DynamoDbLedger(client, tableName),
    resources: new DynamoDbResourceLedger(client, tableName),
    clock: { now: () => new Date() },
  });
});

afterAll(async () => {
  await ports.close();
  await endpoint.close();
  vi.unstubAllEnvs();
});

/** What the functions wrote to their logs. */
let lines: unknown[];

beforeEach(() => {
  lines = [];
  endpoint.refused.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function inputOf({ operation, name, uid, fence }: ClusterRecord): StepInput {
  return { operation: { id: operation.id, verb: operation.verb, cluster: name, uid, fence } };
}

function request(name: string): HttpApiEvent {
  return {
    routeKey: 'GET /clusters/{name}',
    rawQueryString: '',
    pathParameters: { name },
    isBase64Encoded: false,
    requestContext: { authorizer: { iam: { userArn: arn } } },
  };
}

test('RecordReady ends init: the cluster is Ready, and it is told and logged once', async () => {
  const { handler } = await import('../../lambdas/init/record-ready.ts');
  const cluster = await record(ports, 'ready');
  await expect(handler(inputOf(cluster), context)).resolves.toEqual({});
  expect(await ports.fleet.find('ready')).toMatchObject({ phase: 'Ready' });
  expect(await ports.operations.find(cluster.operation.id)).toMatchObject({ status: 'Succeeded' });
  expect(endpoint.refused).toEqual(['AWSEvents.PutEvents']);
  expect(lines).toEqual([
    // Nobody could be told, which is counted and stops nothing.
    expect.objectContaining({ EventsLost: 1, _aws: expect.anything() }),
    expect.objectContaining({ step: 'RecordReady', cluster: 'ready', outcome: 'succeeded' }),
  ]);
});

test('RecordFailure keeps what Lambda said of a function that was killed', async () => {
  const { handler } = await import('../../lambdas/init/record-failure.ts');
  const cluster = await record(ports, 'failed');
  const error = { Error: 'Sandbox.Timedout', Cause: '{"errorMessage":"Task timed out after 55.00 seconds"}' };
  await handler({ ...inputOf(cluster), error }, context);
  expect(await ports.fleet.find('failed')).toMatchObject({ phase: 'Failed' });
  expect(await ports.operations.find(cluster.operation.id)).toMatchObject({
    failure: { code: 'StepTimedOut' },
  });
});

test('a step whose lock another operation holds fails with a name that ends the execution', async () => {
  const { handler } = await import('../../lambdas/init/record-ready.ts');
  const cluster = await record(ports, 'lost');
  const input = inputOf(cluster);
  await expect(
    handler({ operation: { ...input.operation, fence: cluster.fence + 1 } }, context),
  ).rejects.toMatchObject({ name: 'LeaseLost' });
});

test('a route answers from the table, and with a problem where there is nothing', async () => {
  const { handler } = await import('../../lambdas/api/get-cluster.ts');
  await record(ports, 'asked', { phase: 'Ready' });
  const found = await handler(request('asked'), context);
  expect(found.statusCode).toBe(200);
  expect(JSON.parse(found.body)).toMatchObject({ name: 'asked', phase: 'Ready' });
  const absent = await handler(request('nothing'), context);
  expect(absent).toMatchObject({ statusCode: 404, headers: { 'content-type': 'application/problem+json' } });
});
