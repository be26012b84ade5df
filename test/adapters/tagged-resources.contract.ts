import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machines, Networks, Secrets, TaggedResources } from '../../core/ports.ts';

/** What an adapter of tagged resources under test needs: itself, and what makes resources for it to find. */
export interface TaggedResourcesUnderTest {
  readonly tagged: TaggedResources;
  readonly machines: Pick<Machines, 'launch' | 'terminate'>;
  readonly networks: Pick<Networks, 'reserveInterface' | 'releaseInterface'>;
  readonly secrets: Pick<Secrets, 'put' | 'remove'>;
  readonly region: string;
  readonly instanceType: string;
  readonly close?: () => Promise<void>;
}

// The tagging API follows the services with a delay.
const soon = { timeout: 20_000 };

/** What is true of a search by tag on AWS through the port. */
export function taggedResourcesContract(
  technology: string,
  open: () => Promise<TaggedResourcesUnderTest>,
): void {
  describe(`tagged resources on ${technology}`, () => {
    let subject: TaggedResourcesUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    function findByUid(uid: string) {
      return subject.tagged.find(subject.region, { key: 'petra.sh/uid', value: uid });
    }

    function owner(cluster = 'contract') {
      return { cluster, uid: randomUUID(), region: subject.region, name: 'server-0' };
    }

    async function launch(of: ReturnType<typeof owner>): Promise<string> {
      const { instanceType } = subject;
      const request = { ...of, role: 'agent', instanceType, userData: '#cloud-config\n' } as const;
      return (await subject.machines.launch(request)).id;
    }

    it('include a machine until it goes away', async () => {
      const cluster = owner();
      const id = await launch(cluster);
      // Its volume may have the tag as well.
      const machine = { type: 'ec2:instance', id };
      await expect.poll(() => findByUid(cluster.uid), soon).toContainEqual(machine);
      await subject.machines.terminate(subject.region, [id]);
      await expect.poll(() => findByUid(cluster.uid), soon).not.toContainEqual(machine);
    });

    it('include a network interface until it is released', async () => {
      const cluster = owner();
      const { id } = await subject.networks.reserveInterface(cluster);
      await expect.poll(() => findByUid(cluster.uid), soon).toEqual([{ type: 'ec2:network-interface', id }]);
      await subject.networks.releaseInterface(subject.region, id);
      await expect.poll(() => findByUid(cluster.uid), soon).toEqual([]);
    });

    it('include a secret, by its name, until it is removed', async () => {
      const { cluster, uid } = owner();
      const name = `petra/${uid}/token`;
      await subject.secrets.put({ name, cluster, uid, value: 'token' });
      await expect.poll(() => findByUid(uid), soon).toEqual([{ type: 'secretsmanager:secret', id: name }]);
      await subject.secrets.remove(name);
      await expect.poll(() => findByUid(uid), soon).toEqual([]);
    });

    it("are also found by the cluster's name, whatever the uid", async () => {
      const name = `contract-${randomUUID()}`;
      const ids = [await launch(owner(name)), await launch(owner(name))].sort();
      const tag = { key: 'petra.sh/cluster', value: name };
      const machines = async () =>
        (await subject.tagged.find(subject.region, tag)).filter(({ type }) => type === 'ec2:instance');
      await expect.poll(async () => (await machines()).map(({ id }) => id).sort(), soon).toEqual(ids);
    });

    it('are none for a tag that nothing has', async () => {
      expect(await findByUid(randomUUID())).toEqual([]);
      expect(await subject.tagged.find(subject.region, { key: 'petra.sh/absent', value: 'x' })).toEqual([]);
    });
  });
}
