import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machines, Networks } from '../../core/ports.ts';

/** What a networks adapter under test needs. */
export interface NetworksUnderTest {
  readonly networks: Networks;
  readonly machines: Machines;
  readonly region: string;
  /** A type that every zone of the region offers. */
  readonly instanceType: string;
  readonly close?: () => Promise<void>;
  /** An emulator that lets go of interfaces which a machine uses. */
  readonly releasesInterfacesInUse?: true;
}

/** What is true of EC2's network interfaces through the port. */
export function networksContract(technology: string, open: () => Promise<NetworksUnderTest>): void {
  describe(`networks on ${technology}`, () => {
    let subject: NetworksUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    function request(uid: string = randomUUID(), name = 'server-0') {
      return { cluster: 'contract', uid, region: subject.region, name };
    }

    it('reserves an interface with a private address', async () => {
      const reserved = await subject.networks.reserveInterface(request());
      expect(reserved.name).toBe('server-0');
      expect(reserved.id).toMatch(/^eni-[0-9a-f]{17}$/);
      expect(reserved.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    });

    it('answers a repeated reservation with the same interface and address', async () => {
      const wanted = request();
      const first = await subject.networks.reserveInterface(wanted);
      expect(await subject.networks.reserveInterface(wanted)).toEqual(first);
      expect(await subject.networks.listInterfaces(wanted.region, wanted.uid)).toEqual([first]);
    });

    it('gives each name its own interface and address', async () => {
      const { uid } = request();
      const reserved = await Promise.all(
        ['server-0', 'server-1', 'server-2'].map((name) =>
          subject.networks.reserveInterface(request(uid, name)),
        ),
      );
      expect(new Set(reserved.map(({ id }) => id)).size).toBe(3);
      expect(new Set(reserved.map(({ address }) => address)).size).toBe(3);
      const listed = await subject.networks.listInterfaces(subject.region, uid);
      expect(listed.map(({ name }) => name).sort()).toEqual(['server-0', 'server-1', 'server-2']);
    });

    it('keeps clusters of one name and different uids apart', async () => {
      const [one, other] = [request(), request()];
      const first = await subject.networks.reserveInterface(one);
      const second = await subject.networks.reserveInterface(other);
      expect(second.id).not.toBe(first.id);
      expect(second.address).not.toBe(first.address);

      await subject.networks.releaseInterface(one.region, first.id);
      expect(await subject.networks.listInterfaces(one.region, one.uid)).toEqual([]);
      expect(await subject.networks.listInterfaces(other.region, other.uid)).toEqual([second]);
    });

    it('releases an interface, also when it is asked twice', async () => {
      const { id } = await subject.networks.reserveInterface(request());
      await subject.networks.releaseInterface(subject.region, id);
      await subject.networks.releaseInterface(subject.region, id);
    });

    it('treats the release of an interface that never was as success', async () => {
      await subject.networks.releaseInterface(subject.region, 'eni-0123456789abcdef0');
    });

    it('lists nothing for a uid it has not seen', async () => {
      expect(await subject.networks.listInterfaces(subject.region, randomUUID())).toEqual([]);
    });

    async function launchOn(interfaceId: string, uid: string) {
      return subject.machines.launch({
        ...request(uid),
        role: 'server',
        instanceType: subject.instanceType,
        interfaceId,
        userData: '#cloud-config\n',
      });
    }

    async function end(uid: string, id: string): Promise<void> {
      await subject.machines.terminate(subject.region, [id]);
      await expect.poll(() => subject.machines.list(subject.region, uid), { timeout: 20_000 }).toEqual([]);
    }

    it('gives a machine the address of its interface', async () => {
      const { uid } = request();
      const reserved = await subject.networks.reserveInterface(request(uid));
      expect((await launchOn(reserved.id, uid)).address).toBe(reserved.address);
    });

    it('keeps interface and address when its machine ends, for the one that takes its place', async () => {
      const { uid } = request();
      const reserved = await subject.networks.reserveInterface(request(uid));
      const first = await launchOn(reserved.id, uid);
      await end(uid, first.id);
      expect(await subject.networks.reserveInterface(request(uid))).toEqual(reserved);
      const second = await launchOn(reserved.id, uid);
      expect(second.id).not.toBe(first.id);
      expect(second.address).toBe(reserved.address);
    });

    it('does not release an interface while a machine uses it, and does afterwards', async ({ skip }) => {
      skip(subject.releasesInterfacesInUse === true, 'the emulator does not check it');
      const { uid } = request();
      const { id } = await subject.networks.reserveInterface(request(uid));
      const machine = await launchOn(id, uid);
      await expect(subject.networks.releaseInterface(subject.region, id)).rejects.toMatchObject({
        code: 'AwsUnavailable',
        retryable: true,
      });
      await end(uid, machine.id);
      await subject.networks.releaseInterface(subject.region, id);
      expect(await subject.networks.listInterfaces(subject.region, uid)).toEqual([]);
    });
  });
}
