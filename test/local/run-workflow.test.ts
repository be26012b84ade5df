import { describe, expect, test } from 'vitest';
import { PetraError } from '../../core/errors.ts';
import { Pace } from '../../local/pace.ts';
import { runWorkflow, type TaskHandler } from '../../local/run-workflow.ts';

const task = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: `\${${name}}`, Payload: { 'operation.$': '$.operation' } },
  TimeoutSeconds: 5,
  ...more,
});

const machine = (states: object, start: string) => ({ StartAt: start, States: states });

async function run(
  definition: object,
  handler: TaskHandler,
  signal = new AbortController().signal,
): Promise<void> {
  await runWorkflow(
    definition,
    { operation: { id: 'create-dev-1' } },
    { task: handler, pace: new Pace(1000), signal },
  );
}

describe('runWorkflow', () => {
  test('hands each task its payload, and the selected result to the next', async () => {
    const seen: unknown[] = [];
    const definition = machine(
      {
        First: task('First', {
          ResultSelector: { 'deadline.$': '$.Payload.deadline' },
          ResultPath: '$.first',
          Next: 'Second',
        }),
        Second: task('Second', {
          Parameters: {
            FunctionName: `\${Second}`,
            Payload: { 'operation.$': '$.operation', 'deadline.$': '$.first.deadline' },
          },
          End: true,
        }),
      },
      'First',
    );
    await run(definition, async (state, payload) => {
      seen.push([state, payload]);
      return { deadline: 'soon', secret: 'not selected' };
    });
    expect(seen).toEqual([
      ['First', { operation: { id: 'create-dev-1' } }],
      ['Second', { operation: { id: 'create-dev-1' }, deadline: 'soon' }],
    ]);
  });

  test('retries an error by the name of its code, and gives others to the catch at once', async () => {
    const states = {
      Work: task('Work', {
        Retry: [{ ErrorEquals: ['Throttled'], IntervalSeconds: 2, MaxAttempts: 3, JitterStrategy: 'FULL' }],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Record' }],
        End: true,
      }),
      Record: task('Record', {
        Parameters: { FunctionName: `\${Record}`, Payload: { 'error.$': '$.error' } },
        End: true,
      }),
    };
    const errors = [new PetraError('Throttled', 'slow down'), new PetraError('QuotaExceeded', 'no more')];
    const recorded: unknown[] = [];
    let runs = 0;
    await run(machine(states, 'Work'), async (state, payload) => {
      if (state === 'Record') {
        recorded.push(payload);
        return;
      }
      runs += 1;
      throw errors[runs - 1];
    });
    expect(runs).toBe(2);
    expect(recorded).toEqual([{ error: { Error: 'QuotaExceeded', Cause: 'no more' } }]);
  });

  test('rejects when the machine fails', async () => {
    const states = {
      Work: task('Work', {
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Failed' }],
        End: true,
      }),
      Failed: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
    };
    const failing = run(machine(states, 'Work'), async () => {
      throw new PetraError('BootTimedOut', 'it never came');
    });
    await expect(failing).rejects.toThrow(/it never came/);
  });

  test('names a task that takes too long', async () => {
    const recorded: unknown[] = [];
    const states = {
      Work: task('Work', {
        TimeoutSeconds: 1,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Record' }],
        End: true,
      }),
      Record: task('Record', {
        Parameters: { FunctionName: `\${Record}`, Payload: { 'error.$': '$.error' } },
        End: true,
      }),
    };
    await run(machine(states, 'Work'), async (state, payload) => {
      if (state === 'Record') recorded.push(payload);
      else await new Promise(() => {});
    });
    expect(recorded).toMatchObject([{ error: { Error: 'States.Timeout' } }]);
  });

  test('waits at the pace of the simulation', async () => {
    const begun = Date.now();
    await run(machine({ Pause: { Type: 'Wait', Seconds: 60, End: true } }, 'Pause'), async () => ({}));
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  test('ends a loop that has no end', async () => {
    const states = {
      Check: task('Check', { ResultPath: null, Next: 'Again' }),
      Again: { Type: 'Pass', Next: 'Check' },
    };
    await expect(run(machine(states, 'Check'), async () => ({}))).rejects.toThrow(/does not come to an end/);
  }, 60_000);

  test('stops at the next state when it is aborted', async () => {
    const stop = new AbortController();
    let after = false;
    const states = {
      First: task('First', { ResultPath: null, Next: 'Second' }),
      Second: task('Second', { End: true }),
    };
    const running = run(
      machine(states, 'First'),
      async (state) => {
        if (state === 'Second') after = true;
        stop.abort();
      },
      stop.signal,
    );
    await expect(running).rejects.toThrow();
    expect(after).toBe(false);
  });
});
