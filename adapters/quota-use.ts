// How much of what AWS limits an account has in a region, counted as the quotas count it. Errors are the SDK's own.

import {
  DescribeAddressesCommand,
  type EC2Client,
  type Instance,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeNatGateways,
  paginateDescribeSubnets,
  paginateDescribeVpcs,
} from '@aws-sdk/client-ec2';
import {
  type ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { QuotaName } from '../core/ports.ts';
import { typesOf } from './ec2-regions.ts';

export interface QuotaClients {
  readonly ec2: EC2Client;
  readonly loadBalancing: ElasticLoadBalancingV2Client;
}

/** EC2 takes at most 200 values in one filter. */
const valuesAtOnce = 200;

/** Families of the quota for Standard instances. Others that begin alike (inf, trn, hpc, dl, mac …) have their own. */
const standardFamily = /^(?:[acdhimrtz]|im|is)\d/;

export const quotaUse: Readonly<Record<QuotaName, (clients: QuotaClients) => Promise<number>>> = {
  standardVcpus,
  elasticIps: async ({ ec2 }) => {
    const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    // Addresses that someone brought along are not counted.
    return Addresses.filter(({ PublicIpv4Pool = 'amazon' }) => PublicIpv4Pool === 'amazon').length;
  },
  natGatewaysPerZone: natGatewaysOfFullestZone,
  vpcs: async ({ ec2 }) => {
    let count = 0;
    for await (const { Vpcs = [] } of paginateDescribeVpcs({ client: ec2 }, {})) count += Vpcs.length;
    return count;
  },
  internetGateways: async ({ ec2 }) => {
    let count = 0;
    for await (const { InternetGateways = [] } of paginateDescribeInternetGateways({ client: ec2 }, {}))
      count += InternetGateways.length;
    return count;
  },
  networkLoadBalancers: async ({ loadBalancing }) => {
    let count = 0;
    for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers({ client: loadBalancing }, {}))
      count += LoadBalancers.filter(({ Type }) => Type === 'network').length;
    return count;
  },
};

/** What runs On-Demand, by the vCPUs of its type. Capacity that is reserved and not used would count too, and is not seen here. */
async function standardVcpus({ ec2 }: QuotaClients): Promise<number> {
  const instances = new Map<string, number>();
  const Filters = [{ Name: 'instance-state-name', Values: ['pending', 'running'] }];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters }))
    for (const instance of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      const type = instance.InstanceType;
      if (type !== undefined && isStandardOnDemand(instance))
        instances.set(type, (instances.get(type) ?? 0) + 1);
    }
  let vcpus = 0;
  const types = [...instances.keys()];
  for (let start = 0; start < types.length; start += valuesAtOnce)
    for (const [type, known] of await typesOf(ec2, types.slice(start, start + valuesAtOnce)))
      vcpus += known.vcpus * (instances.get(type) ?? 0);
  return vcpus;
}

function isStandardOnDemand({ InstanceType, InstanceLifecycle, Placement }: Instance): boolean {
  // Spot Instances have a quota of their own, as have Dedicated Hosts.
  return (
    InstanceLifecycle !== 'spot' && Placement?.Tenancy !== 'host' && standardFamily.test(InstanceType ?? '')
  );
}

async function natGatewaysOfFullestZone({ ec2 }: QuotaClients): Promise<number> {
  const subnets = new Map<string, number>();
  // "NAT gateways only count toward your quota in the pending, active, and deleting states" (Amazon VPC quotas).
  const Filter = [{ Name: 'state', Values: ['pending', 'available', 'deleting'] }];
  for await (const { NatGateways = [] } of paginateDescribeNatGateways({ client: ec2 }, { Filter }))
    for (const { SubnetId = '' } of NatGateways) subnets.set(SubnetId, (subnets.get(SubnetId) ?? 0) + 1);
  const zones = new Map<string, number>();
  const ids = [...subnets.keys()];
  for (let start = 0; start < ids.length; start += valuesAtOnce) {
    const Filters = [{ Name: 'subnet-id', Values: ids.slice(start, start + valuesAtOnce) }];
    for await (const { Subnets = [] } of paginateDescribeSubnets({ client: ec2 }, { Filters }))
      for (const { AvailabilityZone = '', SubnetId = '' } of Subnets)
        zones.set(AvailabilityZone, (zones.get(AvailabilityZone) ?? 0) + (subnets.get(SubnetId) ?? 0));
  }
  return Math.max(0, ...zones.values());
}
