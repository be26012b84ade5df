import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectStepFunctions } from '../../adapters/step-functions-client.ts';
import { StepFunctionsWorkflows } from '../../adapters/step-functions-workflows.ts';
import { type Moto, motoAccount, startMoto } from '../moto/start-moto.ts';
import { Gates } from './gates.ts';
import { type Execution, workflowsContract } from './workflows.contract.ts';

const gates = new Gates<'succeeded' | 'failed'>();
/** Stands in for the function of the only state: waits at the operation's gate. */
const functions = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const { operation } = JSON.parse(Buffer.concat(chunks).toString());
    if ((await gates.pass(operation.id)) === 'succeeded') return response.end('{}');
    response.setHeader('X-Amz-Function-Error', 'Unhandled');
    return response.end(JSON.stringify({ errorType: 'AwsAccessDenied', errorMessage: 'no' }));
  });
});

const definition = {
  StartAt: 'Run',
  States: {
    Run: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: 'run', 'Payload.$': '$' },
      End: true,
    },
  },
};

let moto: Moto;
let client: SFNClient;
let workflows: StepFunctionsWorkflows;
let prepared = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => functions.listen(0, '127.0.0.1', resolve));
  // A server that listens on TCP has an address with a port.
  const { port } = functions.address() as AddressInfo;
  moto = await startMoto({ lambdaEndpoint: `http://127.0.0.1:${port}` });
  client = connectStepFunctions(moto.config);
  const { stateMachineArn = '' } = await client.send(
    new CreateStateMachineCommand({
      name: 'petra-create',
      roleArn: `arn:aws:iam::${motoAccount}:role/any`,
      definition: JSON.stringify(definition),
    }),
  );
  workflows = new StepFunctionsWorkflows(client, { create: stateMachineArn });
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
  functions.close();
  functions.closeAllConnections();
});

function prepare(): Execution {
  prepared += 1;
  const id = `create-c${prepared}-4f9d2c1a-1`;
  const operation = { id, verb: 'create', cluster: `c${prepared}`, uid: '4f9d2c1a', fence: 1 } as const;
  return { id, verb: 'create', input: { operation } };
}

workflowsContract('Step Functions (moto)', async () => ({
  workflows,
  prepare: async () => prepare(),
  end: async ({ id }, how) => gates.open(id, how),
  runs: ({ id }) => gates.arrivals(id),
}));

describe('workflows on Step Functions', () => {
  it("run under the operation's id, with ids alone for their input", async () => {
    const execution = prepare();
    await workflows.start(execution);
    const { input } = await client.send(
      new DescribeExecutionCommand({
        executionArn: `arn:aws:states:eu-central-1:${motoAccount}:execution:petra-create:${execution.id}`,
      }),
    );
    expect(JSON.parse(input ?? '')).toEqual(execution.input);
    gates.open(execution.id, 'succeeded');
  });

  it('that someone stopped have failed', async () => {
    const execution = prepare();
    await workflows.start(execution);
    await client.send(
      new StopExecutionCommand({
        executionArn: `arn:aws:states:eu-central-1:${motoAccount}:execution:petra-create:${execution.id}`,
      }),
    );
    // In moto a stopped execution goes on until its task has ended.
    gates.open(execution.id, 'succeeded');
    await expect.poll(() => workflows.state(execution), { timeout: 20_000 }).toBe('failed');
  });

  it('are left as they are when they were started with another input', async () => {
    const execution = prepare();
    await workflows.start(execution);
    const other = { operation: { ...execution.input.operation, fence: 2 } };
    await workflows.start({ ...execution, input: other });
    await expect.poll(() => gates.arrivals(execution.id), { timeout: 20_000 }).toBe(1);
    gates.open(execution.id, 'succeeded');
  });

  it('need the state machine of the stack, and say so', async () => {
    const create = `arn:aws:states:eu-central-1:${motoAccount}:stateMachine:petra-absent`;
    const nowhere = new StepFunctionsWorkflows(client, { create });
    await expect(nowhere.start(prepare())).rejects.toMatchObject({
      code: 'InternalError',
      fix: expect.stringContaining('deploy the Petra stack'),
    });
    await expect(workflows.start({ ...prepare(), verb: 'delete' })).rejects.toThrow(
      'no state machine for delete',
    );
  });

  it.each([
    ['ExecutionLimitExceeded', 'QuotaExceeded'],
    ['ThrottlingException', 'Throttled'],
    ['KmsAccessDeniedException', 'AwsAccessDenied'],
    ['AccessDeniedException', 'AwsAccessDenied'],
  ])('are refused as %s', async (name, code) => {
    const refusing = connectStepFunctions(moto.config);
    refusing.middlewareStack.add(
      () => async () => {
        throw Object.assign(new Error('refused'), { name });
      },
      { step: 'initialize' },
    );
    const refused = new StepFunctionsWorkflows(refusing, { create: 'arn:aws:states:::stateMachine:x' });
    await expect(refused.start(prepare())).rejects.toMatchObject({ code });
    await expect(refused.state(prepare())).rejects.toMatchObject({ code });
  });
});
