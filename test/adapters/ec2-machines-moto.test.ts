import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  CreateTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  type EC2Client,
  type Instance,
  type RunInstancesCommandInput,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import type { Ec2MachineSettings } from '../../adapters/ec2-launch.ts';
import { Ec2Machines } from '../../adapters/ec2-machines.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import type { MachineRequest } from '../../core/ports.ts';
import { type Moto, startMoto } from '../moto/start-moto.ts';
import { rememberClientTokens } from './ec2-client-tokens.ts';
import { machinesContract } from './machines.contract.ts';
import { makeNodeNetwork } from './moto-network.ts';

const region = 'eu-central-1';
let moto: Moto;
let client: EC2Client;
let settings: Ec2MachineSettings;

beforeAll(async () => {
  moto = await startMoto({ region });
  client = connectEc2(moto.config);
  settings = await makeNodeNetwork(moto, client, ['eu-central-1b', 'eu-central-1a']);
});
afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

function machinesBy(
  ec2: EC2Client,
  change: Partial<ConstructorParameters<typeof Ec2Machines>[1]> = {},
): Ec2Machines {
  const ssm = connectSsm(moto.config);
  return new Ec2Machines({ ec2: () => ec2, ssm: () => ssm }, { ...settings, images: {}, ...change });
}

/** A client that keeps what it is asked to launch, and to which a test may give errors. */
function watched(refuse: (command: string, input: object) => Error | undefined = () => undefined) {
  const ec2 = connectEc2(moto.config);
  const calls: { readonly command: string; readonly input: object }[] = [];
  ec2.middlewareStack.add(
    (next, context) => async (call) => {
      calls.push({ command: context.commandName ?? '', input: call.input });
      const error = refuse(context.commandName ?? '', call.input);
      if (error) throw error;
      return next(call);
    },
    { step: 'initialize' },
  );
  // The input of the commands of this name.
  const launches = () =>
    calls
      .filter(({ command }) => command === 'RunInstancesCommand')
      .map(({ input }) => input as RunInstancesCommandInput);
  return { ec2, calls, launches };
}

function awsError(name: string, message = name): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
}

function request(change: Partial<MachineRequest> = {}): MachineRequest {
  return {
    cluster: 'mgmt',
    uid: randomUUID(),
    region,
    name: 'agent-0',
    role: 'agent',
    instanceType: 'm5a.large',
    userData: '#cloud-config\n',
    ...change,
  };
}

async function instance(id: string): Promise<Instance> {
  const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0] ?? {};
}

machinesContract('EC2 (moto)', async () => {
  const ec2 = connectEc2(moto.config);
  rememberClientTokens(ec2);
  return {
    machines: machinesBy(ec2),
    region,
    instanceType: 'm5a.large',
    sayProgress: async (id, word) => {
      await client.send(
        new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'petra.sh/progress', Value: word }] }),
      );
    },
    close: async () => ec2.destroy(),
  };
});

