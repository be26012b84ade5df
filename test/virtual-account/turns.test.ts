import { setImmediate as moment } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('turns', () => {
  /** Works that end when they are told to, and what they have begun. */
  const works = () => {
    const begun: string[] = [];
    const ends = new Map<string, PromiseWithResolvers<void>>();
    const work = (name: string) => async () => {
      begun.push(name);
      const end = Promise.withResolvers<void>();
      ends.set(name, end);
      await end.promise;
    };
    return { begun, ends, work };
  };

  it('lets so many work at once, and the next ones in their order', async () => {
    const { begun, ends, work } = works();
    const turns = new Turns(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => turns.take('it', work(name)));
    expect(begun).toEqual(['a', 'b']);
    ends.get('b')?.resolve();
    await moment();
    expect(begun).toEqual(['a', 'b', 'c']);
    ends.get('a')?.reject(new Error('broken'));
    await expect(all[0]).rejects.toThrow('broken');
    await moment();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps one thing from waiting for another', async () => {
    const { begun, work } = works();
    const turns = new Turns(1);
    void turns.take('it', work('a'));
    void turns.take('another', work('b'));
    expect(begun).toEqual(['a', 'b']);
  });

  it('gives a turn again when it is over', async () => {
    const turns = new Turns(1);
    for (let time = 0; time < 3; time += 1) expect(await turns.take('it', async () => time)).toBe(time);
  });
});
