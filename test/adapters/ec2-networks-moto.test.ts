import { randomUUID } from 'node:crypto';
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DeleteNetworkInterfaceCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  type EC2Client,
  ReleaseAddressCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import type { Ec2MachineSettings } from '../../adapters/ec2-launch.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { Ec2Networks } from '../../adapters/ec2-networks.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { rememberClientTokens } from './ec2-client-tokens.ts';
import { makeNodeNetwork } from './moto-network.ts';
import { networksContract } from './networks.contract.ts';

const region = 'eu-central-1';
let moto: Moto;
let client: EC2Client;
let settings: Ec2MachineSettings;

beforeAll(async () => {
  moto = await startMoto({ region });
  client = connectEc2(moto.config);
  rememberClientTokens(client);
  settings = await makeNodeNetwork(moto, client, ['eu-central-1a', 'eu-central-1b', 'eu-central-1c']);
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

function machinesBy(ec2: EC2Client): Ec2Machines {
  const ssm = connectSsm(moto.config);
  return new Ec2Machines({ ec2: () => ec2, ssm: () => ssm }, { ...settings, images: {} });
}

function networksBy(ec2: EC2Client, change: { readonly publicAddresses?: boolean } = {}): Ec2Networks {
  return new Ec2Networks(() => ec2, { ...settings, ...change });
}

function request(uid: string = randomUUID(), name = 'server-0') {
  return { cluster: 'mgmt', uid, region, name };
}

/** A client to which a command is refused. */
function refusing(command: string, name: string, message = name): EC2Client {
  const ec2 = connectEc2(moto.config);
  ec2.middlewareStack.add(
    (next, context) => async (call) => {
      if (context.commandName !== command) return next(call);
      throw Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
    },
    { step: 'initialize' },
  );
  return ec2;
}

networksContract('EC2 (moto)', async () => ({
  networks: networksBy(client),
  machines: machinesBy(client),
  region,
  instanceType: 'm5a.large',
  releasesInterfacesInUse: true,
}));

describe('an interface on EC2', () => {
  it('has the tags of its cluster, and the group of the nodes', async () => {
    const { uid, ...rest } = request();
    const { id } = await networksBy(client).reserveInterface({ uid, ...rest });
    const { NetworkInterfaces } = await client.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] }),
    );
    expect(NetworkInterfaces).toMatchObject([
      { Groups: [{ GroupId: settings.securityGroupId }], SourceDestCheck: true },
    ]);
    expect(NetworkInterfaces?.[0]?.TagSet).toEqual(
      expect.arrayContaining([
        { Key: 'petra.sh/uid', Value: uid },
        { Key: 'petra.sh/cluster', Value: 'mgmt' },
        { Key: 'petra.sh/node', Value: 'server-0' },
        { Key: 'Name', Value: 'mgmt-server-0' },
      ]),
    );
  });

  it('of each server is in another zone', async () => {
    const { uid } = request();
    const networks = networksBy(client);
    for (const name of ['server-0', 'server-1', 'server-2', 'server-3'])
      await networks.reserveInterface(request(uid, name));
    const { NetworkInterfaces = [] } = await client.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'tag:petra.sh/uid', Values: [uid] }] }),
    );
    expect(NetworkInterfaces.map(({ AvailabilityZone }) => AvailabilityZone).sort()).toEqual([
      'eu-central-1a',
      'eu-central-1a',
      'eu-central-1b',
      'eu-central-1c',
    ]);
  });

  it('that someone has deleted is made anew', async () => {
    const wanted = request();
    const networks = networksBy(client);
    const first = await networks.reserveInterface(wanted);
    await client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: first.id }));
    const second = await networks.reserveInterface(wanted);
    expect(second.id).not.toBe(first.id);
    expect(await networks.listInterfaces(region, wanted.uid)).toEqual([second]);
  });

  it('that the launch of an agent makes is not among the reserved ones', async () => {
    const wanted = request(undefined, 'agent-0');
    const agent = {
      ...wanted,
      role: 'agent',
      instanceType: 'm5a.large',
      userData: '#cloud-config\n',
    } as const;
    await machinesBy(client).launch(agent);
    expect(await networksBy(client).listInterfaces(region, wanted.uid)).toEqual([]);
  });

  it('that is gone is released by a role that may delete only what has tags', async () => {
    const networks = networksBy(refusing('DeleteNetworkInterfaceCommand', 'UnauthorizedOperation'));
    await networks.releaseInterface(region, 'eni-0123456789abcdef0');
  });

  it.each([
    ['InvalidParameterValue', "Network interface 'eni-1' is currently in use.", { code: 'AwsUnavailable' }],
    ['DependencyViolation', 'in use', { code: 'AwsUnavailable' }],
    ['InvalidParameterValue', 'something else', { name: 'InvalidParameterValue' }],
    ['UnauthorizedOperation', 'no', { code: 'AwsAccessDenied' }],
  ])('is not released where EC2 says %s: %s', async (name, message, expected) => {
    const networks = networksBy(refusing('DeleteNetworkInterfaceCommand', name, message));
    const { id } = await networks.reserveInterface(request());
    await expect(networks.releaseInterface(region, id)).rejects.toMatchObject(expected);
  });
});