describe('a machine on EC2', () => {
  it('is launched with its credentials out of reach of pods, and without a key for a shell', async () => {
    const { ec2, launches } = watched();
    await machinesBy(ec2).launch(request());
    expect(launches()).toMatchObject([
      {
        MetadataOptions: {
          HttpTokens: 'required',
          HttpPutResponseHopLimit: 1,
          InstanceMetadataTags: 'disabled',
        },
        IamInstanceProfile: { Name: 'petra-node' },
        InstanceInitiatedShutdownBehavior: 'stop',
      },
    ]);
    expect(launches()[0]).not.toHaveProperty('KeyName');
  });

  it('has the tags of its cluster, as its volume and its interface have', async () => {
    const { uid, ...rest } = request();
    const { id } = await machinesBy(client).launch({ uid, ...rest });
    const tags = expect.arrayContaining([
      { Key: 'petra.sh/uid', Value: uid },
      { Key: 'petra.sh/cluster', Value: 'mgmt' },
      { Key: 'petra.sh/node', Value: 'agent-0' },
      { Key: 'Name', Value: 'mgmt-agent-0' },
    ]);
    const found = await instance(id);
    expect(found.Tags).toEqual(tags);
    const byInstance = { Filters: [{ Name: 'attachment.instance-id', Values: [id] }] };
    const { Volumes } = await client.send(new DescribeVolumesCommand(byInstance));
    expect(Volumes).toMatchObject([{ Encrypted: true, VolumeType: 'gp3', Tags: tags }]);
  });

  it('asks for tags on the interface that its launch makes, and not on a reserved one', async () => {
    const { ec2, launches } = watched();
    const machines = machinesBy(ec2);
    await machines.launch(request());
    const { NetworkInterfaces } = await client.send(new DescribeNetworkInterfacesCommand({}));
    const interfaceId = NetworkInterfaces?.[0]?.NetworkInterfaceId ?? '';
    await machines.launch(request({ interfaceId }));
    const types = launches().map(({ TagSpecifications }) =>
      TagSpecifications?.map(({ ResourceType }) => ResourceType),
    );
    expect(types).toEqual([
      ['instance', 'volume', 'network-interface'],
      ['instance', 'volume'],
    ]);
    expect(launches()[1]?.NetworkInterfaces).toEqual([{ DeviceIndex: 0, NetworkInterfaceId: interfaceId }]);
  });

  it('gets its user data compressed, and unchanged', async () => {
    const { id } = await machinesBy(client).launch(request({ userData: '#cloud-config\n# größer\n' }));
    const { UserData } = await client.send(
      new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }),
    );
    const packed = Buffer.from(UserData?.Value ?? '', 'base64');
    expect(gunzipSync(packed).toString()).toBe('#cloud-config\n# größer\n');
  });

  it('takes the key, the profile and the way into the world that the settings say', async () => {
    const { ec2, launches } = watched();
    const arn = 'arn:aws:iam::123456789012:instance-profile/petra-node';
    const volumeKmsKeyId = 'arn:aws:kms:eu-central-1:123456789012:key/0f1e';
    await machinesBy(ec2, { instanceProfile: arn, volumeKmsKeyId, publicAddresses: false }).launch(request());
    expect(launches()).toMatchObject([
      {
        IamInstanceProfile: { Arn: arn },
        BlockDeviceMappings: [{ Ebs: { KmsKeyId: volumeKmsKeyId } }],
        NetworkInterfaces: [{ AssociatePublicIpAddress: false }],
      },
    ]);
  });

  it('is put into one of the zones by its name, always the same', async () => {
    const { ec2, launches } = watched();
    const machines = machinesBy(ec2);
    for (const name of ['agent-0', 'agent-1', 'agent-2', 'agent-0']) await machines.launch(request({ name }));
    const [b, a] = settings.subnetIds;
    expect(launches().map(({ NetworkInterfaces }) => NetworkInterfaces?.[0]?.SubnetId)).toEqual([a, b, a, a]);
  });

  it('is not launched where no subnet is in a zone that offers its type', async () => {
    const { ec2, launches } = watched();
    // moto knows it in eu-central-1c only.
    await expect(machinesBy(ec2).launch(request({ instanceType: 'g5g.xlarge' }))).rejects.toMatchObject({
      code: 'InstanceTypeNotOffered',
      message:
        'g5g.xlarge is offered in eu-central-1c, and the subnets of the nodes are in eu-central-1a, eu-central-1b',
    });
    expect(launches()).toEqual([]);
  });

  it.each([
    ['InsufficientInstanceCapacity', { code: 'CapacityUnavailable' }],
    ['Unsupported', { code: 'CapacityUnavailable' }],
    ['VcpuLimitExceeded', { code: 'QuotaExceeded' }],
    ['RequestLimitExceeded', { code: 'Throttled' }],
    ['InvalidNetworkInterface.InUse', { code: 'AwsUnavailable' }],
    ['UnauthorizedOperation', { code: 'AwsAccessDenied' }],
  ])('is refused with %s', async (name, expected) => {
    const { ec2 } = watched((command) => (command === 'RunInstancesCommand' ? awsError(name) : undefined));
    await expect(machinesBy(ec2).launch(request())).rejects.toMatchObject(expected);
  });

  it('that someone stopped is not replaced behind his back', async () => {
    const wanted = request();
    const machines = machinesBy(client);
    const { id } = await machines.launch(wanted);
    await client.send(new StopInstancesCommand({ InstanceIds: [id] }));
    expect(await machines.list(region, wanted.uid)).toMatchObject([{ id, state: 'stopping' }]);
    await expect(machines.launch(wanted)).rejects.toMatchObject({
      code: 'AwsUnavailable',
      fix: expect.stringContaining(id),
    });
  });
});

describe('a machine that is ended', () => {
  it('is ended beside any number of others, of which some are gone', async () => {
    const { ec2, calls } = watched();
    const machines = machinesBy(ec2);
    const wanted = request();
    const { id } = await machines.launch(wanted);
    const gone = Array.from({ length: 150 }, (_, index) => `i-${index.toString(16).padStart(17, '0')}`);
    await machines.terminate(region, [...gone, id]);
    expect(await machines.list(region, wanted.uid)).toEqual([]);
    expect(calls.filter(({ command }) => command === 'TerminateInstancesCommand')).toHaveLength(3);
  });

  it('is ended beside one that is gone, by a role that may end only what has tags', async () => {
    // moto checks no policies: this is what EC2 would say to a request with an instance that has none of the tags.
    const { ec2 } = watched((command, input) =>
      command === 'TerminateInstancesCommand' && JSON.stringify(input).includes('i-0123456789abcdef0')
        ? awsError('UnauthorizedOperation')
        : undefined,
    );
    const machines = machinesBy(ec2);
    const wanted = request();
    const { id } = await machines.launch(wanted);
    await machines.terminate(region, ['i-0123456789abcdef0', id]);
    expect(await machines.list(region, wanted.uid)).toEqual([]);
    await machines.terminate(region, ['i-0123456789abcdef0']);
  });

  it.each([
    ['UnauthorizedOperation', 'AwsAccessDenied', 'Grant'],
    ['OperationNotPermitted', 'AwsAccessDenied', 'termination protection'],
    ['InternalError', 'AwsUnavailable', 'Repeat'],
  ])('is not ended where EC2 says %s', async (name, code, fix) => {
    const { ec2 } = watched((command) =>
      command === 'TerminateInstancesCommand' ? awsError(name) : undefined,
    );
    const machines = machinesBy(ec2);
    const { id } = await machines.launch(request());
    await expect(machines.terminate(region, [id])).rejects.toMatchObject({
      code,
      fix: expect.stringContaining(fix),
    });
  });
});

describe('the console', () => {
  it('is read as it was at the last start where the type has no newer one', async () => {
    const { ec2, calls } = watched((command, input) =>
      command === 'GetConsoleOutputCommand' && 'Latest' in input && input.Latest
        ? awsError('UnsupportedOperation')
        : undefined,
    );
    const machines = machinesBy(ec2);
    const { id } = await machines.launch(request());
    expect((await machines.consoleOutput(region, id)).length).toBeGreaterThan(0);
    expect(calls.filter(({ command }) => command === 'GetConsoleOutputCommand')).toHaveLength(2);
  });
});
