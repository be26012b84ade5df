// CAPA's AWSCluster controller, in simulated time.
// Simulated: the order and names of its conditions, ids and tags of what it makes, an existing VPC, removal, faults.
// Not simulated: routes, security group rules, bastions, S3 buckets, changes of a network after it is made.

import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { type AwsNetwork, type Milestone, networkOf } from './aws-network.ts';
import {
  type Condition,
  condition,
  conditionsAfter,
  isConditionTrue,
  presentCondition,
  summary,
} from './conditions.ts';
import type { Controller } from './controller.ts';
import {
  infrastructureMilestones,
  pollSeconds,
  infrastructureRemovalMilestones as removalMilestones,
} from './durations.ts';
import { noteTime, remaining, soonest } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isKind, kinds } from './kinds.ts';
import { ownerOf } from './lookups.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, setConditions } from './writes.ts';

/** In the order in which CAPA reconciles them. */
const milestones: readonly { readonly name: Milestone; readonly condition: string }[] = [
  { name: 'vpc', condition: 'VpcReady' },
  { name: 'subnets', condition: 'SubnetsReady' },
  { name: 'internetGateway', condition: 'InternetGatewayReady' },
  { name: 'natGateways', condition: 'NatGatewaysReady' },
  { name: 'routeTables', condition: 'RouteTablesReady' },
  { name: 'securityGroups', condition: 'ClusterSecurityGroupsReady' },
  { name: 'loadBalancer', condition: 'LoadBalancerReady' },
];

/** What CAPA tells while it is busy with a part; of the others it says nothing until the next time it writes. */
const startedReasons: Partial<Readonly<Record<Milestone, string>>> = {
  natGateways: 'NatGatewaysCreationStarted',
};

/** Conditions that count for Ready, in this order (capa-2.7.2/pkg/cloud/scope/cluster.go, `PatchObject`). */
const summarized = [
  'VpcReady',
  'SubnetsReady',
  'ClusterSecurityGroupsReady',
  'LoadBalancerReady',
  'InternetGatewayReady',
  'NatGatewaysReady',
  'RouteTablesReady',
  'VpcEndpointsReadyCondition',
];

/** The parts in the order in which they go: nothing can go before what uses it. Some are never made, yet told. */
const removals: readonly {
  readonly condition: string;
  readonly part?: Milestone;
  /** Simulated seconds since the deletion began. */
  readonly after: number;
}[] = [
  { condition: 'LoadBalancerReady', part: 'loadBalancer', after: removalMilestones.loadBalancer },
  {
    condition: 'ClusterSecurityGroupsReady',
    part: 'securityGroups',
    after: removalMilestones.securityGroups,
  },
  { condition: 'VpcEndpointsReadyCondition', after: removalMilestones.securityGroups },
  { condition: 'RouteTablesReady', part: 'routeTables', after: removalMilestones.routeTables },
  { condition: 'NatGatewaysReady', part: 'natGateways', after: removalMilestones.natGateways },
  { condition: 'InternetGatewayReady', part: 'internetGateway', after: removalMilestones.network },
  { condition: 'EgressOnlyInternetGatewayReady', after: removalMilestones.network },
  { condition: 'SubnetsReady', part: 'subnets', after: removalMilestones.network },
  { condition: 'VpcReady', part: 'vpc', after: removalMilestones.network },
];

export function awsClusterController(environment: Environment): Controller {
  const { store, cluster } = environment;
  return {
    name: 'awscluster',
    kind: kinds.awsCluster,
    manager: managers.aws,
    async reconcile(awsCluster) {
      const network = networkOf(awsCluster, cluster.region);
      // CAPA touches nothing until the Cluster has taken it as its own, and when that Cluster is gone.
      if (!ownerOf(store, awsCluster, kinds.cluster)) return undefined;
      if (isDeleting(awsCluster)) return removeNetwork(environment, awsCluster, network);
      const finalized = await addFinalizer(store, awsCluster, finalizers.awsCluster);
      return makeNetwork(environment, await noteTime(store, finalized, 'started'), network);
    },
  };
}

