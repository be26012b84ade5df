// The pure parts of what commands print.

import { describe, expect, it } from 'vitest';
import { formatAge, formatDuration, parseDuration, remainingTime } from '../../cli/durations.ts';
import { harmless } from '../../cli/output.ts';
import { progressLines } from '../../cli/progress-view.ts';
import { formatTable, plainText, truncate } from '../../cli/table.ts';
import { stubOperation } from './stub-api.ts';

describe('durations', () => {
  it.for([
    ['90s', 90],
    ['20m', 1200],
    ['1h30m', 5400],
    ['2d', 172_800],
  ] as const)('%s is %d seconds', ([text, seconds]) => {
    expect(parseDuration(text, '--timeout')).toBe(seconds);
  });

  it.for(['', '5', 'm', '5 m', '1.5h', '-5m', '0s', '5m later', '5x'])(
    '"%s" is none, and the message says what is',
    (text) => {
      expect(() => parseDuration(text, '--timeout')).toThrow(
        expect.objectContaining({ code: 'InvalidUsage', fix: expect.stringContaining('1h30m') }),
      );
    },
  );

  it('are shown with two units', () => {
    expect([0, 59, 60, 3599, 3600, 90_061].map(formatDuration)).toEqual([
      '0s',
      '59s',
      '1m00s',
      '59m59s',
      '1h00m',
      '1d01h',
    ]);
  });

  it('of ages are shown with one unit, and never below zero', () => {
    const now = new Date('2026-11-20T10:00:00Z');
    expect(
      ['2026-11-20T10:00:05Z', '2026-11-20T09:59:00Z', '2026-11-20T08:30:00Z', '2026-11-10T10:00:00Z'].map(
        (since) => formatAge(since, now),
      ),
    ).toEqual(['0s', '60s', '90m', '10d']);
  });

  it('of what is left are told in words', () => {
    expect([0, 250, 275, 297, 310, 500].map((elapsed) => remainingTime(300, elapsed))).toEqual([
      'about 5m left',
      'about 50s left',
      'about 30s left',
      'almost done',
      'almost done',
      'longer than usual',
    ]);
    expect(remainingTime(undefined, 10)).toBe('');
  });
});

describe('text from elsewhere', () => {
  it.for([
    ['\u001b]0;title\u0007x', ']0;titlex'],
    ['\u001b[2J\u001b[31mred\u001b[0m', '[2J\u001b[31mred\u001b[0m'],
    ['\u009b2Jx', '2Jx'],
    ['100 %\rerror', '100 %error'],
    ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
    ['│ └─ ✔ ü', '│ └─ ✔ ü'],
  ])('%j is shown as %j', ([text = '', shown]) => {
    expect(harmless(text)).toBe(shown);
  });

  it('cannot move the cursor, colour the terminal or set its title', () => {
    expect(plainText('\u001b[2J\u001b[31mred\u001b[0m\u001b]0;title\u0007\r\nnext\u009b1A')).toBe('red next');
    expect(formatTable([{ title: 'A', value: (row: string) => row }], ['x\u001b[1Ay\nz'])).toBe('A\nxy z');
  });

  it('is cut with an ellipsis', () => {
    expect([truncate('abcdef', 6), truncate('abcdefg', 6), truncate('abc', 0)]).toEqual([
      'abcdef',
      'abcde…',
      '',
    ]);
  });
});

describe('the picture of an operation', () => {
  const channel = { isTTY: true, colour: false, paint: (_: string, text: string) => text };
  const draw = (done: number, size: { columns: number; rows: number }) =>
    progressLines(stubOperation({}, done), { channel, ...size, frame: 0, elapsedSeconds: 75 });

  it('opens the phase that runs and keeps the others to a line each', () => {
    expect(draw(2, { columns: 80, rows: 24 })).toEqual([
      'create workload-dev  1m15s',
      '✔ preflight  10s',
      '⠋ machines',
      '    ✔ launch the control plane',
      '    ⠋ wait for the nodes  1 of 3 nodes are ready',
      '· record',
    ]);
  });

  it('leaves out what was passed over, and polls nobody finished', () => {
    const running = stubOperation({}, 4);
    const lines = progressLines(
      {
        ...running,
        steps: running.steps.flatMap((step): typeof running.steps => {
          if (step.name === 'LaunchControlPlane') return [];
          return step.name === 'WaitForNodes' ? [{ ...step, status: 'Running' }] : [step];
        }),
      },
      { channel, columns: 80, rows: 24, frame: 0, elapsedSeconds: 40 },
    );
    expect(lines).toEqual([
      'create workload-dev  40s',
      '✔ preflight  10s',
      '✔ machines  10s',
      '✔ record  10s',
    ]);
  });

  it('never is wider than the terminal, nor higher', () => {
    for (const columns of [20, 30, 50]) {
      for (const line of draw(2, { columns, rows: 24 }))
        expect([...line].length).toBeLessThanOrEqual(columns);
    }
    for (const rows of [3, 4, 5, 6]) expect(draw(2, { columns: 80, rows }).length).toBeLessThan(rows);
    expect(draw(2, { columns: 80, rows: 4 }).join('\n')).toContain('wait for the nodes');
  });
});
