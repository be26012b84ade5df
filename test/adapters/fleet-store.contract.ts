import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterRecord } from '../../core/fleet.ts';
import type { FleetStore, Lease } from '../../core/ports.ts';
import { at, clusterRecord, freshName, outcome, outcomes } from './fleet-records.ts';

/** A store to test, and how to give up what it needs. */
export interface FleetStoreUnderTest {
  readonly store: FleetStore;
  close(): Promise<void>;
}

export function leaseOf(record: ClusterRecord): Lease {
  return { cluster: record.name, uid: record.uid, fence: record.fence };
}

export async function everyPage(
  store: FleetStore,
  query: Omit<Parameters<FleetStore['list']>[0], 'cursor'>,
): Promise<ClusterRecord[]> {
  const records: ClusterRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ ...query, ...(cursor !== undefined && { cursor }) });
    records.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return records;
}

/** What every FleetStore does with names, fields and listings; locks are in fleet-lock.contract.ts. */
export function fleetStoreContract(open: () => Promise<FleetStoreUnderTest>): void {
  describe('clusters in a fleet store', () => {
    let underTest: FleetStoreUnderTest;
    let store: FleetStore;
    beforeAll(async () => {
      underTest = await open();
      store = underTest.store;
    });
    afterAll(() => underTest.close());

    const added = async (change: Partial<ClusterRecord> = {}) => {
      const record = clusterRecord(change);
      await store.add(record);
      return record;
    };
    const tombstoned = async (record: ClusterRecord) =>
      store.release(leaseOf(record), { phase: 'Deleted', deletedAt: at(9), updatedAt: at(9) });

    it('a record comes back as it was added', async () => {
      const record = await added({ observed: { phase: '', messages: [], observedAt: at(1) } });
      expect(await store.find(record.name)).toEqual(record);
    });

    it('a name that was never added is not found', async () => {
      expect(await store.find(freshName())).toBeUndefined();
    });

    it('a name that exists is refused, with the present record', async () => {
      const record = await added();
      await expect(store.add(clusterRecord({ name: record.name }))).rejects.toMatchObject({
        code: 'NameTaken',
        details: record,
      });
      expect(await store.find(record.name)).toEqual(record);
    });

    it('of 20 who add one name at the same time, one wins', async () => {
      const name = freshName();
      const records = Array.from({ length: 20 }, () => clusterRecord({ name }));
      const results = await outcomes(records.map((record) => store.add(record)));
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
      expect(results.filter((result) => result === 'NameTaken')).toHaveLength(19);
      expect(await store.find(name)).toEqual(records[results.indexOf('done')]);
    });

    it('a name whose cluster is deleted is free again, and nothing of the old record stays', async () => {
      const first = await added({ observed: { observedAt: at(1) } });
      await tombstoned(first);
      const second = clusterRecord({ name: first.name, uid: randomUUID() });
      await store.add(second);
      expect(await store.find(first.name)).toEqual(second);
      expect(await everyPage(store, { kind: 'workload' })).toContainEqual(second);
    });

    it('of 20 who add over one tombstone at the same time, one wins', async () => {
      const old = await added();
      await tombstoned(old);
      const results = await outcomes(
        Array.from({ length: 20 }, () => store.add(clusterRecord({ name: old.name }))),
      );
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
    });

    it('a change sets fields, and null removes one', async () => {
      const record = await added({ readyAt: at(1), observed: { observedAt: at(1) } });
      const changed = await store.update(leaseOf(record), {
        phase: 'Ready',
        materialized: true,
        observed: null,
        readyAt: at(5),
        updatedAt: at(5),
      });
      const { observed, ...rest } = record;
      expect(changed).toEqual({
        ...rest,
        phase: 'Ready',
        materialized: true,
        readyAt: at(5),
        updatedAt: at(5),
      });
      expect(await store.find(record.name)).toEqual(changed);
    });

    it('a change of nothing changes nothing', async () => {
      const record = await added();
      expect(await store.update(leaseOf(record), {})).toEqual(record);
    });

    it('a cluster that nobody holds can be changed without a lease', async () => {
      const record = await added();
      await store.release(leaseOf(record), { phase: 'Ready' });
      const changed = await store.updateUnlocked(record.name, record.uid, { deletionProtection: true });
      expect(changed).toMatchObject({ phase: 'Ready', deletionProtection: true });
    });

    it('a cluster that is held cannot be changed without a lease', async () => {
      const record = await added();
      await expect(store.updateUnlocked(record.name, record.uid, { phase: 'Failed' })).rejects.toMatchObject({
        code: 'OperationInProgress',
        details: record,
      });
    });

    it('a change without a lease finds no cluster of another uid, deleted or never added', async () => {
      const record = await added();
      expect(await outcome(store.updateUnlocked(record.name, randomUUID(), {}))).toBe('ClusterNotFound');
      expect(await outcome(store.updateUnlocked(freshName(), record.uid, {}))).toBe('ClusterNotFound');
      await tombstoned(record);
      expect(await outcome(store.updateUnlocked(record.name, record.uid, {}))).toBe('ClusterNotFound');
    });

    it('a list of a management cluster has its clusters by name, page by page, each once', async () => {
      const management = freshName('management');
      const names = Array.from(
        { length: 23 },
        (_, number) => `page-${String((number * 7) % 23).padStart(2, '0')}`,
      );
      const suffix = randomUUID().slice(0, 8);
      await Promise.all(names.map((name) => added({ name: `${name}-${suffix}`, management })));
      const first = await store.list({ management, limit: 5 });
      expect(first.items).toHaveLength(5);
      const all = await everyPage(store, { management, limit: 5 });
      expect(all.map(({ name }) => name)).toEqual(names.map((name) => `${name}-${suffix}`).sort());
      expect(await everyPage(store, { management, limit: 23 })).toEqual(all);
      expect((await store.list({ management, limit: 23 })).cursor).toBeUndefined();
    });

    it('a list of a kind has that kind only, and the whole fleet both, by name', async () => {
      const management = freshName('m');
      await added({ name: management, kind: 'management' });
      const workloads = await Promise.all([added({ management }), added({ management })]);
      const ours = [management, ...workloads.map(({ name }) => name)].sort();
      const namesOf = async (query: Parameters<typeof everyPage>[1]) =>
        (await everyPage(store, query)).map(({ name }) => name).filter((name) => ours.includes(name));
      expect(await namesOf({ limit: 2 })).toEqual(ours);
      expect(await namesOf({ kind: 'management' })).toEqual([management]);
      expect(await namesOf({ kind: 'workload', limit: 3 })).toEqual(
        ours.filter((name) => name !== management),
      );
      expect(await namesOf({ management, kind: 'workload' })).toHaveLength(2);
      expect(await namesOf({ management, kind: 'management' })).toEqual([]);
    });

    it('a list shows records as they are now', async () => {
      const management = freshName('management');
      const record = await added({ management });
      await store.release(leaseOf(record), { phase: 'Ready' });
      expect((await store.list({ management })).items).toEqual([await store.find(record.name)]);
    });

    it('a tombstone is found, and in no list', async () => {
      const management = freshName('management');
      const record = await added({ management });
      await tombstoned(record);
      expect(await store.find(record.name)).toMatchObject({ phase: 'Deleted', deletedAt: at(9) });
      expect((await store.list({ management })).items).toEqual([]);
      expect((await everyPage(store, {})).map(({ name }) => name)).not.toContain(record.name);
    });

    it('a cluster made anew on another management cluster leaves the list of the first', async () => {
      const [before, after] = [freshName('management'), freshName('management')];
      const record = await added({ management: before });
      await tombstoned(record);
      await added({ name: record.name, management: after });
      expect((await store.list({ management: before })).items).toEqual([]);
      expect((await store.list({ management: after })).items).toHaveLength(1);
    });

    it('a cursor that Petra did not make is refused', async () => {
      const management = freshName('management');
      await Promise.all([added({ management }), added({ management })]);
      const { cursor = '' } = await store.list({ management, limit: 1 });
      const last = cursor.endsWith('A') ? 'B' : 'A';
      for (const wrong of [
        '',
        'x',
        `${cursor}A`,
        cursor.slice(0, -1),
        `${cursor.slice(0, -1)}${last}`,
        `${cursor}!`,
      ]) {
        expect(await outcome(store.list({ management, cursor: wrong }))).toBe('InvalidRequest');
      }
    });
  });
}
