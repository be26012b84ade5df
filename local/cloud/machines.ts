import { architectureOf } from '../../core/capi/instance-architecture.ts';
import { PetraError } from '../../core/errors.ts';
import { packUserData } from '../../core/management/user-data-size.ts';
import type {
  Architecture,
  Clock,
  InstanceType,
  Machine,
  MachineRequest,
  Machines,
} from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import type { Pace } from '../pace.ts';
import { type Ec2Records, isAlive, type MachineRecord, newEc2Id, stateOf } from './ec2-records.ts';
import { vcpusOf, zonesOf, zonesOffering } from './offerings.ts';
import { awsRefusal, refuseIfAsked } from './refusals.ts';

const pendingSeconds = 8;
const stoppingSeconds = 10;

/** How a line of the console begins in which a node says how far it is; the kernel's time stands before it. */
const spoken = /^\[ *[\d.]+\] petra: /;

/** EC2's instances on one machine. What they do once they run is in boot.ts. */
export class SimulatedMachines implements Machines {
  readonly #records: Ec2Records;
  readonly #pace: Pace;
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #vcpuQuota: number;
  readonly #changed: () => void;

  constructor(parts: {
    readonly records: Ec2Records;
    readonly pace: Pace;
    readonly faults: Faults;
    readonly clock: Clock;
    /** Per region. An account of some age; a new one has 5. */
    readonly vcpuQuota?: number;
    /** Called when a machine was launched or is to end. */
    readonly changed?: () => void;
  }) {
    this.#records = parts.records;
    this.#pace = parts.pace;
    this.#faults = parts.faults;
    this.#clock = parts.clock;
    this.#vcpuQuota = parts.vcpuQuota ?? 512;
    this.#changed = parts.changed ?? (() => undefined);
  }

  async offerings(
    region: string,
    instanceTypes: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeInstanceTypeOfferings', `list instance types of ${region}`);
    return new Map(instanceTypes.map((type) => [type, zonesOffering(region, type)]));
  }

