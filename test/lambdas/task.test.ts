import { describe, expect, test } from 'vitest';
import { PetraError } from '../../core/errors.ts';
import type { Ports } from '../../core/petra.ts';
import type { StepInput } from '../../core/steps/context.ts';
import { checkApi, checkServers } from '../../core/steps/init-machines.ts';
import type { StepOutput } from '../../core/steps/run-step.ts';
import { optionalEnv, requireEnv } from '../../lambdas/env.ts';
import { task, wrapTask } from '../../lambdas/task.ts';

const input: StepInput = {
  operation: { id: 'init-mgmt-00000001-2', verb: 'init', cluster: 'mgmt', uid: '00000001', fence: 2 },
  components: { 'cert-manager': 'a-sum' },
};

const context = { functionName: 'petra-init-CheckApi', awsRequestId: 'request-1' };

/** Runs a step once in its wrapping: what the state machine gets, and what was logged. */
async function invoke(run: (input: StepInput) => Promise<StepOutput>) {
  const lines: string[] = [];
  const handler = wrapTask('CheckApi', run, { write: (line) => lines.push(line) });
  const result: { readonly output?: StepOutput; readonly error?: unknown } = await handler(
    input,
    context,
  ).then(
    (output) => ({ output }),
    (error: unknown) => ({ error }),
  );
  return { ...result, text: lines.join('\n'), lines: lines.map((line) => JSON.parse(line)) };
}

describe('the log of a Task state', () => {
  test('has one line for each run, with what it was about', async () => {
    const { output, lines } = await invoke(async () => ({ ready: true, message: 'it answers' }));
    expect(output).toEqual({ ready: true, message: 'it answers' });
    expect(lines).toEqual([
      {
        level: 'INFO',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        function: 'petra-init-CheckApi',
        requestId: 'request-1',
        cold: true,
        operation: 'init-mgmt-00000001-2',
        verb: 'init',
        cluster: 'mgmt',
        uid: '00000001',
        step: 'CheckApi',
        attempt: 2,
        durationMs: expect.any(Number),
        outcome: 'succeeded',
        message: 'it answers',
      },
    ]);
  });

  test('never has the whole event', async () => {
    expect((await invoke(async () => ({}))).text).not.toContain('a-sum');
  });

  test('tells a wait from an end', async () => {
    expect((await invoke(async () => ({ ready: false }))).lines[0]).toMatchObject({ outcome: 'waiting' });
    expect((await invoke(async () => ({ gone: false }))).lines[0]).toMatchObject({ outcome: 'waiting' });
  });

  test('calls only the first run of a process cold', async () => {
    const lines: string[] = [];
    const handler = wrapTask('CheckApi', async () => ({}), { write: (line) => lines.push(line) });
    await handler(input, { ...context });
    await handler(input, { ...context });
    expect(lines.map((line) => JSON.parse(line).cold)).toEqual([true, undefined]);
  });

  test('has the trace that Lambda names', async () => {
    process.env._X_AMZN_TRACE_ID = 'Root=1-5f84c7a1-0123456789abcdef;Parent=0123;Sampled=1';
    const { lines } = await invoke(async () => ({}));
    delete process.env._X_AMZN_TRACE_ID;
    expect(lines[0].traceId).toBe('1-5f84c7a1-0123456789abcdef');
  });
});

describe('an error of a step', () => {
  const evidence = ['a line of the console'];

  test('reaches the state machine as its code and message, and nothing else', async () => {
    const { error } = await invoke(async () => {
      throw new PetraError('BootTimedOut', 'it did not answer', { evidence, cause: new Error('refused') });
    });
    expect(error).toMatchObject({ name: 'BootTimedOut', message: 'it did not answer' });
    expect(Object.keys(error as object).filter((key) => key !== 'name')).toEqual([]);
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).stack).toBe('BootTimedOut: it did not answer');
  });

  test('is logged once, with its causes and without its evidence, which the operation keeps', async () => {
    const { lines, text } = await invoke(async () => {
      throw new PetraError('AwsUnavailable', 'EC2 is away', { evidence, cause: new TypeError('refused') });
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'WARN',
      outcome: 'failed',
      code: 'AwsUnavailable',
      message: 'EC2 is away',
      causes: ['TypeError: refused'],
    });
    expect(text).not.toContain('console');
  });

  test('that nobody foresaw is InternalError, and its cause and place are in the log', async () => {
    const { error, lines } = await invoke(async () => {
      throw new TypeError('x is not a function');
    });
    expect(error).toMatchObject({ name: 'InternalError', message: expect.stringContaining('CheckApi') });
    expect(lines[0]).toMatchObject({
      level: 'ERROR',
      code: 'InternalError',
      causes: ['TypeError: x is not a function'],
      stack: expect.stringContaining('task.test.ts'),
    });
  });
});

describe('the environment', () => {
  test('that lacks a variable is an error that names it', () => {
    expect(() => requireEnv('NO_SUCH_VARIABLE')).toThrow(/NO_SUCH_VARIABLE/);
  });

  test('has no empty variables', () => {
    process.env.EMPTY_VARIABLE = '';
    expect(optionalEnv('EMPTY_VARIABLE')).toBeUndefined();
    delete process.env.EMPTY_VARIABLE;
  });
});

test('a handler that lacks a port of its step, or has one too many, does not compile', () => {
  const handlers = () => [
    // @ts-expect-error: the step asks Kubernetes.
    task('CheckApi', checkApi, { secrets: undefined as unknown as Ports['secrets'] }),
    task('CheckServers', checkServers, {
      machines: undefined as unknown as Ports['machines'],
      // @ts-expect-error: the step touches no networks.
      networks: undefined as unknown as Ports['networks'],
    }),
  ];
  // tsc is the test: these are never made.
  expect(handlers).toBeTypeOf('function');
});
