// What will be made for a cluster, counted before any of it is.

import { availabilityZones } from '../capi/cluster-spec.ts';
import type { ClusterSpec } from '../capi/spec-schema.ts';
import type { InstanceType, QuotaName } from '../ports.ts';
import { type MachineGroup, machineGroups } from './machine-groups.ts';
import { standardFamily, vcpuFamilyOf } from './vcpu-families.ts';

/** Everything that is counted, for the API and the command line. */
export interface PreflightPlan {
  /** Of a network made for the cluster: the zones CAPA will take. Empty where the network is given. */
  readonly zones: readonly string[];
  readonly items: readonly PlannedItem[];
  /** What this preflight does not look at, by its nature. */
  readonly unchecked: readonly string[];
}

/** One kind of thing. */
export interface PlannedItem {
  /** For example `NAT gateways`. */
  readonly what: string;
  /** How many the finished cluster has. */
  readonly count: number;
  /** How many of them an earlier attempt left. */
  readonly existing: number;
  /** How many more there are for a while when its machines are replaced, as an upgrade does. */
  readonly surge: number;
  /** Where the number comes from. */
  readonly because: string;
  /** The quota that limits it, where its use was read. */
  readonly quota?: { readonly code: string; readonly used: number; readonly limit: number };
}

/** An item with the quota it counts against. */
export interface CountedItem extends PlannedItem {
  readonly limitedBy?: QuotaName;
  /** What of the quota is still to be taken, where that is not `count - existing`. */
  readonly stillNeeded?: number;
}

/** What an earlier attempt left of a cluster. */
export interface Existing {
  readonly servers: number;
  readonly agents: number;
  readonly elasticIps: number;
  readonly natGateways: number;
  readonly vpcs: number;
  readonly internetGateways: number;
  readonly loadBalancers: number;
}

export const nothing: Existing = {
  servers: 0,
  agents: 0,
  elasticIps: 0,
  natGateways: 0,
  vpcs: 0,
  internetGateways: 0,
  loadBalancers: 0,
};

interface Counting {
  readonly spec: ClusterSpec;
  /** What the types are, as far as that is known. */
  readonly types: ReadonlyMap<string, InstanceType>;
  readonly existing: Existing;
}

/** What init makes. Its machines are replaced by nobody but a person, one after the other is gone: no surge. */
export function countManagement(
  counting: Counting & { readonly publicAddresses: boolean },
): readonly CountedItem[] {
  const { spec, existing, publicAddresses } = counting;
  const servers = spec.spec.nodes.controlPlane.count;
  const machines = servers + spec.spec.nodes.workers.count;
  return [
    ...machineItems(counting, 0),
    item('network interfaces', machines, 'one for each machine', {
      existing: existing.servers + existing.agents,
    }),
    ...(publicAddresses
      ? [
          item('Elastic IPs', servers, 'one for each control-plane machine, which reaches the world by it', {
            existing: existing.elasticIps,
            limitedBy: 'elasticIps',
          }),
        ]
      : []),
  ];
}

/**
 * What CAPA makes for a workload cluster (CAPA v2, pkg/cloud/services/network). A network of its own has in each zone a public
 * and a private subnet, a NAT gateway and that gateway's Elastic IP. The load balancer's addresses are AWS's own.
 */