  async types(region: string, instanceTypes: readonly string[]): Promise<ReadonlyMap<string, InstanceType>> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeInstanceTypes', `describe instance types of ${region}`);
    const known = instanceTypes.filter((type) => zonesOffering(region, type).length > 0);
    return new Map(known.map((type) => [type, { vcpus: vcpusOf(type), architecture: architectureOf(type) }]));
  }

  async image(region: string, architecture: Architecture): Promise<string> {
    refuseIfAsked(
      this.#faults,
      'ssm',
      'GetParameter',
      `find the image of ${architecture} nodes in ${region}`,
    );
    return architecture === 'arm64' ? 'ami-0a0a0a0a0a0a0a064' : 'ami-0a0a0a0a0a0a0a086';
  }

  async zones(region: string): Promise<readonly string[]> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeAvailabilityZones', `list the zones of ${region}`);
    return zonesOf(region);
  }

  async launch(request: MachineRequest): Promise<Machine> {
    const doing = `launch ${request.name} of ${request.cluster}`;
    packUserData(request);
    const existing = this.#living(request);
    refuseIfAsked(this.#faults, 'ec2', existing ? 'DescribeInstances' : 'RunInstances', doing);
    if (existing) return this.#shown(existing);

    // From the look for an existing machine to the writing of the new one nothing awaits: of many launches at once
    // the first makes the machine and the others find it.
    const record = this.#allocate(request, doing);
    await this.#records.machines.put(record.id, record);
    this.#changed();
    return this.#shown(record);
  }

  async list(region: string, uid: string): Promise<readonly Machine[]> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeInstances', `list the machines of ${uid}`);
    const machines: Machine[] = [];
    for (const record of this.#records.machinesIn(region)) {
      const machine = this.#shown(record);
      if (record.uid === uid && machine.state !== 'terminated') machines.push(machine);
    }
    return machines;
  }

  async terminate(region: string, ids: readonly string[]): Promise<void> {
    refuseIfAsked(this.#faults, 'ec2', 'TerminateInstances', `terminate ${ids.join(', ')}`);
    const now = this.#clock.now().getTime();
    for (const id of ids) {
      const record = this.#records.machines.get(id);
      if (record?.region !== region || !isAlive(record)) continue;
      const endsAt = now + this.#pace.milliseconds(stoppingSeconds);
      await this.#records.machines.put(id, { ...record, stopsAt: now, endsAt });
    }
    this.#changed();
  }

  async consoleOutput(region: string, id: string): Promise<readonly string[]> {
    refuseIfAsked(this.#faults, 'ec2', 'GetConsoleOutput', `read the console of ${id}`);
    if (this.#records.machines.get(id)?.region !== region) return [];
    return this.#records.boots.get(id)?.console ?? [];
  }

  #living({ region, uid, name }: MachineRequest): MachineRecord | undefined {
    for (const record of this.#records.machinesIn(region))
      if (record.uid === uid && record.name === name && isAlive(record)) return record;
    return undefined;
  }

  #allocate(request: MachineRequest, doing: string): MachineRecord {
    const { cluster, uid, region, name, role, instanceType, interfaceId, userData } = request;
    const now = this.#clock.now().getTime();
    if (zonesOf(region).length === 0)
      throw awsRefusal('ENOTFOUND', `getaddrinfo ENOTFOUND ec2.${region}.amazonaws.com`, doing);
    const place =
      interfaceId === undefined
        ? this.#freePlace(request, now, doing)
        : this.#placeOf(interfaceId, now, doing);
    refuseMissingOffering(region, place.zone, instanceType, doing);
    this.#refuseOverQuota(region, instanceType, now, doing);
    return {
      id: newEc2Id('i'),
      cluster,
      uid,
      region,
      zone: place.zone,
      name,
      role,
      instanceType,
      ...(interfaceId === undefined ? {} : { interfaceId }),
      address: place.address,
      userData,
      runsAt: now + this.#pace.milliseconds(pendingSeconds),
    };
  }

  /** A reserved interface decides the machine's zone and address. */
  #placeOf(interfaceId: string, now: number, doing: string): { zone: string; address: string } {
    const reserved = this.#records.interfaces.get(interfaceId);
    if (!reserved)
      throw awsRefusal(
        'InvalidNetworkInterfaceID.NotFound',
        `The networkInterface ID '${interfaceId}' does not exist`,
        doing,
      );
    const user = this.#records.userOf(interfaceId, now);
    if (user)
      throw awsRefusal(
        'InvalidNetworkInterface.InUse',
        `Interface: [${interfaceId}] in use by ${user.id}`,
        doing,
      );
    return reserved;
  }

  #freePlace(request: MachineRequest, now: number, doing: string): { zone: string; address: string } {
    const address = this.#records.freeAddress(request.region, now);
    if (address === undefined)
      throw awsRefusal('InsufficientFreeAddressesInSubnet', 'The subnet has no free address.', doing);
    const zones = zonesOffering(request.region, request.instanceType);
    const siblings = [...this.#records.machinesIn(request.region)].filter(({ uid }) => uid === request.uid);
    return { address, zone: zones[siblings.length % zones.length] ?? `${request.region}a` };
  }

  #refuseOverQuota(region: string, instanceType: string, now: number, doing: string): void {
    let used = 0;
    for (const machine of this.#records.machinesIn(region))
      if (stateOf(machine, now) !== 'terminated') used += vcpusOf(machine.instanceType);
    const wanted = vcpusOf(instanceType);
    if (used + wanted <= this.#vcpuQuota) return;
    throw awsRefusal(
      'VcpuLimitExceeded',
      `${used} of ${this.#vcpuQuota} vCPUs are in use in ${region}, and ${instanceType} needs ${wanted}`,
      doing,
    );
  }

  #shown(record: MachineRecord): Machine {
    const { id, name, role, address } = record;
    const said = this.#records.boots.get(id)?.console.findLast((line) => spoken.test(line));
    const progress = said === undefined ? {} : { progress: said.replace(spoken, '') };
    return { id, name, role, state: stateOf(record, this.#clock.now().getTime()), address, ...progress };
  }
}

function refuseMissingOffering(region: string, zone: string, instanceType: string, doing: string): void {
  const zones = zonesOffering(region, instanceType);
  if (zones.length === 0)
    throw new PetraError(
      'InstanceTypeNotOffered',
      `cannot ${doing}: ${region} does not offer ${instanceType}`,
    );
  if (zones.includes(zone)) return;
  throw awsRefusal(
    'Unsupported',
    `Your requested instance type (${instanceType}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${zones.join(', ')}.`,
    doing,
  );
}
