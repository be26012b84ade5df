// What was measured of a fleet, in a few lines.

import { quantile } from '../../bench/comparison.ts';
import type { FleetMeasures, VerbMeasures } from './fleet.ts';

/** Programs that used less of the processor than this part of all are not named. */
const leastPart = 0.02;

export function describeFleet({ size, create, noticed, delete: removed }: FleetMeasures): readonly string[] {
  return [
    `${size} created: ${timesOf(create)}`,
    `an operation ended ${spread(noticed)} after its cluster was ready`,
    ...usageOf(create),
    `${size} deleted: ${timesOf(removed)}`,
    ...usageOf(removed),
  ];
}

function timesOf({ seconds, each }: VerbMeasures): string {
  return `${seconds.toFixed(1)} s for all, ${spread(each)} for each`;
}

function spread(values: readonly number[]): string {
  const [median, p95] = [0.5, 0.95].map((part) => quantile(values, part).toFixed(1));
  return `${median} s (median), ${p95} s (p95)`;
}

function usageOf({ usage, peakBytes, steps }: VerbMeasures): readonly string[] {
  const all = [...usage.values()].reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const greatest = [...usage].filter(([, { cpuSeconds }]) => cpuSeconds >= leastPart * all);
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const parts = greatest.map(
    ([program, one]) =>
      `${program} ${one.cpuSeconds.toFixed(0)} s (${one.processes}, ${megabytes(one.peakBytes)} MB)`,
  );
  const looks = steps.map(({ name, runs, seconds }) => `${name} ${runs.toFixed(1)}x ${seconds.toFixed(1)} s`);
  return [
    `  processor ${all.toFixed(0)} s, memory ${megabytes(peakBytes)} MB: ${parts.join(', ')}`,
    `  states, runs and seconds from first to last: ${looks.join(', ')}`,
  ];
}