export function countWorkload(
  counting: Counting & { readonly zones: readonly string[] },
): readonly CountedItem[] {
  const { spec, existing } = counting;
  const machines = spec.spec.nodes.controlPlane.count + spec.spec.nodes.workers.count;
  const groups = machineGroups(spec).length;
  const network = spec.spec.target.network;
  const loadBalancer = item('network load balancers', 1, "for the cluster's API", {
    existing: existing.loadBalancers,
    limitedBy: 'networkLoadBalancers',
  });
  const interfaces = (others: number, because: string) =>
    item('network interfaces', machines + others, `one for each machine, ${because}`, {
      existing: existing.servers + existing.agents,
      surge: surgeOfGroup * groups,
    });
  if (network?.vpcId !== undefined) {
    const subnets = network.subnetIds?.length ?? 0;
    return [
      ...machineItems(counting, surgeOfGroup),
      interfaces(subnets, 'and one of the load balancer in each subnet'),
      loadBalancer,
    ];
  }
  const zones = counting.zones.length;
  return [
    ...machineItems(counting, surgeOfGroup),
    interfaces(2 * zones, 'and of NAT gateway and load balancer in each zone'),
    item('VPCs', 1, 'a network of its own', { existing: existing.vpcs, limitedBy: 'vpcs' }),
    item('internet gateways', 1, 'one for the VPC', {
      existing: existing.internetGateways,
      limitedBy: 'internetGateways',
    }),
    item('NAT gateways', zones, `one ${zones === 1 ? '' : 'each '}in ${counting.zones.join(', ')}`, {
      existing: existing.natGateways,
      limitedBy: 'natGatewaysPerZone',
      // The quota is per zone, and each zone gets one.
      stillNeeded: existing.natGateways < zones ? 1 : 0,
    }),
    item('Elastic IPs', zones, 'one for each NAT gateway', {
      existing: existing.elasticIps,
      limitedBy: 'elasticIps',
    }),
    loadBalancer,
  ];
}

/**
 * The zones in which CAPA makes a network: by their names, the first of the region (`availabilityZoneSelection: Ordered`, CAPA's
 * default). Without the region's zones, which could not be read, as many unnamed ones as are asked for.
 */
export function usedZones(spec: ClusterSpec, ofRegion: readonly string[] | undefined): readonly string[] {
  if (spec.spec.target.network?.vpcId !== undefined) return [];
  const asked = availabilityZones(spec);
  const zones = ofRegion ?? Array.from({ length: asked }, (_, index) => `zone ${index + 1}`);
  return zones.toSorted().slice(0, asked);
}

/**
 * How many machines more a group has while its machines are replaced: the k3s control plane adds one before it removes one
 * (cluster-api-k3s v0.3.1, upgradeControlPlane), and so does a MachineDeployment that says nothing of it (Cluster API's default:
 * maxSurge 1, maxUnavailable 0).
 */
const surgeOfGroup = 1;

function machineItems(counting: Counting, surge: number): readonly CountedItem[] {
  const groups = machineGroups(counting.spec);
  return [
    ...groups.map((group) =>
      item(`${group.instanceType} instances`, group.count, `${group.role}, ${group.path}`, {
        existing: existingOf(group, counting.existing),
        surge,
      }),
    ),
    ...vcpuItems(groups, counting, surge),
  ];
}

/** One line for each quota of vCPUs that is touched. Types that nobody knows are left out. */
function vcpuItems(
  groups: readonly MachineGroup[],
  counting: Counting,
  surge: number,
): readonly CountedItem[] {
  const known = groups.flatMap((group) => {
    const vcpus = counting.types.get(group.instanceType)?.vcpus;
    const family = vcpuFamilyOf(group.instanceType)?.title ?? 'other';
    return vcpus === undefined ? [] : [{ group, vcpus, family }];
  });
  return [...Map.groupBy(known, ({ family }) => family)].map(([family, members]) =>
    item(
      `${family} vCPUs`,
      sum(members.map(({ group, vcpus }) => group.count * vcpus)),
      members.map(({ group, vcpus }) => `${group.count} × ${vcpus} (${group.instanceType})`).join(' + '),
      {
        existing: sum(members.map(({ group, vcpus }) => existingOf(group, counting.existing) * vcpus)),
        surge: sum(members.map(({ vcpus }) => surge * vcpus)),
        ...(family === standardFamily ? { limitedBy: 'standardVcpus' } : {}),
      },
    ),
  );
}

function existingOf({ role, count }: MachineGroup, existing: Existing): number {
  return Math.min(count, role === 'control plane' ? existing.servers : existing.agents);
}

function item(
  what: string,
  count: number,
  because: string,
  more: Partial<Pick<CountedItem, 'existing' | 'surge' | 'limitedBy' | 'stillNeeded'>> = {},
): CountedItem {
  return { what, count, existing: 0, surge: 0, because, ...more };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
