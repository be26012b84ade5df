import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineRequest, Machines } from '../../core/ports.ts';

/** What a machines adapter under test needs. */
export interface MachinesUnderTest {
  readonly machines: Machines;
  readonly region: string;
  /** A type the region offers. */
  readonly instanceType: string;
  /** Leaves a word of its boot in a machine's name, as the machine itself does. */
  readonly sayProgress: (machineId: string, word: string) => Promise<void>;
  readonly close?: () => Promise<void>;
}

/** What is true of EC2's instances through the port. */
export function machinesContract(technology: string, open: () => Promise<MachinesUnderTest>): void {
  describe(`machines on ${technology}`, () => {
    let subject: MachinesUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => subject.close?.());

    function request(change: Partial<MachineRequest> = {}): MachineRequest {
      return {
        cluster: 'contract',
        uid: randomUUID(),
        region: subject.region,
        name: 'server-0',
        role: 'server',
        instanceType: subject.instanceType,
        userData: '#cloud-config\n',
        ...change,
      };
    }

    async function eventuallyGone(uid: string): Promise<void> {
      await expect.poll(() => subject.machines.list(subject.region, uid), { timeout: 20_000 }).toEqual([]);
    }

    it('launches a machine that is on its way or running, with an address', async () => {
      const machine = await subject.machines.launch(request({ name: 'agent-1', role: 'agent' }));
      expect(machine).toMatchObject({ name: 'agent-1', role: 'agent' });
      expect(machine.id).toMatch(/^i-[0-9a-f]{17}$/);
      expect(['pending', 'running']).toContain(machine.state);
      expect(machine.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    });

    it('gets a launched machine to run', async () => {
      const wanted = request();
      const { id } = await subject.machines.launch(wanted);
      await expect
        .poll(
          async () => (await subject.machines.list(wanted.region, wanted.uid)).map(({ state }) => state),
          {
            timeout: 20_000,
          },
        )
        .toEqual(['running']);
      const [machine] = await subject.machines.list(wanted.region, wanted.uid);
      expect(machine).toMatchObject({ id, name: 'server-0', role: 'server' });
    });

    it('answers a repeated launch with the machine that is there', async () => {
      const wanted = request();
      const first = await subject.machines.launch(wanted);
      const second = await subject.machines.launch(wanted);
      expect(second).toMatchObject({ id: first.id, address: first.address });
      expect(await subject.machines.list(wanted.region, wanted.uid)).toHaveLength(1);
    });

    it('makes one machine of many launches at once', async () => {
      const wanted = request();
      const launched = await Promise.all(Array.from({ length: 10 }, () => subject.machines.launch(wanted)));
      expect(new Set(launched.map(({ id }) => id)).size).toBe(1);
      expect(await subject.machines.list(wanted.region, wanted.uid)).toHaveLength(1);
    });

    it('makes one machine for each name', async () => {
      const { uid } = request();
      await subject.machines.launch(request({ uid, name: 'server-0' }));
      await subject.machines.launch(request({ uid, name: 'agent-0', role: 'agent' }));
      const machines = await subject.machines.list(subject.region, uid);
      expect(machines.map(({ name, role }) => `${name} ${role}`).sort()).toEqual([
        'agent-0 agent',
        'server-0 server',
      ]);
    });

    it('keeps clusters of one name and different uids apart', async () => {
      const [one, other] = [request(), request()];
      const first = await subject.machines.launch(one);
      const second = await subject.machines.launch(other);
      expect(second.id).not.toBe(first.id);

      await subject.machines.terminate(one.region, [first.id]);
      await eventuallyGone(one.uid);
      expect((await subject.machines.list(other.region, other.uid)).map(({ id }) => id)).toEqual([second.id]);
    });

    it('ends machines, also when it is asked twice', async () => {
      const wanted = request();
      const { id } = await subject.machines.launch(wanted);
      await subject.machines.terminate(wanted.region, [id]);
      await subject.machines.terminate(wanted.region, [id]);
      await eventuallyGone(wanted.uid);
      await subject.machines.terminate(wanted.region, [id]);
    });

    it('treats the end of machines that never were, and of none, as success', async () => {
      await subject.machines.terminate(subject.region, ['i-0123456789abcdef0']);
      await subject.machines.terminate(subject.region, []);
    });

    it('ends a machine that is there beside one that is not', async () => {
      const wanted = request();
      const { id } = await subject.machines.launch(wanted);
      await subject.machines.terminate(wanted.region, ['i-0123456789abcdef0', id]);
      await eventuallyGone(wanted.uid);
    });

    it('launches the name of a terminated machine anew', async () => {
      const wanted = request();
      const first = await subject.machines.launch(wanted);
      await subject.machines.terminate(wanted.region, [first.id]);
      await eventuallyGone(wanted.uid);
      const second = await subject.machines.launch(wanted);
      expect(second.id).not.toBe(first.id);
      expect((await subject.machines.list(wanted.region, wanted.uid)).map(({ id }) => id)).toEqual([
        second.id,
      ]);
    });

    it('lists nothing for a uid it has not seen', async () => {
      expect(await subject.machines.list(subject.region, randomUUID())).toEqual([]);
    });

    it('takes user data that is only large before compression', async () => {
      const machine = await subject.machines.launch(
        request({ userData: `#cloud-config\n${'# padding\n'.repeat(10_000)}` }),
      );
      expect(machine.id).toMatch(/^i-/);
    });

    it('refuses user data of more than 16,384 bytes after compression, and launches nothing', async () => {
      const wanted = request({ userData: `#cloud-config\n# ${randomBytes(20_000).toString('base64')}\n` });
      await expect(subject.machines.launch(wanted)).rejects.toMatchObject({ code: 'UserDataTooLarge' });
      expect(await subject.machines.list(wanted.region, wanted.uid)).toEqual([]);
    });

    it('says in which zones an instance type is offered, and in none for one that does not exist', async () => {
      const offerings = await subject.machines.offerings(subject.region, [subject.instanceType, 'm0.absent']);
      expect([...offerings.keys()].sort()).toEqual(['m0.absent', subject.instanceType].sort());
      const zones = offerings.get(subject.instanceType) ?? [];
      expect(zones.length).toBeGreaterThan(0);
      for (const zone of zones) expect(zone.startsWith(subject.region)).toBe(true);
      expect(offerings.get('m0.absent')).toEqual([]);
    });

    it('answers for no instance types with an empty map', async () => {
      expect((await subject.machines.offerings(subject.region, [])).size).toBe(0);
    });

    it('says what an instance type is, and nothing of one that does not exist', async () => {
      const types = await subject.machines.types(subject.region, [subject.instanceType, 'm0.absent']);
      expect([...types]).toEqual([[subject.instanceType, { vcpus: 2, architecture: 'amd64' }]]);
      expect((await subject.machines.types(subject.region, [])).size).toBe(0);
    });

    it('names the availability zones of the region, and no others in offerings', async () => {
      const zones = await subject.machines.zones(subject.region);
      expect(zones.length).toBeGreaterThan(1);
      for (const zone of zones) expect(zone).toMatch(new RegExp(`^${subject.region}[a-z]$`));
      const offerings = await subject.machines.offerings(subject.region, [subject.instanceType]);
      expect(zones).toEqual(expect.arrayContaining([...(offerings.get(subject.instanceType) ?? [])]));
    });

    it('has an image for each architecture, and not the same', async () => {
      const images = [
        await subject.machines.image(subject.region, 'amd64'),
        await subject.machines.image(subject.region, 'arm64'),
      ];
      for (const id of images) expect(id).toMatch(/^ami-[0-9a-f]+$/);
      expect(images[0]).not.toBe(images[1]);
    });

    it('repeats the last word of a boot', async () => {
      const wanted = request();
      const { id } = await subject.machines.launch(wanted);
      await subject.sayProgress(id, 'has the join token');
      await subject.sayProgress(id, 'has k3s');
      await expect
        .poll(() => subject.machines.list(wanted.region, wanted.uid), { timeout: 20_000 })
        .toMatchObject([{ id, progress: 'has k3s' }]);
    });

    it('launches nothing of a type that does not exist', async () => {
      const wanted = request({ instanceType: 'm0.absent' });
      await expect(subject.machines.launch(wanted)).rejects.toMatchObject({ code: 'InstanceTypeNotOffered' });
      expect(await subject.machines.list(wanted.region, wanted.uid)).toEqual([]);
    });

    it('reads the console of a machine as lines', async () => {
      const wanted = request();
      const { id } = await subject.machines.launch(wanted);
      for (const line of await subject.machines.consoleOutput(wanted.region, id))
        expect(line).not.toContain('\n');
    });

    it('reads nothing from the console of a machine that never was', async () => {
      expect(await subject.machines.consoleOutput(subject.region, 'i-0123456789abcdef0')).toEqual([]);
    });
  });
}
