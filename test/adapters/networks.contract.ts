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

    it('says whether it gives servers public addresses', async () => {
      const wanted = request();
      const { id: interfaceId } = await subject.networks.reserveInterface(wanted);
      const given = await subject.networks.attachPublicAddress({ ...wanted, interfaceId });
      expect(given !== undefined).toBe(subject.networks.publicAddresses);
    });

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

    it('makes one interface of many reservations at once', async () => {
      const wanted = request();
      const reserved = await Promise.all(
        Array.from({ length: 5 }, () => subject.networks.reserveInterface(wanted)),
      );
      expect(new Set(reserved.map(({ id }) => id)).size).toBe(1);
      expect(await subject.networks.listInterfaces(wanted.region, wanted.uid)).toHaveLength(1);
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

    describe('public addresses', () => {
      async function attach(uid: string, name = 'server-0') {
        const { id: interfaceId } = await subject.networks.reserveInterface(request(uid, name));
        const attached = await subject.networks.attachPublicAddress({ ...request(uid, name), interfaceId });
        if (!attached) throw new Error(`${name} got no public address`);
        return attached;
      }

      it('are given to interfaces by name', async () => {
        const { uid } = request();
        const attached = await attach(uid);
        expect(attached.name).toBe('server-0');
        expect(attached.id).toMatch(/^eipalloc-[0-9a-f]{17}$/);
        expect(attached.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      });

      it('stay the same when they are asked for again', async () => {
        const { uid } = request();
        const first = await attach(uid);
        expect(await attach(uid)).toEqual(first);
        expect(await subject.networks.listPublicAddresses(subject.region, uid)).toEqual([first]);
      });

      it('are one for each name, and apart for each cluster', async () => {
        const [one, other] = [randomUUID(), randomUUID()];
        const ofOne = [await attach(one, 'server-0'), await attach(one, 'server-1')];
        const ofOther = await attach(other, 'server-0');
        expect(new Set([...ofOne, ofOther].map(({ address }) => address)).size).toBe(3);
        const listed = await subject.networks.listPublicAddresses(subject.region, one);
        expect([...listed].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(ofOne);
        expect(await subject.networks.listPublicAddresses(subject.region, other)).toEqual([ofOther]);
      });

      it('are given back, also when it is asked twice, and before their interface', async () => {
        const { uid } = request();
        const { id } = await attach(uid);
        await subject.networks.releasePublicAddress(subject.region, id);
        await subject.networks.releasePublicAddress(subject.region, id);
        expect(await subject.networks.listPublicAddresses(subject.region, uid)).toEqual([]);
        const [reserved] = await subject.networks.listInterfaces(subject.region, uid);
        await subject.networks.releaseInterface(subject.region, reserved?.id ?? '');
      });

      it('that never were are given back with success', async () => {
        await subject.networks.releasePublicAddress(subject.region, 'eipalloc-0123456789abcdef0');
      });

      it('are none for a uid that was not seen', async () => {
        expect(await subject.networks.listPublicAddresses(subject.region, randomUUID())).toEqual([]);
      });
    });
  });
}