describe('a public address on EC2', () => {
  async function interfaceOf(uid: string): Promise<string> {
    return (await networksBy(client).reserveInterface(request(uid))).id;
  }

  async function addresses(uid: string) {
    const Filters = [{ Name: 'tag:petra.sh/uid', Values: [uid] }];
    return (await client.send(new DescribeAddressesCommand({ Filters }))).Addresses ?? [];
  }

  it('is on the interface', async () => {
    const { uid } = request();
    const interfaceId = await interfaceOf(uid);
    const attached = await networksBy(client).attachPublicAddress({ ...request(uid), interfaceId });
    expect(await addresses(uid)).toMatchObject([
      { AllocationId: attached?.id, PublicIp: attached?.address, NetworkInterfaceId: interfaceId },
    ]);
  });

  it('is not given where the nodes have another way into the world', async () => {
    const { uid } = request();
    const interfaceId = await interfaceOf(uid);
    const networks = networksBy(client, { publicAddresses: false });
    expect(await networks.attachPublicAddress({ ...request(uid), interfaceId })).toBeUndefined();
    expect(await addresses(uid)).toEqual([]);
  });

  it('that a killed run has left without an interface is the one that is used', async () => {
    const { uid } = request();
    const wanted = { ...request(uid), interfaceId: await interfaceOf(uid) };
    const dying = networksBy(refusing('AssociateAddressCommand', 'InternalError'));
    await expect(dying.attachPublicAddress(wanted)).rejects.toMatchObject({ code: 'AwsUnavailable' });
    const [left] = await addresses(uid);
    const attached = await networksBy(client).attachPublicAddress(wanted);
    expect(attached?.id).toBe(left?.AllocationId);
    expect(await addresses(uid)).toMatchObject([{ NetworkInterfaceId: wanted.interfaceId }]);
  });

  it('that someone has put elsewhere comes back', async () => {
    const { uid } = request();
    const wanted = { ...request(uid), interfaceId: await interfaceOf(uid) };
    const attached = await networksBy(client).attachPublicAddress(wanted);
    await client.send(
      new AssociateAddressCommand({
        AllocationId: attached?.id,
        NetworkInterfaceId: await interfaceOf(randomUUID()),
        AllowReassociation: true,
      }),
    );
    expect(await networksBy(client).attachPublicAddress(wanted)).toEqual(attached);
    expect(await addresses(uid)).toMatchObject([{ NetworkInterfaceId: wanted.interfaceId }]);
  });

  it('that nothing uses any more is given back', async () => {
    const { AllocationId = '' } = await client.send(new AllocateAddressCommand({ Domain: 'vpc' }));
    await networksBy(client).releasePublicAddress(region, AllocationId);
    await expect(client.send(new ReleaseAddressCommand({ AllocationId }))).rejects.toMatchObject({
      name: 'InvalidAllocationID.NotFound',
    });
  });

  it('is refused when the account has no more', async () => {
    const networks = networksBy(refusing('AllocateAddressCommand', 'AddressLimitExceeded'));
    const interfaceId = await interfaceOf(randomUUID());
    await expect(networks.attachPublicAddress({ ...request(), interfaceId })).rejects.toMatchObject({
      code: 'QuotaExceeded',
      details: { quotaCode: 'L-0263D0A3' },
    });
  });
});