async function makeNetwork(
  { store, pace, cloud, faults }: Environment,
  awsCluster: KubernetesObject,
  network: AwsNetwork,
): Promise<Again> {
  const vpcWait = remaining(awsCluster, 'started', infrastructureMilestones.vpc, pace);
  if (!isConditionTrue(awsCluster, 'VpcReady') && faults.active('cluster:infrastructure') !== undefined) {
    await tell(store, awsCluster, [condition('VpcReady', false, refused)]);
    return soonest(vpcWait, pace.milliseconds(pollSeconds));
  }
  const done: Condition[] = [];
  let told = awsCluster;
  if (!presentCondition(told, 'VpcReady')) {
    told = await tell(store, told, [condition('VpcReady', false, { reason: 'VpcCreationStarted' })]);
  }
  if (vpcWait > 0) return vpcWait;
  if (!isConditionTrue(told, 'VpcReady')) {
    // It writes what it has before it makes subnets, and is Ready for that moment.
    told = await tell(store, told, [condition('VpcReady', true)]);
  }
  for (const { name, condition: type } of milestones) {
    const wait = remaining(told, 'started', infrastructureMilestones[name], pace);
    const started = startedReasons[name];
    // It is told once, however late this controller looks.
    if (started && !presentCondition(told, type)) {
      told = await tell(store, told, [...done, condition(type, false, { reason: started })]);
    }
    if (wait > 0) return wait;
    for (const resource of network.resources) {
      if (resource.milestone === name) {
        await cloud.add(network.region, resource.type, resource.id, resource.tags);
      }
    }
    done.push(condition(type, true));
  }
  const described = await changeObject(store, told, (present) => ({
    ...present,
    spec: {
      ...recordAt(present, 'spec'),
      network: describedNetwork(present, network),
      controlPlaneEndpoint: { host: network.loadBalancerHost, port: 6443 },
    },
  }));
  await tell(store, described, [...done, condition('S3BucketCreated', true)], {
    ready: true,
    failureDomains: Object.fromEntries(network.zones.map((zone) => [zone, { controlPlane: true }])),
    networkStatus: {
      apiServerElb: {
        name: network.loadBalancerName,
        dnsName: network.loadBalancerHost,
        loadBalancerType: 'nlb',
        scheme: 'internet-facing',
      },
      securityGroups: Object.fromEntries(
        Object.entries(network.securityGroups).map(([role, id]) => [role, { id, name: role }]),
      ),
    },
  });
  return undefined;
}

/** Sets conditions. Ready tells how many of them are true, and never what is wrong: that is for each of them. */
async function tell(
  store: ObjectStore,
  awsCluster: KubernetesObject,
  changes: readonly Condition[],
  fields: Readonly<Record<string, unknown>> = {},
): Promise<KubernetesObject> {
  const counted = conditionsAfter(awsCluster, changes, summarized);
  const conditions = [...changes, summary(counted, summarized.length)];
  return setConditions(store, awsCluster, conditions, fields);
}

/** It is never told that these are gone. */
const secondaryCidrs = condition('SecondaryCidrsReady', false, { reason: 'Deleting' });

const refused = {
  reason: 'VpcReconciliationFailed',
  // An error only after the control plane was initialised.
  severity: 'Warning',
  message:
    'failed to create new managed VPC: failed to create vpc: VpcLimitExceeded: The maximum number of VPCs has been reached.',
} as const;

/** CAPA writes the network it made, or was given, into the spec. */
function describedNetwork(awsCluster: KubernetesObject, network: AwsNetwork) {
  const given = recordAt(awsCluster, 'spec', 'network');
  const made = (id: string) => network.resources.find((resource) => resource.id === id);
  const tags = (id: string) => (made(id) ? { tags: made(id)?.tags } : {});
  return {
    ...given,
    vpc: { ...recordAt(given, 'vpc'), id: network.vpcId, ...tags(network.vpcId) },
    subnets: network.subnets.map(({ id, zone, isPublic, cidrBlock }) => ({
      ...recordAt(listAt(given, 'subnets').find((subnet) => textAt(subnet, 'id') === id)),
      id,
      availabilityZone: zone,
      isPublic,
      ...(cidrBlock === '' ? {} : { cidrBlock }),
      ...tags(id),
    })),
  };
}

async function removeNetwork(
  { store, pace, cloud, faults, workloads }: Environment,
  awsCluster: KubernetesObject,
  network: AwsNetwork,
): Promise<Again> {
  if (!awsCluster.metadata.finalizers?.includes(finalizers.awsCluster)) return undefined;
  let told = await noteTime(store, awsCluster, 'deleting');
  const owner = awsCluster.metadata.ownerReferences?.find((reference) => isKind(reference, kinds.cluster));
  for (const { condition: type, part, after } of removals) {
    const isStuck = part === 'vpc' && faults.active('cluster:stuck-deleting') !== undefined;
    const wait = remaining(told, 'deleting', after, pace);
    const isTold = ['Deleted', 'DeletingFailed'].includes(presentCondition(told, type)?.reason ?? '');
    if (!isTold) {
      const alsoTold = type === 'SubnetsReady' ? [secondaryCidrs] : [];
      told = await tell(store, told, [condition(type, false, { reason: 'Deleting' }), ...alsoTold]);
    }
    if (isStuck && wait === 0) {
      const message = `failed to delete vpc: DependencyViolation: The vpc '${network.vpcId}' has dependencies and cannot be deleted.`;
      const why = { reason: 'DeletingFailed', severity: 'Warning', message } as const;
      await tell(store, told, [condition(type, false, why)]);
    }
    if (wait > 0 || isStuck) return wait > 0 ? wait : pace.milliseconds(pollSeconds);
    for (const { id } of network.resources.filter(({ milestone }) => milestone === part)) {
      await cloud.remove(network.region, id);
    }
    // Without its load balancer the workload cluster's API cannot be reached any more.
    if (part === 'loadBalancer' && owner) await workloads.close(owner.uid);
    told = await tell(store, told, [condition(type, false, { reason: 'Deleted' })]);
  }
  await dropFinalizer(store, told, finalizers.awsCluster);
  return undefined;
}
