import { afterEach, describe, expect, test } from 'vitest';
import { type Again, WorkQueue } from '../../local/controllers/work-queue.ts';
import { eventually } from './eventually.ts';

let queue: WorkQueue;
afterEach(() => queue.stop());

const soon = () => new Promise((resolve) => setTimeout(resolve, 2));

function queueOf(work: (key: string) => Promise<Again>) {
  const errors: number[] = [];
  queue = new WorkQueue({ work, onError: (_key, _error, attempt) => errors.push(attempt) });
  return errors;
}

describe('a work queue', () => {
  test('works on a key that is added many times at once only once', async () => {
    let runs = 0;
    queueOf(async () => {
      runs++;
      return undefined;
    });
    for (let i = 0; i < 5; i++) queue.add('a');
    await soon();
    expect(runs).toBe(1);
  });

  test('works once more on a key that is added while it runs, and never on one key twice at a time', async () => {
    let runs = 0;
    let running = 0;
    let most = 0;
    queueOf(async () => {
      runs++;
      most = Math.max(most, ++running);
      if (runs === 1) for (let i = 0; i < 3; i++) queue.add('a');
      await soon();
      running--;
      return undefined;
    });
    queue.add('a');
    await eventually(() => runs).toBe(2);
    await soon();
    expect([runs, most]).toEqual([2, 1]);
  });

  test('works on ten keys at a time at most', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    queueOf(async () => {
      most = Math.max(most, ++running);
      await soon();
      running--;
      done++;
      return undefined;
    });
    for (let i = 0; i < 30; i++) queue.add(`${i}`);
    await eventually(() => done).toBe(30);
    expect(most).toBe(10);
  });

  test('looks again after the wished time, once, and earlier when the key is added', async () => {
    const times: number[] = [];
    queueOf(async () => {
      times.push(Date.now());
      return times.length === 1 ? 60_000 : undefined;
    });
    queue.add('a');
    await soon();
    queue.add('a');
    await eventually(() => times.length).toBe(2);
    await soon();
    expect(times).toHaveLength(2);
  });

  test('tries failed work again with growing pauses', async () => {
    let runs = 0;
    const errors = queueOf(async () => {
      if (++runs < 4) throw new Error('not yet');
      return undefined;
    });
    const start = Date.now();
    queue.add('a');
    await eventually(() => runs).toBe(4);
    expect(errors).toEqual([1, 2, 3]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(20 + 40 + 80 - 10);
  });

  test('lets running work end when it is stopped, and starts none', async () => {
    let ended = false;
    let runs = 0;
    queueOf(async () => {
      runs++;
      await soon();
      ended = true;
      return 1;
    });
    queue.add('a');
    await Promise.resolve();
    await queue.stop();
    expect(ended).toBe(true);
    queue.add('a');
    await soon();
    expect(runs).toBe(1);
  });
});
