import type { Clock, NetworkInterface, Networks } from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import { type Ec2Records, type InterfaceRecord, newEc2Id } from './ec2-records.ts';
import { zonesOf } from './offerings.ts';
import { awsRefusal, refuseIfAsked } from './refusals.ts';

/** EC2's network interfaces on one machine. */
export class SimulatedNetworks implements Networks {
  readonly #records: Ec2Records;
  readonly #faults: Faults;
  readonly #clock: Clock;

  constructor(parts: { readonly records: Ec2Records; readonly faults: Faults; readonly clock: Clock }) {
    this.#records = parts.records;
    this.#faults = parts.faults;
    this.#clock = parts.clock;
  }

  async reserveInterface(request: {
    readonly cluster: string;
    readonly uid: string;
    readonly region: string;
    readonly name: string;
  }): Promise<NetworkInterface> {
    const { cluster, uid, region, name } = request;
    const doing = `reserve the interface ${name} of ${cluster}`;
    const siblings = [...this.#records.interfacesIn(region)].filter((other) => other.uid === uid);
    const existing = siblings.find((other) => other.name === name);
    refuseIfAsked(
      this.#faults,
      'ec2',
      existing ? 'DescribeNetworkInterfaces' : 'CreateNetworkInterface',
      doing,
    );
    if (existing) return shown(existing);

    const zones = zonesOf(region);
    const zone = zones[siblings.length % zones.length];
    if (zone === undefined)
      throw awsRefusal('ENOTFOUND', `getaddrinfo ENOTFOUND ec2.${region}.amazonaws.com`, doing);
    const address = this.#records.freeAddress(region, this.#clock.now().getTime());
    if (address === undefined)
      throw awsRefusal('InsufficientFreeAddressesInSubnet', 'The subnet has no free address.', doing);
    const record = { id: newEc2Id('eni'), cluster, uid, region, zone, name, address };
    await this.#records.interfaces.put(record.id, record);
    return shown(record);
  }

  async listInterfaces(region: string, uid: string): Promise<readonly NetworkInterface[]> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeNetworkInterfaces', `list the interfaces of ${uid}`);
    return [...this.#records.interfacesIn(region)].filter((record) => record.uid === uid).map(shown);
  }

  async releaseInterface(region: string, id: string): Promise<void> {
    const doing = `release the interface ${id}`;
    refuseIfAsked(this.#faults, 'ec2', 'DeleteNetworkInterface', doing);
    if (this.#records.interfaces.get(id)?.region !== region) return;
    const user = this.#records.userOf(id, this.#clock.now().getTime());
    if (user)
      throw awsRefusal('DependencyViolation', `Network interface '${id}' is in use by ${user.id}.`, doing);
    await this.#records.interfaces.delete(id);
  }
}

function shown({ id, name, address }: InterfaceRecord): NetworkInterface {
  return { id, name, address };
}
