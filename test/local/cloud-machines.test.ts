import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasCode, type PetraError } from '../../core/errors.ts';
import type { MachineRequest } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { cloudOf } from './cloud-fixture.ts';
import { eventually } from './eventually.ts';

function request(change: Partial<MachineRequest> = {}): MachineRequest {
  return {
    cluster: 'mgmt',
    uid: 'uid-1',
    region: 'us-west-1',
    name: 'server-0',
    role: 'server',
    instanceType: 'm5a.large',
    userData: '#cloud-config\n',
    ...change,
  };
}

async function failureOf(work: Promise<unknown>): Promise<PetraError> {
  try {
    await work;
  } catch (error) {
    if (hasCode(error, 'QuotaExceeded', 'CapacityUnavailable', 'Throttled', 'AwsUnavailable')) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('simulated machines', () => {
  it('go from pending to running to stopping to terminated', async () => {
    const { machines } = cloudOf({ speed: 100 });
    const { id, state } = await machines.launch(request());
    expect(state).toBe('pending');
    const states = async () => (await machines.list('us-west-1', 'uid-1')).map((machine) => machine.state);
    await eventually(states).toEqual(['running']);
    await machines.terminate('us-west-1', [id]);
    expect(await states()).toEqual(['stopping']);
    await eventually(states).toEqual([]);
  });

  it('go on in time while no process runs', async () => {
    const disk = Disk.inMemory();
    const before = cloudOf({ disk, speed: 200 });
    const { id } = await before.machines.launch(request());
    await sleep(50);
    const after = cloudOf({ disk, speed: 200 });
    expect(await after.machines.list('us-west-1', 'uid-1')).toMatchObject([{ id, state: 'running' }]);
  });

  it('do not end anew when their end has begun', async () => {
    const { machines } = cloudOf({ speed: 100 });
    const { id } = await machines.launch(request());
    await machines.terminate('us-west-1', [id]);
    await sleep(60);
    await machines.terminate('us-west-1', [id]);
    await sleep(60);
    expect(await machines.list('us-west-1', 'uid-1')).toEqual([]);
  });

  it('belong to their region', async () => {
    const { machines } = cloudOf();
    const { id } = await machines.launch(request());
    expect(await machines.list('us-east-1', 'uid-1')).toEqual([]);
    await machines.terminate('us-east-1', [id]);
    expect(await machines.list('us-west-1', 'uid-1')).toHaveLength(1);
  });

  it('are launched where the region exists and offers the instance type', async () => {
    const { machines } = cloudOf();
    await expect(machines.launch(request({ region: 'us-moon-1' }))).rejects.toMatchObject({
      code: 'AwsUnavailable',
      message: expect.stringContaining('ec2.us-moon-1.amazonaws.com'),
    });
    await expect(machines.launch(request({ instanceType: 'm5a.huge' }))).rejects.toMatchObject({
      code: 'InstanceTypeNotOffered',
      message: 'cannot launch server-0 of mgmt: us-west-1 does not offer m5a.huge',
    });
  });

  it('are offered in two zones of us-west-1, in most of other regions, and nowhere else', async () => {
    const { machines } = cloudOf();
    const zones = async (region: string, type: string) =>
      (await machines.offerings(region, [type])).get(type);
    expect(await zones('us-west-1', 'm5a.large')).toEqual(['us-west-1a', 'us-west-1c']);
    expect(await zones('eu-central-1', 'm5a.large')).toHaveLength(3);
    expect(await zones('us-east-1', 'm5a.large')).not.toContain('us-east-1e');
    expect(await zones('us-moon-1', 'm5a.large')).toEqual([]);
    expect(await zones('us-west-1', 'toString.large')).toEqual([]);
  });

  it('are refused beyond the vCPU quota, which is named with its limit and use', async () => {
    const { machines } = cloudOf({ vcpuQuota: 6 });
    const { id } = await machines.launch(request({ instanceType: 'm5a.xlarge' }));
    const failure = await failureOf(
      machines.launch(request({ name: 'agent-0', instanceType: 'm5a.xlarge' })),
    );
    expect(failure).toMatchObject({ code: 'QuotaExceeded', details: { quotaCode: 'L-1216C47A' } });
    expect(failure.message).toContain('4 of 6 vCPUs are in use in us-west-1, and m5a.xlarge needs 4');
    expect(failure.fix).toContain('L-1216C47A');

    await machines.terminate('us-west-1', [id]);
    await eventually(() => machines.list('us-west-1', 'uid-1')).toEqual([]);
    await machines.launch(request({ name: 'agent-0', instanceType: 'm5a.xlarge' }));
  });

  it('are one machine per name also when the quota is just enough for it', async () => {
    const { machines } = cloudOf({ vcpuQuota: 2 });
    const launched = await Promise.all([1, 2, 3].map(() => machines.launch(request())));
    expect(new Set(launched.map(({ id }) => id)).size).toBe(1);
  });

  it('fail for a lack of capacity as often as it was asked for', async () => {
    const { machines } = cloudOf({ faults: ['ec2:InsufficientInstanceCapacity:2'] });
    expect((await failureOf(machines.launch(request()))).code).toBe('CapacityUnavailable');
    expect(await machines.list('us-west-1', 'uid-1')).toEqual([]);
    expect((await failureOf(machines.launch(request()))).code).toBe('CapacityUnavailable');
    await machines.launch(request());
  });

  it('are found again in spite of a lack of capacity', async () => {
    const disk = Disk.inMemory();
    const { id } = await cloudOf({ disk }).machines.launch(request());
    const { machines } = cloudOf({ disk, faults: ['ec2:InsufficientInstanceCapacity'] });
    expect((await machines.launch(request())).id).toBe(id);
  });

  it('fail when EC2 throttles, whatever the call', async () => {
    const { machines } = cloudOf({ faults: ['ec2:RequestLimitExceeded:5'] });
    const calls = [
      () => machines.launch(request()),
      () => machines.list('us-west-1', 'uid-1'),
      () => machines.terminate('us-west-1', []),
      () => machines.offerings('us-west-1', []),
      () => machines.consoleOutput('us-west-1', 'i-0'),
    ];
    for (const call of calls) expect((await failureOf(call())).code).toBe('Throttled');
    for (const call of calls) await call();
  });

  it('cannot have an interface that does not exist, or that another machine has', async () => {
    const { machines, networks } = cloudOf();
    const absent = request({ interfaceId: 'eni-0' });
    expect((await failureOf(machines.launch(absent))).message).toContain(
      'InvalidNetworkInterfaceID.NotFound',
    );

    const { id } = await networks.reserveInterface(request());
    await machines.launch(request({ interfaceId: id }));
    const second = request({ name: 'server-1', interfaceId: id });
    expect((await failureOf(machines.launch(second))).message).toContain('InvalidNetworkInterface.InUse');
  });

  it('have an address that no other machine or interface of the region has', async () => {
    const { machines, networks } = cloudOf();
    const addresses = new Set<string>();
    for (const index of Array(8).keys()) {
      const uid = `uid-${index}`;
      addresses.add((await networks.reserveInterface(request({ uid }))).address);
      addresses.add((await machines.launch(request({ uid }))).address);
    }
    expect(addresses.size).toBe(16);
  });
});

describe('simulated network interfaces', () => {
  it('are one per name when many are reserved at once', async () => {
    const { networks } = cloudOf();
    const reserved = await Promise.all(
      Array.from({ length: 10 }, () => networks.reserveInterface(request())),
    );
    expect(new Set(reserved.map(({ id }) => id)).size).toBe(1);
  });

  it('keep their address across a restart', async () => {
    const disk = Disk.inMemory();
    const reserved = await cloudOf({ disk }).networks.reserveInterface(request());
    expect(await cloudOf({ disk }).networks.listInterfaces('us-west-1', 'uid-1')).toEqual([reserved]);
  });

  it('in use say by which machine when they are to be released', async () => {
    const { machines, networks } = cloudOf();
    const { id } = await networks.reserveInterface(request());
    const machine = await machines.launch(request({ interfaceId: id }));
    const failure = await failureOf(networks.releaseInterface('us-west-1', id));
    expect(failure.message).toContain(
      `DependencyViolation: Network interface '${id}' is in use by ${machine.id}`,
    );
  });

  it('fail when their quota is asked to be used up, but only new ones', async () => {
    const disk = Disk.inMemory();
    const reserved = await cloudOf({ disk }).networks.reserveInterface(request());
    const { networks } = cloudOf({ disk, faults: ['ec2:NetworkInterfaceLimitExceeded'] });
    expect(await networks.reserveInterface(request())).toEqual(reserved);
    const failure = await failureOf(networks.reserveInterface(request({ name: 'server-1' })));
    expect(failure).toMatchObject({ code: 'QuotaExceeded', details: { quotaCode: 'L-DF5E4CA3' } });
  });
});
