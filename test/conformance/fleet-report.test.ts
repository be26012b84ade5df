import { expect, it } from 'vitest';
import type { VerbMeasures } from './fleet.ts';
import { describeFleet } from './fleet-report.ts';

const verb = (seconds: number, each: readonly number[], state: string): VerbMeasures => ({
  seconds,
  each,
  steps: [{ name: state, runs: 3.5, seconds: 12 }],
  usage: new Map([
    ['moto', { cpuSeconds: 75, peakBytes: 300e6, processes: 1 }],
    ['functions', { cpuSeconds: 25, peakBytes: 900e6, processes: 12 }],
    ['ip', { cpuSeconds: 0.1, peakBytes: 0, processes: 1 }],
  ]),
  peakBytes: 1_200e6,
});

it('tells what a fleet took, and who worked', () => {
  const lines = describeFleet({
    size: 2,
    create: verb(20, [18, 19], 'CheckCluster'),
    noticed: [1, 2.5],
    delete: verb(10, [9, 9.5], 'CheckDeleted'),
  });
  expect(lines.slice(0, 4)).toEqual([
    '2 created: 20.0 s for all, 19.0 s (median), 19.0 s (p95) for each',
    'an operation ended 2.5 s (median), 2.5 s (p95) after its cluster was ready',
    '  processor 100 s, memory 1200 MB: moto 75 s (1, 300 MB), functions 25 s (12, 900 MB)',
    '  states, runs and seconds from first to last: CheckCluster 3.5x 12.0 s',
  ]);
  expect(lines[4]).toMatch(/^2 deleted: 10\.0 s for all/);
});
