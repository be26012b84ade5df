import { randomUUID } from 'node:crypto';
import {
  AllocateAddressCommand,
  CreateInternetGatewayCommand,
  CreateKeyPairCommand,
  CreateNatGatewayCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  CreateVpcEndpointCommand,
  DeleteNatGatewayCommand,
  DeleteNetworkInterfaceCommand,
  DeleteVolumeCommand,
  DeleteVpcEndpointsCommand,
  DescribeSubnetsCommand,
  type EC2Client,
  ReleaseAddressCommand,
  type ResourceType,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DeleteLoadBalancerCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { GetResourcesCommandOutput } from '@aws-sdk/client-resource-groups-tagging-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { perRegion } from '../../adapters/per-region.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager-secrets.ts';
import { connectTagging } from '../../adapters/tagging-client.ts';
import { type TaggingClients, TaggingTaggedResources } from '../../adapters/tagging-tagged-resources.ts';
import { type Moto, motoAccount, startMoto } from '../moto/start-moto.ts';
import { taggedResourcesContract } from './tagged-resources.contract.ts';

const region = 'eu-central-1';
const elsewhere = 'us-west-2';
let moto: Moto;
let clients: TaggingClients;
let ec2: EC2Client;
let balancing: ElasticLoadBalancingV2Client;
let tagged: TaggingTaggedResources;
let subnetId: string;

beforeAll(async () => {
  moto = await startMoto({ region });
  clients = {
    tagging: perRegion((one) => connectTagging({ ...moto.config, region: one })),
    ec2: perRegion((one) => connectEc2({ ...moto.config, region: one })),
    loadBalancing: perRegion((one) => connectLoadBalancing({ ...moto.config, region: one })),
    secrets: perRegion((one) => connectSecretsManager({ ...moto.config, region: one })),
  };
  ec2 = clients.ec2(region);
  balancing = clients.loadBalancing(region);
  tagged = new TaggingTaggedResources(clients, region);
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand());
  subnetId = Subnets?.[0]?.SubnetId ?? '';
});
afterAll(() => moto?.stop());

function specification(type: ResourceType, uid: string, cluster = 'contract') {
  const Tags = [
    { Key: 'petra.sh/uid', Value: uid },
    { Key: 'petra.sh/cluster', Value: cluster },
  ];
  return { TagSpecifications: [{ ResourceType: type, Tags }] };
}

async function launch(uid: string, cluster?: string): Promise<string> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      // moto takes any image.
      ImageId: 'ami-0123456789abcdef0',
      InstanceType: 't3.small',
      MinCount: 1,
      MaxCount: 1,
      ...specification('instance', uid, cluster),
    }),
  );
  return Instances?.[0]?.InstanceId ?? '';
}

async function makeInterface(uid: string): Promise<string> {
  const { NetworkInterface } = await ec2.send(
    new CreateNetworkInterfaceCommand({ SubnetId: subnetId, ...specification('network-interface', uid) }),
  );
  return NetworkInterface?.NetworkInterfaceId ?? '';
}

// Petra's own machines and networks have contracts of their own; here they only make something to find.
taggedResourcesContract('the tagging API (moto)', async () => ({
  tagged,
  region,
  instanceType: 't3.small',
  machines: {
    launch: async ({ uid, cluster, name, role }) => ({
      id: await launch(uid, cluster),
      name,
      role,
      state: 'running',
      address: '10.0.0.1',
    }),
    terminate: async (_, ids) => {
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
    },
  },
  networks: {
    reserveInterface: async ({ uid, name }) => ({
      id: await makeInterface(uid),
      name,
      address: '10.0.0.1',
    }),
    releaseInterface: async (_, id) => {
      await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }));
    },
  },
  secrets: new SecretsManagerSecrets(clients.secrets(region)),
}));

