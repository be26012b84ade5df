import { expect, test } from 'vitest';
import { RestartDelay } from './restart-delay.ts';

test('the first restart comes at once, later ones after delays that double up to the longest', () => {
  const delay = new RestartDelay();
  expect(Array.from({ length: 8 }, () => delay.afterRunning(1))).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

test('a program that ran long begins anew', () => {
  const delay = new RestartDelay({ firstSeconds: 1, longestSeconds: 4 });
  expect([1, 1, 1].map((seconds) => delay.afterRunning(seconds))).toEqual([0, 1, 2]);
  expect(delay.afterRunning(9)).toBe(0);
  expect(delay.afterRunning(1)).toBe(1);
});
