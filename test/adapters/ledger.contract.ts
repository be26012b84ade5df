import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerEvent } from '../../core/fleet.ts';
import type { Ledger } from '../../core/ports.ts';
import { at, freshName, outcome } from './fleet-records.ts';

export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** A second writer of the same ledger, as another process is. */
  readonly other: Ledger;
  close(): Promise<void>;
}

/** What every Ledger does. */
export function ledgerContract(open: () => Promise<LedgerUnderTest>): void {
  describe('a ledger', () => {
    let underTest: LedgerUnderTest;
    let ledger: Ledger;
    beforeAll(async () => {
      underTest = await open();
      ledger = underTest.ledger;
    });
    afterAll(() => underTest.close());

    const event = (cluster: string, change: Partial<LedgerEvent> = {}): Omit<LedgerEvent, 'seq'> => ({
      cluster,
      uid: 'uid-1',
      at: at(1),
      verb: 'create',
      outcome: 'started',
      caller: 'local:tester',
      ...change,
    });
    const everyEvent = async (cluster: string, limit: number) => {
      const events: LedgerEvent[] = [];
      let after: string | undefined;
      do {
        const page = await ledger.list(cluster, { limit, ...(after !== undefined && { after }) });
        events.push(...page.items);
        after = page.cursor;
      } while (after !== undefined);
      return events;
    };

    it('an event comes back as it was written, with its place', async () => {
      const cluster = freshName();
      const written = event(cluster, {
        operationId: 'create-dev-1',
        step: 'InstanceReady?',
        outcome: 'failed',
        code: 'BootTimedOut',
        message: 'no answer',
        durationMs: 0,
      });
      await ledger.append(written);
      const { items, cursor } = await ledger.list(cluster, {});
      expect(items).toEqual([{ ...written, seq: expect.any(String) }]);
      expect(cursor).toBeUndefined();
    });

    it('a cluster without events has an empty page', async () => {
      expect(await ledger.list(freshName(), {})).toEqual({ items: [] });
    });

    it('events are in the order of time, those of one instant in the order of writing', async () => {
      const cluster = freshName();
      for (const step of ['c', 'd', 'b', 'e']) await ledger.append(event(cluster, { step, at: at(5) }));
      await ledger.append(event(cluster, { step: 'f', at: at(10) }));
      await ledger.append(event(cluster, { step: 'a', at: at(4) }));
      const { items } = await ledger.list(cluster, {});
      expect(items.map(({ step }) => step)).toEqual(['a', 'c', 'd', 'b', 'e', 'f']);
    });

    it('100 events of one instant from two writers are all kept, and stay in one order', async () => {
      const cluster = freshName();
      const writers = [ledger, underTest.other];
      await Promise.all(
        Array.from({ length: 100 }, (_, number) =>
          writers[number % 2]?.append(event(cluster, { message: String(number) })),
        ),
      );
      const whole = await everyEvent(cluster, 100);
      expect(new Set(whole.map(({ message }) => message)).size).toBe(100);
      expect(await everyEvent(cluster, 7)).toEqual(whole);
      for (const parity of [0, 1]) {
        const own = whole.map(({ message }) => Number(message)).filter((number) => number % 2 === parity);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
      }
    });

    it('a reader that follows goes on after the last event it saw', async () => {
      const cluster = freshName();
      await ledger.append(event(cluster, { message: 'first' }));
      const [first] = (await ledger.list(cluster, {})).items;
      const after = `${first?.at}#${first?.seq}`;
      expect((await ledger.list(cluster, { after })).items).toEqual([]);
      await ledger.append(event(cluster, { message: 'second' }));
      await underTest.other.append(event(cluster, { message: 'third', at: at(2) }));
      const { items } = await ledger.list(cluster, { after });
      expect(items.map(({ message }) => message)).toEqual(['second', 'third']);
    });

    it('a time alone asks for everything from that time on', async () => {
      const cluster = freshName();
      for (const second of [1, 2, 3]) await ledger.append(event(cluster, { at: at(second) }));
      const { items } = await ledger.list(cluster, { after: at(2) });
      expect(items.map((found) => found.at)).toEqual([at(2), at(3)]);
    });

    it('a last page that is full has no cursor', async () => {
      const cluster = freshName();
      for (const second of [1, 2, 3, 4]) await ledger.append(event(cluster, { at: at(second) }));
      const { cursor } = await ledger.list(cluster, { limit: 2 });
      expect((await ledger.list(cluster, { limit: 2, after: cursor ?? '' })).cursor).toBeUndefined();
    });

    it('one cluster does not see the events of another, whose name begins alike', async () => {
      const cluster = freshName();
      await ledger.append(event(`${cluster}2`));
      expect((await ledger.list(cluster, {})).items).toEqual([]);
    });

    it('a place that no event can have is refused', async () => {
      for (const after of ['', 'yesterday', '2026-01-31', `${at(1)}#x y`, `x${at(1)}`]) {
        expect(await outcome(ledger.list('dev', { after }))).toBe('InvalidRequest');
      }
    });

    it('a message of any length is kept, cut', async () => {
      const cluster = freshName();
      await ledger.append(event(cluster, { message: 'é'.repeat(500_000) }));
      expect((await ledger.list(cluster, {})).items[0]?.message).toMatch(/^é+…$/);
    });
  });
}