describe('tagged resources on AWS', () => {
  function find(uid: string, where = region, by = tagged) {
    return by.find(where, { key: 'petra.sh/uid', value: uid });
  }

  async function network(uid: string) {
    const vpc = await ec2.send(
      new CreateVpcCommand({ CidrBlock: '10.9.0.0/16', ...specification('vpc', uid) }),
    );
    const VpcId = vpc.Vpc?.VpcId ?? '';
    const subnet = await ec2.send(
      new CreateSubnetCommand({ VpcId, CidrBlock: '10.9.0.0/24', ...specification('subnet', uid) }),
    );
    const address = await ec2.send(
      new AllocateAddressCommand({ Domain: 'vpc', ...specification('elastic-ip', uid) }),
    );
    const nat = await ec2.send(
      new CreateNatGatewayCommand({
        SubnetId: subnet.Subnet?.SubnetId,
        AllocationId: address.AllocationId,
        ...specification('natgateway', uid),
      }),
    );
    const group = await ec2.send(
      new CreateSecurityGroupCommand({
        VpcId,
        GroupName: uid,
        Description: 'any',
        ...specification('security-group', uid),
      }),
    );
    const routes = await ec2.send(
      new CreateRouteTableCommand({ VpcId, ...specification('route-table', uid) }),
    );
    const gateway = await ec2.send(
      new CreateInternetGatewayCommand({ ...specification('internet-gateway', uid) }),
    );
    const endpoint = await ec2.send(
      new CreateVpcEndpointCommand({
        VpcId,
        ServiceName: `com.amazonaws.${region}.s3`,
        VpcEndpointType: 'Gateway',
        ...specification('vpc-endpoint', uid),
      }),
    );
    const volume = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1, ...specification('volume', uid) }),
    );
    return {
      'ec2:vpc': VpcId,
      'ec2:subnet': subnet.Subnet?.SubnetId,
      'ec2:elastic-ip': address.AllocationId,
      'ec2:natgateway': nat.NatGateway?.NatGatewayId,
      'ec2:security-group': group.GroupId,
      'ec2:route-table': routes.RouteTable?.RouteTableId,
      'ec2:internet-gateway': gateway.InternetGateway?.InternetGatewayId,
      'ec2:vpc-endpoint': endpoint.VpcEndpoint?.VpcEndpointId,
      'ec2:volume': volume.VolumeId,
    };
  }

  it('are every part of a network, without those that were deleted', async () => {
    const uid = randomUUID();
    const made = await network(uid);
    const asFound = () =>
      find(uid).then((found) => Object.fromEntries(found.map(({ type, id }) => [type, id])));
    expect(await asFound()).toEqual(made);
    await ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: made['ec2:natgateway'] }));
    await ec2.send(new ReleaseAddressCommand({ AllocationId: made['ec2:elastic-ip'] }));
    await ec2.send(new DeleteVolumeCommand({ VolumeId: made['ec2:volume'] }));
    await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [made['ec2:vpc-endpoint'] ?? ''] }));
    const left = await asFound();
    expect(Object.keys(left).sort()).toEqual([
      'ec2:internet-gateway',
      'ec2:route-table',
      'ec2:security-group',
      'ec2:subnet',
      'ec2:vpc',
    ]);
  });

  it('include what Petra cannot look up', async () => {
    const uid = randomUUID();
    const { KeyPairId } = await ec2.send(
      new CreateKeyPairCommand({ KeyName: uid, ...specification('key-pair', uid) }),
    );
    expect(await find(uid)).toEqual([{ type: 'ec2:key-pair', id: KeyPairId }]);
  });

  it("include secrets in Petra's own region, when the cluster is in another", async () => {
    const uid = randomUUID();
    const name = `petra/${uid}/kubeconfig`;
    await new SecretsManagerSecrets(clients.secrets(region)).put({ name, cluster: 'x', uid, value: 'x' });
    await makeInterface(uid);
    expect(await find(uid, elsewhere)).toEqual([{ type: 'secretsmanager:secret', id: name }]);
  });

  it('include load balancers with their parts, by ARN, until they are deleted', async () => {
    const uid = randomUUID();
    const Tags = [{ Key: 'petra.sh/uid', Value: uid }];
    const Name = `b${uid.slice(0, 8)}`;
    const made = await balancing.send(
      new CreateLoadBalancerCommand({ Name, Type: 'network', Subnets: [subnetId], Tags }),
    );
    const LoadBalancerArn = made.LoadBalancers?.[0]?.LoadBalancerArn ?? '';
    const group = await balancing.send(
      new CreateTargetGroupCommand({ Name, Protocol: 'TCP', Port: 6443, VpcId: await anyVpc(), Tags }),
    );
    const TargetGroupArn = group.TargetGroups?.[0]?.TargetGroupArn ?? '';
    await balancing.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Port: 6443,
        Protocol: 'TCP',
        DefaultActions: [{ Type: 'forward', TargetGroupArn }],
        Tags,
      }),
    );
    const types = () => find(uid).then((found) => found.map(({ type }) => type).sort());
    const before = await find(uid);
    expect(before).toContainEqual({ type: 'elasticloadbalancing:loadbalancer', id: LoadBalancerArn });
    expect(before).toContainEqual({ type: 'elasticloadbalancing:targetgroup', id: TargetGroupArn });
    await balancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    expect(await types()).not.toContain('elasticloadbalancing:loadbalancer');
  });

  it('are not what the tagging API still knows of things long gone', async () => {
    const gone = (service: string, resource: string) =>
      `arn:aws:${service}:${region}:${motoAccount}:${resource}`;
    const remembering = remember([
      gone('ec2', 'instance/i-0123456789abcdef0'),
      gone('ec2', 'natgateway/nat-0123456789abcdef0'),
      gone('ec2', 'elastic-ip/eipalloc-0123456789abcdef0'),
      gone('secretsmanager', 'secret:petra/gone/kubeconfig-AbC123'),
      gone('elasticloadbalancing', 'loadbalancer/net/gone/0123456789abcdef'),
      gone('elasticloadbalancing', 'targetgroup/gone/0123456789abcdef'),
      gone('elasticloadbalancing', 'listener/net/gone/0123456789abcdef/0123456789abcdef'),
      gone('elasticloadbalancing', 'loadbalancer/classic'),
      gone('sqs', 'queue'),
    ]);
    expect(await find(randomUUID(), region, remembering)).toEqual([
      { type: 'elasticloadbalancing:loadbalancer', id: gone('elasticloadbalancing', 'loadbalancer/classic') },
      { type: 'sqs:resource', id: gone('sqs', 'queue') },
    ]);
  });

  it('are read in pages', async () => {
    const uid = randomUUID();
    const ids = await Promise.all(Array.from({ length: 130 }, () => makeInterface(uid)));
    expect((await find(uid)).map(({ id }) => id).sort()).toEqual(ids.sort());
  });

  it("are refused in Petra's words", async () => {
    const broken = new TaggingTaggedResources(
      {
        ...clients,
        ec2: () => connectEc2({ ...moto.config, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }),
      },
      region,
    );
    await expect(find('x', region, broken)).rejects.toMatchObject({ code: 'AwsUnavailable' });
  });

  async function anyVpc(): Promise<string> {
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
    return Subnets?.[0]?.VpcId ?? '';
  }

  /** The adapter, with a tagging API that answers with these ARNs. */
  function remember(arns: readonly string[]): TaggingTaggedResources {
    const tagging = connectTagging(moto.config);
    tagging.middlewareStack.add(
      (next) => async (input) => {
        const result = await next(input);
        // The one call that this client is used for.
        const output = result.output as GetResourcesCommandOutput;
        output.ResourceTagMappingList = arns.map((ResourceARN) => ({ ResourceARN }));
        return result;
      },
      { step: 'initialize' },
    );
    return new TaggingTaggedResources({ ...clients, tagging: () => tagging }, region);
  }
});
