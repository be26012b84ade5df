import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeployedFunction } from './deployed-functions.ts';
import { FunctionProcesses } from './function-processes.ts';
import { LambdaHost } from './lambda-host.ts';
import { Principals } from './principals.ts';

const bundle = `
import { appendFileSync } from 'node:fs';
import { connect } from 'node:net';
export async function handler(event, context) {
  if (event.fail) throw Object.assign(new Error('slow down'), { name: 'Throttled' });
  if (event.exit) process.exit(3);
  if (event.tell) return { deadline: event.deadline };
  if (event.sleep) await new Promise((resolve) => setTimeout(resolve, event.sleep));
  if (event.connect) return new Promise((resolve) => {
    connect(event.connect, '127.0.0.1').once('error', ({ code }) => resolve(code));
  });
  appendFileSync(process.env.DONE, 'x');
  return { pid: process.pid, table: process.env.FLEET_TABLE, path: process.env.PATH, name: context.functionName };
}`;

describe('the host of functions', () => {
  let folder: string;
  let deployed: DeployedFunction;
  let host: LambdaHost;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'petra-host-'));
    await writeFile(path.join(folder, 'index.mjs'), bundle);
    await writeFile(path.join(folder, 'done'), '');
    deployed = {
      functionName: 'Petra-launch',
      arn: 'arn:aws:lambda:us-west-1:1:function:Petra-launch',
      name: 'init/launch-servers',
      roleArn: 'r',
      timeoutSeconds: 2,
      memoryMegabytes: 256,
      environment: { FLEET_TABLE: 'fleet', DONE: path.join(folder, 'done') },
      inVpc: true,
      bundle: path.join(folder, 'index.mjs'),
      handler: 'handler',
    };
    host = new LambdaHost(() => undefined);
    url = await host.start();
    const processes = new FunctionProcesses({
      principals: new Principals(),
      principalOf: ({ name, roleArn }) => ({ name, role: roleArn, statements: [], cluster: undefined }),
      openPorts: () => [],
      edge: 'http://127.0.0.1:1',
      region: 'us-west-1',
      logs: folder,
      cache: path.join(folder, 'cache'),
      authority: '',
    });
    host.deploy([deployed], processes);
  });
  afterAll(async () => {
    await host.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function invoke(event: object): Promise<{ readonly failed: boolean; readonly body: unknown }> {
    const response = await fetch(`${url}/2015-03-31/functions/Petra-launch/invocations`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    return { failed: response.headers.has('x-amz-function-error'), body: await response.json() };
  }

  it('gives a function the environment of the template and little else', async () => {
    expect(await invoke({})).toMatchObject({ failed: false, body: { table: 'fleet', name: 'Petra-launch' } });
    expect((await invoke({})).body).not.toHaveProperty('path');
  });

  it('keeps a process for the next invocation, and starts another for a concurrent one', async () => {
    const [first, second] = await Promise.all([invoke({ sleep: 300 }), invoke({ sleep: 300 })]);
    expect(second.body).not.toEqual(first.body);
    expect([first.body, second.body]).toContainEqual((await invoke({})).body);
  });

  it('lets a wait of one cluster find its deadline passed, once', async () => {
    const event = { tell: true, deadline: '2999-01-01T00:00:00.000Z', operation: { cluster: 'dev' } };
    host.end({ cluster: 'dev', function: 'init/launch-servers' });
    const other = { ...event, operation: { cluster: 'other' } };
    expect((await invoke(other)).body).toEqual({ deadline: event.deadline });
    expect((await invoke(event)).body).toEqual({ deadline: '1970-01-01T00:00:00.000Z' });
    expect((await invoke(event)).body).toEqual({ deadline: event.deadline });
  });

  it("tells a handler's error by its name", async () => {
    const body = { errorType: 'Throttled', errorMessage: 'slow down' };
    expect(await invoke({ fail: true })).toEqual({ failed: true, body });
  });

  it('tells of a process that ended, and of one that was too slow', async () => {
    expect(await invoke({ exit: true })).toMatchObject({ body: { errorType: 'Runtime.ExitError' } });
    expect(await invoke({ sleep: 10_000 })).toMatchObject({ body: { errorType: 'Sandbox.Timedout' } });
  });

  it('closes the network to all that is not in it', async () => {
    expect(await invoke({ connect: 9 })).toEqual({ failed: false, body: 'ETIMEDOUT' });
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('kills a function %s its work, once, for one cluster', async (when, worked) => {
    const done = async () => (await readFile(path.join(folder, 'done'), 'utf8')).length;
    const before = await done();
    const rule = host.kill({ cluster: 'one', function: 'init/launch-servers', when, times: 1 });
    expect(await invoke({ operation: { cluster: 'other' } })).toMatchObject({ failed: false });
    const event = { operation: { cluster: 'one' } };
    expect(await invoke(event)).toMatchObject({ body: { errorType: 'Runtime.ExitError' } });
    expect(await done()).toBe(before + 1 + worked);
    expect(await invoke(event)).toMatchObject({ failed: false });
    expect(rule.happened).toBe(1);
  });

  it('does not know other functions', async () => {
    const response = await fetch(`${url}/2015-03-31/functions/other/invocations`, { method: 'POST' });
    expect(response.status).toBe(404);
  });
});
