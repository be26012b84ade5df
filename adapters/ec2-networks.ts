import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Address,
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  type EC2Client,
  type NetworkInterface as Ec2NetworkInterface,
  type Filter,
  paginateDescribeNetworkInterfaces,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2';
import { PetraError } from '../core/errors.ts';
import type { NetworkInterface, Networks, PublicAddress } from '../core/ports.ts';
import { isNamed, translatingAwsErrors } from './aws-errors.ts';
import type { Ec2MachineSettings } from './ec2-launch.ts';
import { filtersFor, tagged, tagOf } from './ec2-tags.ts';
import { placeOf, subnetsByZone } from './node-subnets.ts';

/** How often an interface is asked for whose last one someone has deleted. */
const creationAttempts = 3;

/** How long a new interface may take to be found: it is usually there at once. */
const looksForNewInterface = 3;
const lookPauseMilliseconds = 1_000;

type Settings = Pick<Ec2MachineSettings, 'subnetIds' | 'securityGroupId' | 'publicAddresses'>;

/** Stable addresses of management servers: network interfaces that outlive their machines, and Elastic IPs on them. */
export class Ec2Networks implements Networks {
  readonly #client: (region: string) => EC2Client;
  readonly #settings: Settings;
  readonly #once: (region: string) => EC2Client;

  /**
   * Settings are read only where something is made. `once` gives a client that never asks twice by itself: EC2 takes no
   * token for an address, so asking again after an answer that got lost would make a second one. Whoever tries again
   * from the start finds the first by its tags.
   */
  constructor(
    client: (region: string) => EC2Client,
    settings: Settings,
    once: (region: string) => EC2Client = client,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#once = once;
  }

  get publicAddresses(): boolean {
    return this.#settings.publicAddresses;
  }

  async reserveInterface(request: Parameters<Networks['reserveInterface']>[0]): Promise<NetworkInterface> {
    const { cluster, region, name } = request;
    return translatingAwsErrors(`reserve the interface ${name} of ${cluster}`, async () => {
      const client = this.#client(region);
      const existing = (await interfacesOf(client, filtersFor(request))).find(isReserved);
      return shownInterface(existing ?? (await this.#create(client, request)), name);
    });
  }

  async listInterfaces(region: string, uid: string): Promise<readonly NetworkInterface[]> {
    return translatingAwsErrors(`list the interfaces of ${uid}`, async () => {
      const interfaces = await interfacesOf(this.#client(region), filtersFor({ uid }));
      return interfaces.filter(isReserved).map((one) => shownInterface(one));
    });
  }

  async releaseInterface(region: string, id: string): Promise<void> {
    const doing = `release the interface ${id}`;
    await translatingAwsErrors(doing, async () => {
      const client = this.#client(region);
      try {
        await client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }));
      } catch (error) {
        if (isNamed(error, 'InvalidNetworkInterfaceID.NotFound')) return;
        // Who may only delete what has Petra's tags is refused for one that is gone.
        if (isNamed(error, 'UnauthorizedOperation') && !(await isThere(client, id))) return;
        // EC2 has no name of its own for it.
        if (!isNamed(error, 'InvalidParameterValue') || !/\bin use\b/.test(error.message)) throw error;
        throw new PetraError('AwsUnavailable', `cannot ${doing}: ${error.message}`, { cause: error });
      }
    });
  }

