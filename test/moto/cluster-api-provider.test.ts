import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ubuntuImage, ubuntuOwner } from '../../core/capi/class-templates.ts';
import { type Moto, startMoto } from './start-moto.ts';

describe('moto for the AWS provider of Cluster API', () => {
  let moto: Moto;
  let ec2: EC2Client;
  let balancing: ElasticLoadBalancingV2Client;
  let subnet: string;
  beforeAll(async () => {
    moto = await startMoto({ region: 'us-west-1', environment: { CLUSTER_API_PROVIDER: 'true' } });
    ec2 = new EC2Client(moto.config);
    balancing = new ElasticLoadBalancingV2Client(moto.config);
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: '10.0.0.0/24' }),
    );
    subnet = Subnet?.SubnetId ?? '';
  });
  afterAll(async () => {
    ec2?.destroy();
    balancing?.destroy();
    await moto?.stop();
  });

  async function balancer(Name: string): Promise<{ readonly arn: string; readonly name: string }> {
    const request = new CreateLoadBalancerCommand({ Name, Type: 'network', Subnets: [subnet] });
    const { LoadBalancers: [made] = [] } = await balancing.send(request);
    return { arn: made?.LoadBalancerArn ?? '', name: made?.DNSName ?? '' };
  }

  it.each([
    ['amd64', 'x86_64', ubuntuOwner.aws],
    ['arm64', 'arm64', ubuntuOwner.aws],
    ['amd64', 'x86_64', ubuntuOwner['aws-us-gov']],
  ])('has the Ubuntu image for %s that the ClusterClass asks for', async (architecture, expected, owner) => {
    const request = new DescribeImagesCommand({
      Owners: [owner],
      Filters: [{ Name: 'name', Values: [ubuntuImage(architecture)] }],
    });
    const { Images = [] } = await ec2.send(request);
    expect(Images.map(({ Architecture }) => Architecture)).toEqual([expected]);
  });

  it('calls each load balancer by an address that no other ever had', async () => {
    const first = await balancer('first');
    await balancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: first.arn }));
    const second = await balancer('second');
    expect([first.name, second.name]).toEqual([
      expect.stringMatching(/^10\.250\.0\.\d+$/),
      expect.stringMatching(/^10\.250\.0\.\d+$/),
    ]);
    expect(second.name).not.toBe(first.name);
  });

  it('finds no target groups of a load balancer that has none, rather than an error', async () => {
    const { arn: LoadBalancerArn } = await balancer('bare');
    const { TargetGroups } = await balancing.send(new DescribeTargetGroupsCommand({ LoadBalancerArn }));
    expect(TargetGroups).toEqual([]);
  });

  it('still knows no target group that was never made', async () => {
    const request = new DescribeTargetGroupsCommand({ Names: ['never'] });
    await expect(balancing.send(request)).rejects.toMatchObject({ name: 'TargetGroupNotFoundException' });
  });

  it('ends the network interface of an instance with it', async () => {
    const request = { ImageId: 'ami-00000000000002404', MinCount: 1, MaxCount: 1 };
    const NetworkInterfaces = [{ DeviceIndex: 0, SubnetId: subnet }];
    const { Instances = [] } = await ec2.send(new RunInstancesCommand({ ...request, NetworkInterfaces }));
    const InstanceIds = Instances.map(({ InstanceId = '' }) => InstanceId);
    const made = Instances.flatMap(({ NetworkInterfaces: all = [] }) => all);
    expect(made).toHaveLength(1);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
    const left = await ec2.send(new DescribeNetworkInterfacesCommand({}));
    const ids = (left.NetworkInterfaces ?? []).map(({ NetworkInterfaceId }) => NetworkInterfaceId);
    expect(ids).not.toContain(made[0]?.NetworkInterfaceId);
  });

  it('refuses a launch with an instance profile that is not there, as EC2 does', async () => {
    const request = { ImageId: 'ami-00000000000002404', MinCount: 1, MaxCount: 1, SubnetId: subnet };
    const IamInstanceProfile = { Name: 'nobody' };
    await expect(ec2.send(new RunInstancesCommand({ ...request, IamInstanceProfile }))).rejects.toMatchObject(
      {
        name: 'InvalidParameterValue',
        message: expect.stringContaining('Invalid IAM Instance Profile name'),
      },
    );
  });

  it('lets instances run soon after they are launched', async () => {
    const request = { ImageId: 'ami-00000000000002404', MinCount: 1, MaxCount: 1, SubnetId: subnet };
    const { Instances = [] } = await ec2.send(new RunInstancesCommand(request));
    const InstanceIds = Instances.map(({ InstanceId = '' }) => InstanceId);
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
    expect(Reservations[0]?.Instances?.[0]?.State?.Name).toBe('running');
  });
});
