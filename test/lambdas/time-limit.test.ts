import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { preflightLimits, within } from '../../lambdas/ports/time-limit.ts';

/** A port with a member of its own, and a private one, as adapters have. */
class Slow {
  readonly kind = 'slow';
  readonly #answer = 42;

  get isPublic(): boolean {
    return this.#answer > 0;
  }

  name(): string {
    return `slow ${this.#answer}`;
  }

  async look(milliseconds: number): Promise<number> {
    await sleep(milliseconds, undefined, { ref: false });
    return this.#answer;
  }

  async fail(): Promise<never> {
    throw new RangeError('no');
  }
}

test('an answer in time is the answer', async () => {
  const port = within(new Slow(), 5_000);
  expect(await port.look(1)).toBe(42);
  await expect(port.fail()).rejects.toThrow(RangeError);
});

test('a call that takes longer is given up, by a named error', async () => {
  await expect(within(new Slow(), 5).look(60_000)).rejects.toMatchObject({
    code: 'AwsUnavailable',
    message: 'no answer within 0.005 s',
  });
  await expect(within(new Slow(), 5, 'ReleaseUnreachable').look(60_000)).rejects.toMatchObject({
    code: 'ReleaseUnreachable',
  });
});

test('what is no call is as it was', () => {
  const port = within(new Slow(), 5);
  expect([port.kind, port.isPublic, port.name()]).toEqual(['slow', true, 'slow 42']);
});

test('the longest way through a preflight takes less than 20 s', () => {
  expect(2 * preflightLimits.aws).toBeLessThan(20_000);
  expect(preflightLimits.releases).toBeLessThan(20_000);
});
