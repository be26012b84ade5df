import { createServer } from 'node:http';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { listenOnLoopback, stopServer } from '../virtual-account/loopback.ts';
import { motoAccount, startMoto } from './start-moto.ts';

const region = 'eu-central-1';

/** A function that answers the third call, and lets the others wait for longer than the state waits. */
function slowFunction() {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    if (calls === 3) response.end('{"calls":3}');
  });
  return { server, calls: () => calls };
}

test('a Task that timed out is tried again, as often as its Retry says', async () => {
  const slow = slowFunction();
  const port = await listenOnLoopback(slow.server);
  const moto = await startMoto({
    region,
    lambdaEndpoint: `http://127.0.0.1:${port}`,
    environment: { STEP_FUNCTIONS_SPEED: '100' },
  });
  const client = new SFNClient(moto.config);
  try {
    const { stateMachineArn } = await client.send(
      new CreateStateMachineCommand({
        name: 'slow',
        roleArn: `arn:aws:iam::${motoAccount}:role/any`,
        definition: JSON.stringify({
          StartAt: 'Ask',
          States: {
            Ask: {
              Type: 'Task',
              Resource: 'arn:aws:states:::lambda:invoke',
              Parameters: { FunctionName: 'slow', Payload: {} },
              TimeoutSeconds: 1,
              Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 2 }],
              OutputPath: '$.Payload',
              End: true,
            },
          },
        }),
      }),
    );
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn }));
    const execution = () => client.send(new DescribeExecutionCommand({ executionArn }));
    await expect.poll(async () => (await execution()).status, { timeout: 20_000 }).not.toBe('RUNNING');
    expect(await execution()).toMatchObject({ status: 'SUCCEEDED', output: '{"calls": 3}' });
    expect(slow.calls()).toBe(3);
  } finally {
    client.destroy();
    await moto.stop();
    await stopServer(slow.server);
  }
});
