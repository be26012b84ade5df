// What CAPA makes on AWS for an AWSCluster, as ids and tags. Pure: the ids follow from the object's uid.

import { capaTag } from '../../core/capi/capa-tag.ts';
import { isTrueAt, listAt, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { zonesOf } from '../cloud/offerings.ts';
import { labels } from './kinds.ts';
import { awsId, suffix } from './naming.ts';

export type Milestone =
  | 'vpc'
  | 'subnets'
  | 'internetGateway'
  | 'natGateways'
  | 'routeTables'
  | 'securityGroups'
  | 'loadBalancer';

export interface AwsResource {
  readonly milestone: Milestone;
  /** As the tagging API names it. */
  readonly type: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface AwsNetwork {
  readonly region: string;
  readonly zones: readonly string[];
  readonly vpcId: string;
  readonly subnets: readonly {
    readonly id: string;
    readonly zone: string;
    readonly isPublic: boolean;
    readonly cidrBlock: string;
  }[];
  readonly securityGroups: Readonly<Record<string, string>>;
  readonly loadBalancerName: string;
  readonly loadBalancerHost: string;
  /** What is made, and removed again; an existing VPC and its subnets are not in it. */
  readonly resources: readonly AwsResource[];
}

/** CAPA's default of `availabilityZoneUsageLimit`. */
const defaultZones = 3;
const securityGroupRoles = ['bastion', 'controlplane', 'apiserver-lb', 'lb', 'node'];

/** The name of the Cluster an object belongs to. */
function clusterNameOf(object: KubernetesObject): string {
  return object.metadata.labels?.[labels.clusterName] ?? object.metadata.name;
}

/** The tags of everything that CAPA makes for a cluster. */
export function ownedTags(
  awsCluster: KubernetesObject,
  name: string,
  role: string,
): Readonly<Record<string, string>> {
  const prefix = 'sigs.k8s.io/cluster-api-provider-aws';
  return {
    ...textsAt(awsCluster, 'spec', 'additionalTags'),
    Name: name,
    [`${prefix}/cluster/${clusterNameOf(awsCluster)}`]: 'owned',
    [`${prefix}/role`]: role,
  };
}

/** What there is, or will be, on AWS for this AWSCluster. */
export function networkOf(awsCluster: KubernetesObject, defaultRegion: string): AwsNetwork {
  const cluster = clusterNameOf(awsCluster);
  const seed = awsCluster.metadata.uid ?? awsCluster.metadata.name;
  const region = textAt(awsCluster, 'spec', 'region') ?? defaultRegion;
  const vpc = recordAt(awsCluster, 'spec', 'network', 'vpc');
  const givenVpc = isOwned(vpc, cluster) ? undefined : textAt(vpc, 'id');
  const givenSubnets = listAt(awsCluster, 'spec', 'network', 'subnets').filter(
    (subnet) => textAt(subnet, 'id') !== undefined && !isOwned(subnet, cluster),
  );
  const zones = usedZones(region, vpc, givenSubnets);
  const subnets =
    givenSubnets.length > 0
      ? givenSubnets.map((subnet, i) => ({
          id: textAt(subnet, 'id') ?? '',
          zone: textAt(subnet, 'availabilityZone') ?? zones[i % zones.length] ?? '',
          isPublic: isTrueAt(subnet, 'isPublic'),
          cidrBlock: textAt(subnet, 'cidrBlock') ?? '',
        }))
      : zones.flatMap((zone, i) => [
          {
            id: awsId('subnet', `${seed}/private/${zone}`),
            zone,
            isPublic: false,
            cidrBlock: `10.0.${64 * (i + 1)}.0/18`,
          },
          {
            id: awsId('subnet', `${seed}/public/${zone}`),
            zone,
            isPublic: true,
            cidrBlock: `10.0.${16 * i}.0/20`,
          },
        ]);
  const securityGroups = Object.fromEntries(
    securityGroupRoles.map((role) => [role, awsId('sg', `${seed}/${role}`)]),
  );
  const vpcId = givenVpc ?? awsId('vpc', seed);
  const loadBalancerName = `${cluster}-apiserver`.slice(0, 32).replace(/-$/, '');
  const loadBalancerId = awsId('lb', seed).slice(4, 20);
  const resource = (milestone: Milestone, type: string, id: string, name: string, role = 'common') => ({
    milestone,
    type,
    id,
    tags: ownedTags(awsCluster, name, role),
  });
  const resources: AwsResource[] = [
    ...Object.entries(securityGroups).map(([role, id]) =>
      resource('securityGroups', 'ec2:security-group', id, `${cluster}-${role}`, role),
    ),
    resource(
      'loadBalancer',
      'elasticloadbalancing:loadbalancer',
      `arn:aws:elasticloadbalancing:${region}:000000000000:loadbalancer/net/${loadBalancerName}/${loadBalancerId}`,
      loadBalancerName,
      'apiserver',
    ),
  ];
  if (givenVpc === undefined) {
    resources.push(
      resource('vpc', 'ec2:vpc', vpcId, `${cluster}-vpc`),
      ...subnets.map(({ id, zone, isPublic }) => {
        const role = isPublic ? 'public' : 'private';
        return resource('subnets', 'ec2:subnet', id, `${cluster}-subnet-${role}-${zone}`, role);
      }),
      resource('internetGateway', 'ec2:internet-gateway', awsId('igw', seed), `${cluster}-igw`),
      ...zones.flatMap((zone) => [
        resource(
          'natGateways',
          'ec2:elastic-ip',
          awsId('eipalloc', `${seed}/${zone}`),
          `${cluster}-eip-${zone}`,
        ),
        resource('natGateways', 'ec2:natgateway', awsId('nat', `${seed}/${zone}`), `${cluster}-nat-${zone}`),
      ]),
      ...subnets.map(({ id, zone, isPublic }) =>
        resource(
          'routeTables',
          'ec2:route-table',
          awsId('rtb', `${seed}/${id}`),
          `${cluster}-rt-${isPublic ? 'public' : 'private'}-${zone}`,
        ),
      ),
    );
  }
  return {
    region,
    zones,
    vpcId,
    subnets,
    securityGroups,
    loadBalancerName,
    loadBalancerHost: `${loadBalancerName}-${loadBalancerId}.elb.${region}.amazonaws.com`,
    resources,
  };
}

/** The subnet a machine is put into: in its failure domain, or else the first, private ones before public ones. */
export function subnetFor(network: AwsNetwork, zone: string | undefined) {
  const fitting = network.subnets.filter((subnet) => zone === undefined || subnet.zone === zone);
  return fitting.find(({ isPublic }) => !isPublic) ?? fitting[0] ?? network.subnets[0];
}

/** A private address in the network, likely to be a machine's own. */
export function privateAddress(seed: string): string {
  const digits = suffix(seed, 4);
  const part = (from: number) => digits.charCodeAt(from) * 7 + digits.charCodeAt(from + 1) * 13;
  return `10.0.${64 + (part(0) % 64)}.${4 + (part(2) % 250)}`;
}

function usedZones(region: string, vpc: unknown, subnets: readonly unknown[]): readonly string[] {
  const given = subnets
    .map((subnet) => textAt(subnet, 'availabilityZone'))
    .filter((zone) => zone !== undefined);
  if (given.length > 0) return [...new Set(given)];
  const limit = numberAt(vpc, 'availabilityZoneUsageLimit') ?? defaultZones;
  const zones = zonesOf(region);
  // A region that the simulated EC2 does not know has three, as most have.
  return (zones.length > 0 ? zones : ['a', 'b', 'c'].map((letter) => `${region}${letter}`)).slice(0, limit);
}

/** CAPA writes what it made back into the spec, and knows it by its tag. */
function isOwned(part: unknown, cluster: string): boolean {
  const { key, value } = capaTag(cluster);
  return textsAt(part, 'tags')[key] === value;
}
