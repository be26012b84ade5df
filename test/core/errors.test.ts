import { expect, test } from 'vitest';
import { hasCode, PetraError } from '../../core/errors.ts';

test("an error has its code as its name, and the catalogue's next step", () => {
  const error = new PetraError('NotLocked', '"dev" is not locked');
  expect(error).toMatchObject({
    name: 'NotLocked',
    code: 'NotLocked',
    fix: 'Nothing to do.',
    retryable: false,
  });
  expect(hasCode(error, 'NotLocked', 'InternalError')).toBe(true);
  expect(hasCode(new Error('NotLocked'), 'NotLocked')).toBe(false);
});

test('the next step names the cluster where it is known', () => {
  const error = new PetraError('ClusterTimedOut', 'not in time', { cluster: 'dev' });
  expect(error.fix).toMatch(/^`petra capi describe dev` shows/);
});

test('a next step that fits the case goes before the catalogue', () => {
  const error = new PetraError('ClusterTimedOut', 'not in time', { cluster: 'dev', fix: 'Wait for NAME.' });
  expect(error.fix).toBe('Wait for NAME.');
});

test('the cause is kept', () => {
  const cause = new Error('ECONNREFUSED');
  expect(new PetraError('KubernetesUnreachable', 'no answer', { cause }).cause).toBe(cause);
});
