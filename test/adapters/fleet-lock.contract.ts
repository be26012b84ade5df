import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterRecord } from '../../core/fleet.ts';
import type { FleetStore } from '../../core/ports.ts';
import { at, clusterRecord, freshName, lockOf, outcome, outcomes } from './fleet-records.ts';
import { type FleetStoreUnderTest, leaseOf } from './fleet-store.contract.ts';

/** What every FleetStore does with the lock of a cluster. */
export function fleetLockContract(open: () => Promise<FleetStoreUnderTest>): void {
  describe('locks in a fleet store', () => {
    let underTest: FleetStoreUnderTest;
    let store: FleetStore;
    beforeAll(async () => {
      underTest = await open();
      store = underTest.store;
    });
    afterAll(() => underTest.close());

    const held = async () => {
      const record = clusterRecord();
      await store.add(record);
      return record;
    };
    const free = async () => {
      const record = await held();
      return store.release(leaseOf(record), { phase: 'Failed' });
    };
    const acquire = (record: ClusterRecord, now = at(1), operationId = `delete-${record.name}-2`) =>
      store.acquire(
        record.name,
        { uid: record.uid, fence: record.fence, now },
        {
          phase: 'Deleting',
          operation: { id: operationId, verb: 'delete', attempt: 2, options: {} },
          spec: record.spec,
          specHash: 'hash-2',
          region: record.region,
          updatedAt: now,
          lock: lockOf(record.fence + 1, operationId, at(120)),
        },
      );

    it('a free cluster is taken, with what comes with the lock', async () => {
      const record = await free();
      const taken = await acquire(record);
      expect(taken).toEqual({
        ...record,
        phase: 'Deleting',
        operation: { id: `delete-${record.name}-2`, verb: 'delete', attempt: 2, options: {} },
        specHash: 'hash-2',
        updatedAt: at(1),
        fence: 2,
        lock: lockOf(2, `delete-${record.name}-2`, at(120)),
      });
      expect(await store.find(record.name)).toEqual(taken);
    });

    it('a held cluster is refused, with who holds it', async () => {
      const record = await held();
      await expect(acquire(record)).rejects.toMatchObject({ code: 'OperationInProgress', details: record });
      expect(await store.find(record.name)).toEqual(record);
    });

    it('a lock is stale from the instant at which it expires', async () => {
      const record = await held();
      expect(await outcome(acquire(record, at(59.999)))).toBe('OperationInProgress');
      expect((await acquire(record, at(60))).fence).toBe(2);
    });

    it('of 20 who take a free cluster at the same time, one wins, even for the same operation', async () => {
      const record = await free();
      const results = await outcomes(Array.from({ length: 20 }, () => acquire(record)));
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
      expect(results.filter((result) => result === 'OperationInProgress')).toHaveLength(19);
      expect((await store.find(record.name))?.fence).toBe(2);
    });

    it('of 20 who take over a stale lock at the same time, one wins and is the holder', async () => {
      const record = await held();
      const ids = Array.from({ length: 20 }, (_, number) => `delete-${record.name}-${number}`);
      const results = await outcomes(ids.map((id) => acquire(record, at(90), id)));
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
      expect((await store.find(record.name))?.lock?.operationId).toBe(ids[results.indexOf('done')]);
    });

    it('whoever read the record before another operation ran is refused', async () => {
      const record = await free();
      const taken = await acquire(record);
      await store.release(leaseOf(taken), { phase: 'Failed' });
      expect(await outcome(acquire(record))).toBe('OperationInProgress');
      expect((await acquire(taken)).fence).toBe(3);
    });

    it('a lock that skips a fencing number is a mistake of the caller', async () => {
      const record = await free();
      const promise = store.acquire(
        record.name,
        { uid: record.uid, fence: record.fence, now: at(1) },
        { ...record, lock: lockOf(record.fence + 2, 'x') },
      );
      expect(await outcome(promise)).toBe('InternalError');
    });

    it('a deleted cluster cannot be taken, nor one that was never added, nor its successor', async () => {
      const record = await held();
      const tombstone = await store.release(leaseOf(record), { phase: 'Deleted', deletedAt: at(2) });
      expect(await outcome(acquire(tombstone))).toBe('ClusterNotFound');
      expect(await outcome(acquire(clusterRecord()))).toBe('ClusterNotFound');
      await store.add(clusterRecord({ name: record.name, fence: tombstone.fence }));
      expect(await outcome(acquire(tombstone))).toBe('OperationInProgress');
    });

    it('renewing moves the end of the lock and nothing else', async () => {
      const record = await held();
      const renewed = await store.renew(leaseOf(record), at(300));
      expect(renewed).toEqual({ ...record, lock: lockOf(1, `create-${record.name}-1`, at(300)) });
      expect(await outcome(acquire(record, at(61)))).toBe('OperationInProgress');
    });

    it('a holder that is late may still renew while nobody took over', async () => {
      const record = await held();
      expect(await outcome(store.renew(leaseOf(record), at(1000)))).toBe('done');
    });

    it('releasing gives the lock back, once', async () => {
      const record = await held();
      const released = await store.release(leaseOf(record), { phase: 'Ready', readyAt: at(3) });
      expect(released).toMatchObject({ phase: 'Ready', readyAt: at(3), fence: 1 });
      expect(released.lock).toBeUndefined();
      expect(await outcome(store.release(leaseOf(record), { phase: 'Failed' }))).toBe('LeaseLost');
      expect(await store.find(record.name)).toEqual(released);
    });

    it('unlocking frees the cluster whoever holds it, and hands out the next fencing number', async () => {
      const record = await held();
      const unlocked = await store.forceUnlock(record.name, record.uid, at(4));
      const { lock, ...rest } = record;
      expect(unlocked).toEqual({ ...rest, fence: 2, updatedAt: at(4) });
      expect((await acquire(unlocked)).fence).toBe(3);
    });

    it('unlocking says when there is no lock, and when there is no such cluster', async () => {
      const record = await free();
      expect(await outcome(store.forceUnlock(record.name, record.uid, at(4)))).toBe('NotLocked');
      expect(await outcome(store.forceUnlock(record.name, randomUUID(), at(4)))).toBe('ClusterNotFound');
      expect(await outcome(store.forceUnlock(freshName(), record.uid, at(4)))).toBe('ClusterNotFound');
    });

    it('of 20 who unlock at the same time, one does', async () => {
      const record = await held();
      const results = await outcomes(
        Array.from({ length: 20 }, () => store.forceUnlock(record.name, record.uid, at(4))),
      );
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
      expect((await store.find(record.name))?.fence).toBe(2);
    });

    const losses: [string, (record: ClusterRecord) => Promise<unknown>][] = [
      ['another took over its stale lock', (record) => acquire(record, at(60))],
      ['someone unlocked it', (record) => store.forceUnlock(record.name, record.uid, at(4))],
      [
        'someone unlocked it and another took it',
        async (record) => acquire(await store.forceUnlock(record.name, record.uid, at(4))),
      ],
      ['it gave the lock back', (record) => store.release(leaseOf(record), { phase: 'Failed' })],
      [
        'the cluster was deleted and made anew with the same fencing number',
        async (record) => {
          await store.release(leaseOf(record), { phase: 'Deleted' });
          await store.add(clusterRecord({ name: record.name, fence: record.fence }));
        },
      ],
    ];
    it.each(losses)('a holder can write nothing after %s', async (_, lose) => {
      const record = await held();
      await lose(record);
      const before = await store.find(record.name);
      const lease = leaseOf(record);
      expect(await outcome(store.renew(lease, at(500)))).toBe('LeaseLost');
      expect(await outcome(store.update(lease, { phase: 'Ready' }))).toBe('LeaseLost');
      expect(await outcome(store.release(lease, { phase: 'Ready' }))).toBe('LeaseLost');
      expect(await store.find(record.name)).toEqual(before);
    });

    it('a lease of a cluster that was never added is lost', async () => {
      expect(await outcome(store.renew({ cluster: freshName(), uid: 'u', fence: 1 }, at(1)))).toBe(
        'LeaseLost',
      );
    });

    it('of a holder that renews and one that takes over at the same time, one wins', async () => {
      const record = await held();
      const both = await outcomes([store.renew(leaseOf(record), at(500)), acquire(record, at(60))]);
      expect([
        ['done', 'OperationInProgress'],
        ['LeaseLost', 'done'],
      ]).toContainEqual(both);
    });
  });
}
