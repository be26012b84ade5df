import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResourceLedger } from '../../core/ports.ts';
import { at, freshName } from './fleet-records.ts';

export interface ResourceLedgerUnderTest {
  readonly resources: ResourceLedger;
  close(): Promise<void>;
}

type Resource = Parameters<ResourceLedger['intend']>[0];

/** What every ResourceLedger does. */
export function resourceLedgerContract(open: () => Promise<ResourceLedgerUnderTest>): void {
  describe('a resource ledger', () => {
    let underTest: ResourceLedgerUnderTest;
    let resources: ResourceLedger;
    beforeAll(async () => {
      underTest = await open();
      resources = underTest.resources;
    });
    afterAll(() => underTest.close());

    const instance = (change: Partial<Resource> = {}): Resource => ({
      cluster: freshName(),
      uid: randomUUID(),
      type: 'instance',
      key: 'server-0',
      at: at(1),
      ...change,
    });
    const listed = (resource: Resource) => resources.list(resource.cluster, resource.uid);

    it('a resource is known from the intent on, and has an id when it is made', async () => {
      const resource = instance();
      await resources.intend(resource);
      expect(await listed(resource)).toEqual([{ ...resource, state: 'intended' }]);
      await resources.made({ ...resource, id: 'i-1', at: at(2) });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'made', id: 'i-1', at: at(2) }]);
    });

    it('a removed resource stays listed with its id, and the time of its first removal', async () => {
      const resource = instance();
      await resources.made({ ...resource, id: 'i-1' });
      await resources.removed({ ...resource, at: at(5) });
      await resources.removed({ ...resource, at: at(6) });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'removed', id: 'i-1', at: at(5) }]);
    });

    it('a step that runs again does not forget what its first run made', async () => {
      const resource = instance();
      await resources.made({ ...resource, id: 'i-1' });
      await resources.intend({ ...resource, at: at(3) });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'made', id: 'i-1' }]);
    });

    it('a resource that was removed can be intended and made again', async () => {
      const resource = instance();
      await resources.made({ ...resource, id: 'i-1' });
      await resources.removed(resource);
      await resources.intend({ ...resource, at: at(7) });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'intended', at: at(7) }]);
      await resources.made({ ...resource, id: 'i-2', at: at(8) });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'made', id: 'i-2', at: at(8) }]);
    });

    it('a replacement takes the place of what was lost', async () => {
      const resource = instance();
      await resources.made({ ...resource, id: 'i-1' });
      await resources.made({ ...resource, id: 'i-2' });
      expect(await listed(resource)).toEqual([{ ...resource, state: 'made', id: 'i-2' }]);
    });

    it('the removal of something never recorded is recorded', async () => {
      const resource = instance({ type: 'secret', key: `petra/${randomUUID()}/kubeconfig` });
      await resources.removed(resource);
      expect(await listed(resource)).toEqual([{ ...resource, state: 'removed' }]);
    });

    it('types and keys are apart from each other, and lives of a name too', async () => {
      const first = instance();
      const others = [
        instance({ ...first, key: 'server-1' }),
        instance({ ...first, type: 'network-interface' }),
        instance({ ...first, type: 'secret', key: 'a#b' }),
      ];
      for (const resource of [first, ...others]) await resources.intend(resource);
      const later = instance({ cluster: first.cluster });
      await resources.intend(later);
      expect(await listed(first)).toHaveLength(4);
      expect(await listed(later)).toEqual([{ ...later, state: 'intended' }]);
      expect(await resources.list(first.cluster, first.uid.slice(0, 8))).toEqual([]);
    });

    it('everything is listed, however much there is', async () => {
      const first = instance();
      const keys = Array.from({ length: 250 }, (_, number) => `agent-${String(number).padStart(3, '0')}`);
      await Promise.all(keys.map((key) => resources.intend({ ...first, key })));
      expect((await listed(first)).map(({ key }) => key)).toEqual(keys);
    });

    it('nothing but the fields of a resource is stored', async () => {
      const resource = instance();
      const more = { ...resource, id: 'i-1', userData: 'secret' };
      await resources.intend(more);
      await resources.made(more);
      expect(await listed(resource)).toEqual([{ ...resource, state: 'made', id: 'i-1' }]);
    });
  });
}