  async attachPublicAddress(
    request: Parameters<Networks['attachPublicAddress']>[0],
  ): Promise<PublicAddress | undefined> {
    const { cluster, region, name, interfaceId } = request;
    if (!this.#settings.publicAddresses) return undefined;
    return translatingAwsErrors(`give ${name} of ${cluster} a public address`, async () => {
      const client = this.#client(region);
      const known = await addressesOf(client, filtersFor(request));
      const attached = known.find(({ NetworkInterfaceId }) => NetworkInterfaceId === interfaceId);
      if (attached) return shownAddress(attached, name);
      // One that is known and not attached was made by a run that died in between. Two runs at once could make two,
      // since EC2 takes no token here; the cluster's lock keeps them apart, and both would be found and given back.
      const address = known[0] ?? (await allocate(this.#once(region), request));
      await client.send(
        new AssociateAddressCommand({
          AllocationId: address.AllocationId,
          NetworkInterfaceId: interfaceId,
          // By its tags it is this interface's, wherever someone has put it.
          AllowReassociation: true,
        }),
      );
      return shownAddress(address, name);
    });
  }

  async listPublicAddresses(region: string, uid: string): Promise<readonly PublicAddress[]> {
    return translatingAwsErrors(`list the public addresses of ${uid}`, async () => {
      const addresses = await addressesOf(this.#client(region), filtersFor({ uid }));
      return addresses.map((address) => shownAddress(address));
    });
  }

  async releasePublicAddress(region: string, id: string): Promise<void> {
    const client = this.#client(region);
    await translatingAwsErrors(`release the public address ${id}`, async () => {
      try {
        // EC2 does not release one that is in use.
        const { Addresses } = await client.send(new DescribeAddressesCommand({ AllocationIds: [id] }));
        const association = Addresses?.[0]?.AssociationId;
        if (association !== undefined) await disassociate(client, association);
        await client.send(new ReleaseAddressCommand({ AllocationId: id }));
      } catch (error) {
        if (!isNamed(error, 'InvalidAllocationID.NotFound')) throw error;
      }
    });
  }

  async #create(
    client: EC2Client,
    request: Parameters<Networks['reserveInterface']>[0],
  ): Promise<Ec2NetworkInterface> {
    const { cluster, uid, name } = request;
    const subnets = await subnetsByZone(client, this.#settings.subnetIds);
    const gone: string[] = [];
    while (gone.length < creationAttempts) {
      const { NetworkInterface: made = {} } = await client.send(
        new CreateNetworkInterfaceCommand({
          SubnetId: placeOf(name, [...subnets.values()]),
          Groups: [this.#settings.securityGroupId],
          Description: `${name} of the Petra cluster ${cluster}`,
          ClientToken: createHash('sha256')
            .update(JSON.stringify([uid, name, ...gone]))
            .digest('hex'),
          TagSpecifications: tagged(request, 'network-interface'),
          // EC2's check of sources and destinations stays on: pods talk through the tunnel of their network plugin, so
          // that nothing leaves a machine under an address which is not its own.
        }),
      );
      // A token is answered with what it made, even when someone has deleted that since.
      const id = made.NetworkInterfaceId ?? '';
      if (await appears(client, id)) return made;
      gone.push(id);
    }
    throw new PetraError(
      'AwsUnavailable',
      `EC2 does not find the interfaces ${gone.join(', ')} that it made`,
    );
  }
}

async function appears(client: EC2Client, id: string): Promise<boolean> {
  for (let look = 1; look <= looksForNewInterface; look += 1) {
    if (await isThere(client, id)) return true;
    await sleep(lookPauseMilliseconds);
  }
  return false;
}

async function isThere(client: EC2Client, id: string): Promise<boolean> {
  return (await interfacesOf(client, [{ Name: 'network-interface-id', Values: [id] }])).length > 0;
}

/** In the order of their ids, so that of two with one name always the same is used. */
async function interfacesOf(client: EC2Client, Filters: Filter[]): Promise<Ec2NetworkInterface[]> {
  const interfaces: Ec2NetworkInterface[] = [];
  for await (const page of paginateDescribeNetworkInterfaces({ client }, { Filters }))
    interfaces.push(...(page.NetworkInterfaces ?? []));
  return interfaces.sort((one, other) =>
    (one.NetworkInterfaceId ?? '') < (other.NetworkInterfaceId ?? '') ? -1 : 1,
  );
}

async function addressesOf(client: EC2Client, Filters: Filter[]): Promise<Address[]> {
  const { Addresses = [] } = await client.send(new DescribeAddressesCommand({ Filters }));
  return Addresses.sort((one, other) => ((one.AllocationId ?? '') < (other.AllocationId ?? '') ? -1 : 1));
}

async function allocate(
  client: EC2Client,
  owner: Parameters<Networks['attachPublicAddress']>[0],
): Promise<Address> {
  return client.send(
    new AllocateAddressCommand({ Domain: 'vpc', TagSpecifications: tagged(owner, 'elastic-ip') }),
  );
}

async function disassociate(client: EC2Client, AssociationId: string): Promise<void> {
  try {
    await client.send(new DisassociateAddressCommand({ AssociationId }));
  } catch (error) {
    if (!isNamed(error, 'InvalidAssociationID.NotFound')) throw error;
  }
}

/** Only machines have a role: an interface that has one was made by the launch of an agent, and ends with it. */
function isReserved(one: Ec2NetworkInterface): boolean {
  return tagOf(one, 'petra.sh/role') === undefined;
}

function shownInterface(one: Ec2NetworkInterface, name?: string): NetworkInterface {
  return {
    id: one.NetworkInterfaceId ?? '',
    name: name ?? tagOf(one, 'petra.sh/node') ?? '',
    address: one.PrivateIpAddress ?? '',
  };
}

function shownAddress(address: Address, name?: string): PublicAddress {
  return {
    id: address.AllocationId ?? '',
    name: name ?? tagOf(address, 'petra.sh/node') ?? '',
    address: address.PublicIp ?? '',
  };
}
