// What moto has of Petra, looked up kind by kind: independent of the adapters that Petra itself looks with.

import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  type Tag,
} from '@aws-sdk/client-ec2';
import { DescribeLoadBalancersCommand, DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeSecretCommand, paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import type { Moto } from '../moto/start-moto.ts';

export interface Found {
  /** As the resource ledger calls it: `instance`, `elastic-ip` … */
  readonly type: string;
  readonly id: string;
  /** The tag's value. */
  readonly uid: string;
}

const uidTag = 'petra.sh/uid';

/** Everything in the region that has the tag and lives; without one, what has a uid of Petra. */
export async function taggedThings(moto: Moto, tag = uidTag): Promise<readonly Found[]> {
  const found = await Promise.all([ofEc2(moto, tag), ofLoadBalancing(moto, tag), ofSecrets(moto, tag)]);
  return found.flat();
}

async function ofEc2(moto: Moto, tag: string): Promise<readonly Found[]> {
  const ec2 = connectEc2(moto.config);
  const Filters = [{ Name: 'tag-key', Values: [tag] }];
  const found: Found[] = [];
  const add = (type: string, id: string | undefined, tags: readonly Tag[] | undefined) => {
    const uid = tags?.find(({ Key }) => Key === tag)?.Value;
    if (id !== undefined && uid !== undefined) found.push({ type, id, uid });
  };
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
  for (const { InstanceId, Tags, State } of Reservations.flatMap(({ Instances = [] }) => Instances))
    if (State?.Name !== 'terminated') add('instance', InstanceId, Tags);
  for (const one of (await ec2.send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces ??
    [])
    add('network-interface', one.NetworkInterfaceId, one.TagSet);
  for (const one of (await ec2.send(new DescribeAddressesCommand({ Filters }))).Addresses ?? [])
    add('elastic-ip', one.AllocationId, one.Tags);
  for (const one of (await ec2.send(new DescribeVolumesCommand({ Filters }))).Volumes ?? [])
    add('volume', one.VolumeId, one.Tags);
  for (const one of (await ec2.send(new DescribeVpcsCommand({ Filters }))).Vpcs ?? [])
    add('vpc', one.VpcId, one.Tags);
  for (const one of (await ec2.send(new DescribeSubnetsCommand({ Filters }))).Subnets ?? [])
    add('subnet', one.SubnetId, one.Tags);
  for (const one of (await ec2.send(new DescribeSecurityGroupsCommand({ Filters }))).SecurityGroups ?? [])
    add('security-group', one.GroupId, one.Tags);
  for (const one of (await ec2.send(new DescribeRouteTablesCommand({ Filters }))).RouteTables ?? [])
    add('route-table', one.RouteTableId, one.Tags);
  for (const one of (await ec2.send(new DescribeInternetGatewaysCommand({ Filters }))).InternetGateways ?? [])
    add('internet-gateway', one.InternetGatewayId, one.Tags);
  for (const one of (await ec2.send(new DescribeNatGatewaysCommand({ Filter: Filters }))).NatGateways ?? [])
    if (one.State !== 'deleted') add('natgateway', one.NatGatewayId, one.Tags);
  return found;
}

async function ofLoadBalancing(moto: Moto, tag: string): Promise<readonly Found[]> {
  const balancing = connectLoadBalancing(moto.config);
  const { LoadBalancers = [] } = await balancing.send(new DescribeLoadBalancersCommand());
  const arns = LoadBalancers.flatMap(({ LoadBalancerArn }) => LoadBalancerArn ?? []);
  if (arns.length === 0) return [];
  const { TagDescriptions = [] } = await balancing.send(new DescribeTagsCommand({ ResourceArns: arns }));
  return TagDescriptions.flatMap(({ ResourceArn: id, Tags = [] }) => {
    const uid = Tags.find(({ Key }) => Key === tag)?.Value;
    return id === undefined || uid === undefined ? [] : [{ type: 'loadbalancer', id, uid }];
  });
}

async function ofSecrets(moto: Moto, tag: string): Promise<readonly Found[]> {
  const secrets = connectSecretsManager(moto.config);
  const found: Found[] = [];
  for await (const { SecretList = [] } of paginateListSecrets({ client: secrets }, {})) {
    for (const { Name } of SecretList) {
      const { Tags = [], DeletedDate } = await secrets.send(new DescribeSecretCommand({ SecretId: Name }));
      const uid = Tags.find(({ Key }) => Key === tag)?.Value;
      if (Name !== undefined && uid !== undefined && DeletedDate === undefined)
        found.push({ type: 'secret', id: Name, uid });
    }
  }
  return found;
}

/** How many there are of each kind, for comparing runs. */
export function countByType(found: readonly Pick<Found, 'type'>[]): string {
  const counts = new Map<string, number>();
  for (const { type } of found) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, count]) => `${type} ${count}`)
    .join(', ');
}
