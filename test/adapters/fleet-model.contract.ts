import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterRecord } from '../../core/fleet.ts';
import { at, clusterRecord, freshName, lockOf, outcome } from './fleet-records.ts';
import type { FleetStoreUnderTest } from './fleet-store.contract.ts';

/** All that decides whether a write goes through. */
interface Model {
  readonly uid: string;
  readonly fence: number;
  readonly expiresAt?: string;
  readonly deleted: boolean;
}

/** Which fencing number the writer shows: the present one, or one that is so much older. */
const staleness = fc.constantFrom(0, 0, 0, 1, 2);
const seconds = fc.integer({ min: 0, max: 20 });
const step = fc.oneof(
  fc.record({ call: fc.constant('acquire' as const), behind: staleness, now: seconds, until: seconds }),
  fc.record({ call: fc.constant('renew' as const), behind: staleness, until: seconds }),
  fc.record({ call: fc.constant('update' as const), behind: staleness }),
  fc.record({ call: fc.constant('release' as const), behind: staleness }),
  fc.record({ call: fc.constant('bury' as const), behind: staleness }),
  fc.record({ call: fc.constant('unlock' as const) }),
  fc.record({ call: fc.constant('touch' as const) }),
  fc.record({ call: fc.constant('add' as const), until: seconds }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a store must answer, and what must be true afterwards. */
function predict(model: Model, next: Step, uid: string): [string, Model] {
  const { expiresAt, ...unlocked } = model;
  const isHeld = expiresAt !== undefined;
  switch (next.call) {
    case 'add':
      if (!model.deleted) return ['NameTaken', model];
      return ['done', { uid, fence: 1, expiresAt: at(next.until), deleted: false }];
    case 'acquire':
      if (model.deleted) return ['ClusterNotFound', model];
      if (next.behind > 0 || (isHeld && expiresAt > at(next.now))) return ['OperationInProgress', model];
      return ['done', { ...model, fence: model.fence + 1, expiresAt: at(next.until) }];
    case 'unlock':
      return isHeld ? ['done', { ...unlocked, fence: model.fence + 1 }] : ['NotLocked', model];
    case 'touch':
      if (model.deleted) return ['ClusterNotFound', model];
      return [isHeld ? 'OperationInProgress' : 'done', model];
  }
  if (!isHeld || next.behind > 0) return ['LeaseLost', model];
  switch (next.call) {
    case 'renew':
      return ['done', { ...model, expiresAt: at(next.until) }];
    case 'update':
      return ['done', model];
    case 'release':
      return ['done', unlocked];
    case 'bury':
      return ['done', { ...unlocked, deleted: true }];
  }
}

/** Any sequence of calls on one cluster ends as a model of six lines says. */
export function fleetModelContract(open: () => Promise<FleetStoreUnderTest>): void {
  describe('any sequence of calls on a cluster', () => {
    let underTest: FleetStoreUnderTest;
    beforeAll(async () => {
      underTest = await open();
    });
    afterAll(() => underTest.close());

    function perform(record: ClusterRecord, model: Model, next: Step, uid: string): Promise<unknown> {
      const { store } = underTest;
      const { name } = record;
      const shown = model.fence - ('behind' in next ? next.behind : 0);
      const lease = { cluster: name, uid: model.uid, fence: shown };
      switch (next.call) {
        case 'add':
          return store.add({ ...record, uid, lock: lockOf(1, 'x', at(next.until)) });
        case 'acquire':
          return store.acquire(
            name,
            { uid: model.uid, fence: shown, now: at(next.now) },
            { ...record, phase: 'Creating', lock: lockOf(shown + 1, 'x', at(next.until)) },
          );
        case 'unlock':
          return store.forceUnlock(name, model.uid, at(0));
        case 'touch':
          return store.updateUnlocked(name, model.uid, { deletionProtection: true });
        case 'renew':
          return store.renew(lease, at(next.until));
        case 'update':
          return store.update(lease, { phase: 'Ready' });
        case 'release':
          return store.release(lease, { phase: 'Failed' });
        case 'bury':
          return store.release(lease, { phase: 'Deleted' });
      }
    }

    it('is answered as the model says, and leaves the record which the model says', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const { store } = underTest;
          const management = freshName('management');
          const record = clusterRecord({ management, lock: lockOf(1, 'x', at(10)) });
          await store.add(record);
          let model: Model = { uid: record.uid, fence: 1, expiresAt: at(10), deleted: false };
          for (const next of steps) {
            const uid = randomUUID();
            const [expected, after] = predict(model, next, uid);
            expect(await outcome(perform(record, model, next, uid))).toBe(expected);
            model = after;
            const found = await store.find(record.name);
            expect({
              uid: found?.uid,
              fence: found?.fence,
              ...(found?.lock && { expiresAt: found.lock.expiresAt }),
              deleted: found?.phase === 'Deleted',
            }).toEqual(model);
            if (found?.lock) expect(found.lock.fence).toBe(found.fence);
          }
          const { items } = await store.list({ management });
          expect(items.map(({ name }) => name)).toEqual(model.deleted ? [] : [record.name]);
        }),
        { numRuns: 60 },
      );
    });
  });
}
