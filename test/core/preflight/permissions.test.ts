import { expect, test } from 'vitest';
import { capaReads, capaWrites } from '../../../cdk/capa-actions.ts';
import { capaActions } from '../../../core/preflight/permissions.ts';

test.each(['own', 'existing'] as const)(
  'what is asked for with %s network, the stack grants to CAPA',
  (network) => {
    const granted: readonly string[] = [...capaReads, ...capaWrites];
    expect(capaActions(network).filter((action) => !granted.includes(action))).toEqual([]);
  },
);

test('no action is asked for twice', () => {
  const actions = capaActions('own');
  expect(new Set(actions).size).toBe(actions.length);
});
