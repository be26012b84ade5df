// What the simulated EC2 remembers, and what follows from it and the time. A state is never stored: it is read off
// absolute times, so that a killed process finds its machines where they would have been.

import { randomBytes } from 'node:crypto';
import type { MachineRole } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';

export interface MachineRecord {
  readonly id: string;
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  readonly zone: string;
  readonly name: string;
  readonly role: MachineRole;
  readonly instanceType: string;
  readonly interfaceId?: string;
  readonly address: string;
  readonly userData: string;
  /** Milliseconds since the epoch, like every time here. */
  readonly runsAt: number;
  /** When its end began. */
  readonly stopsAt?: number;
  readonly endsAt?: number;
}

export interface InterfaceRecord {
  readonly id: string;
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  readonly zone: string;
  readonly name: string;
  readonly address: string;
}

/** An Elastic IP. */
export interface AddressRecord {
  readonly id: string;
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  readonly name: string;
  readonly address: string;
  readonly interfaceId: string;
}

/** How far a machine's boot has come. */
export interface BootRecord {
  /** The next stage to run. */
  readonly stage: number;
  /** What the machine wrote to its console. */
  readonly console: readonly string[];
  /** What the stage waits for, so that it is said once. */
  readonly waitingFor?: string;
  /** It gave up for good. */
  readonly halted?: true;
  /** The machine ended, and all that came of it in Kubernetes was removed. */
  readonly cleared?: true;
}

/** The simulated EC2's memory: one per disk, shared by machines, networks and boots. */
export class Ec2Records {
  readonly machines: Collection<MachineRecord>;
  readonly interfaces: Collection<InterfaceRecord>;
  readonly addresses: Collection<AddressRecord>;
  readonly boots: Collection<BootRecord>;

  constructor(disk: Disk) {
    this.machines = disk.collection('cloud.machines');
    this.interfaces = disk.collection('cloud.interfaces');
    this.addresses = disk.collection('cloud.addresses');
    this.boots = disk.collection('cloud.boots');
  }

  *machinesIn(region: string): IterableIterator<MachineRecord> {
    for (const [, machine] of this.machines.entries()) if (machine.region === region) yield machine;
  }

  *interfacesIn(region: string): IterableIterator<InterfaceRecord> {
    for (const [, networkInterface] of this.interfaces.entries())
      if (networkInterface.region === region) yield networkInterface;
  }

  *addressesIn(region: string): IterableIterator<AddressRecord> {
    for (const [, address] of this.addresses.entries()) if (address.region === region) yield address;
  }

  /** The machine that has this interface attached: it does until it is terminated. */
  userOf(interfaceId: string, now: number): MachineRecord | undefined {
    for (const [, machine] of this.machines.entries())
      if (machine.interfaceId === interfaceId && stateOf(machine, now) !== 'terminated') return machine;
    return undefined;
  }

  /** A private address of the region's subnet that nothing has; undefined when all 4,091 are taken. */
  freeAddress(region: string, now: number): string | undefined {
    const taken = new Set<string>();
    for (const { address } of this.interfacesIn(region)) taken.add(address);
    for (const machine of this.machinesIn(region))
      if (stateOf(machine, now) !== 'terminated') taken.add(machine.address);
    // 10.0.0.0/20, of which AWS keeps the first four addresses and the last. Each region has a network of its own, so
    // that the same address in two regions is no clash.
    for (let host = 4; host < 4095; host++) {
      const address = `10.0.${host >> 8}.${host & 255}`;
      if (!taken.has(address)) return address;
    }
    return undefined;
  }
}

/** Where a machine is in its life at a time. */
export function stateOf(
  machine: MachineRecord,
  now: number,
): 'pending' | 'running' | 'stopping' | 'terminated' {
  if (machine.endsAt !== undefined && now >= machine.endsAt) return 'terminated';
  if (machine.stopsAt !== undefined) return 'stopping';
  return now >= machine.runsAt ? 'running' : 'pending';
}

/** Whether a machine is there to stay: pending or running. */
export function isAlive(machine: MachineRecord): boolean {
  return machine.stopsAt === undefined;
}

/** A new id the way EC2 makes them: the prefix and 17 hexadecimal digits, the first of them 0. */
export function newEc2Id(prefix: 'i' | 'eni' | 'eipalloc'): string {
  return `${prefix}-0${randomBytes(8).toString('hex')}`;
}
