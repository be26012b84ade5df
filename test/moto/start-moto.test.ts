import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Moto, motoAccount, startMoto } from './start-moto.ts';

/** Stands in for functions: answers what it is asked, doubled. */
const functions = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url?.includes('absent')) return response.writeHead(404).end('{}');
    if (request.url?.includes('failing')) {
      response.setHeader('X-Amz-Function-Error', 'Unhandled');
      return response.end(JSON.stringify({ errorType: 'Throttled', errorMessage: 'slow down' }));
    }
    const { number } = JSON.parse(Buffer.concat(chunks).toString());
    return response.end(JSON.stringify({ number: number * 2 }));
  });
});

describe('moto', () => {
  let moto: Moto;
  let client: SFNClient;
  beforeAll(async () => {
    await new Promise<void>((resolve) => functions.listen(0, '127.0.0.1', resolve));
    // `listen` on a port gives an address with a port.
    const { port } = functions.address() as AddressInfo;
    moto = await startMoto({ lambdaEndpoint: `http://127.0.0.1:${port}` });
    client = new SFNClient(moto.config);
  });
  afterAll(async () => {
    client?.destroy();
    await moto?.stop();
    functions.close();
  });

  async function run(name: string, states: object): Promise<string> {
    const { stateMachineArn } = await client.send(
      new CreateStateMachineCommand({
        name,
        roleArn: `arn:aws:iam::${motoAccount}:role/any`,
        definition: JSON.stringify({ StartAt: 'Double', States: states }),
      }),
    );
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn, input: '{"number":21}' }),
    );
    for (;;) {
      const { status, output, error } = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (status !== 'RUNNING') return output ?? error ?? 'nothing';
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  function call(name: string, more: object = { End: true }): object {
    return {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: name, 'Payload.$': '$' },
      OutputPath: '$.Payload',
      ...more,
    };
  }

  it('runs state machines, whose tasks call functions over HTTP', async () => {
    const states = { Double: call('double', { Next: 'Again' }), Again: call('double') };
    expect(JSON.parse(await run('doubling', states))).toEqual({ number: 84 });
  });

  it('gives the error of a function to the state machine by its name', async () => {
    expect(await run('failing', { Double: call('failing') })).toBe('Throttled');
  });

  it('knows no function that the endpoint does not', async () => {
    expect(await run('unknown', { Double: call('absent') })).toBe('Lambda.ResourceNotFoundException');
  });
});
