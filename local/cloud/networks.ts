import type { Clock, NetworkInterface, Networks, PublicAddress } from '../../core/ports.ts';
import type { Faults } from '../faults.ts';
import { type AddressRecord, type Ec2Records, type InterfaceRecord, newEc2Id } from './ec2-records.ts';
import { zonesOf } from './offerings.ts';
import { awsRefusal, refuseIfAsked } from './refusals.ts';

/** EC2's network interfaces and Elastic IPs on one machine. */
export class SimulatedNetworks implements Networks {
  readonly publicAddresses = true;
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

  async attachPublicAddress(request: Parameters<Networks['attachPublicAddress']>[0]): Promise<PublicAddress> {
    const { cluster, uid, region, name, interfaceId } = request;
    const doing = `give ${name} of ${cluster} a public address`;
    const addresses = [...this.#records.addressesIn(region)];
    const existing = addresses.find((other) => other.uid === uid && other.name === name);
    refuseIfAsked(this.#faults, 'ec2', existing ? 'DescribeAddresses' : 'AllocateAddress', doing);
    if (existing) return publicAddress(existing);
    // 203.0.113.0/24 and its neighbours are for documentation (RFC 5737): nobody is reached by them.
    const taken = new Set(addresses.map(({ address }) => address));
    const address = documentationAddresses().find((candidate) => !taken.has(candidate));
    if (address === undefined)
      throw awsRefusal('AddressLimitExceeded', 'The maximum number of addresses has been reached.', doing);
    const record = { id: newEc2Id('eipalloc'), cluster, uid, region, name, address, interfaceId };
    await this.#records.addresses.put(record.id, record);
    return publicAddress(record);
  }

  async listPublicAddresses(region: string, uid: string): Promise<readonly PublicAddress[]> {
    refuseIfAsked(this.#faults, 'ec2', 'DescribeAddresses', `list the public addresses of ${uid}`);
    return [...this.#records.addressesIn(region)].filter((record) => record.uid === uid).map(publicAddress);
  }

  async releasePublicAddress(region: string, id: string): Promise<void> {
    refuseIfAsked(this.#faults, 'ec2', 'ReleaseAddress', `release the public address ${id}`);
    if (this.#records.addresses.get(id)?.region === region) await this.#records.addresses.delete(id);
  }
}

function publicAddress({ id, name, address }: AddressRecord): PublicAddress {
  return { id, name, address };
}

function documentationAddresses(): string[] {
  const networks = ['203.0.113', '198.51.100', '192.0.2'];
  return networks.flatMap((network) => Array.from({ length: 254 }, (_, host) => `${network}.${host + 1}`));
}

function shown({ id, name, address }: InterfaceRecord): NetworkInterface {
  return { id, name, address };
}
