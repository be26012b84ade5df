// CAPA's AWSCluster controller, in simulated time.
// Simulated: the order and names of its conditions, ids and tags of what it makes, an existing VPC, removal, faults.
// Not simulated: routes, security group rules, bastions, S3 buckets, changes of a network after it is made.

import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { type AwsNetwork, type Milestone, networkOf } from './aws-network.ts';
import { type Condition, condition, isConditionTrue, summary } from './conditions.ts';
import type { Controller } from './controller.ts';
import { infrastructureMilestones, infrastructureRemovalMilestones, pollSeconds } from './durations.ts';
import { noteTime, remaining, soonest } from './elapsed.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isKind, kinds } from './kinds.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, setConditions } from './writes.ts';

/** In the order in which CAPA reconciles them. */
const milestones: readonly {
  readonly name: Milestone;
  readonly condition: string;
  readonly failure: string;
}[] = [
  { name: 'vpc', condition: 'VpcReady', failure: 'VpcReconciliationFailed' },
  { name: 'subnets', condition: 'SubnetsReady', failure: 'SubnetsReconciliationFailed' },
  { name: 'internetGateway', condition: 'InternetGatewayReady', failure: 'InternetGatewayFailed' },
  { name: 'natGateways', condition: 'NatGatewaysReady', failure: 'NatGatewaysReconciliationFailed' },
  { name: 'routeTables', condition: 'RouteTablesReady', failure: 'RouteTableReconciliationFailed' },
  {
    name: 'securityGroups',
    condition: 'ClusterSecurityGroupsReady',
    failure: 'ClusterSecurityGroupReconciliationFailed',
  },
  { name: 'loadBalancer', condition: 'LoadBalancerReady', failure: 'WaitForDNSName' },
];

/** What goes in which phase of a removal: nothing can go before what uses it. */
const removals: readonly { readonly after: number; readonly parts: readonly Milestone[] }[] = [
  { after: infrastructureRemovalMilestones.loadBalancer, parts: ['loadBalancer'] },
  { after: infrastructureRemovalMilestones.securityGroups, parts: ['securityGroups'] },
  { after: infrastructureRemovalMilestones.natGateways, parts: ['natGateways'] },
  {
    after: infrastructureRemovalMilestones.network,
    parts: ['routeTables', 'internetGateway', 'subnets', 'vpc'],
  },
];

export function awsClusterController(environment: Environment): Controller {
  const { store, cluster } = environment;
  return {
    name: 'awscluster',
    kind: kinds.awsCluster,
    manager: managers.aws,
    async reconcile(awsCluster) {
      const network = networkOf(awsCluster, cluster.region);
      if (isDeleting(awsCluster)) return removeNetwork(environment, awsCluster, network);
      // Until the Cluster has taken it as its own, CAPA does not touch it.
      if (!awsCluster.metadata.ownerReferences?.some((owner) => isKind(owner, kinds.cluster)))
        return undefined;
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
  const done: Condition[] = [];
  for (const { name, condition: type, failure } of milestones) {
    const wait = remaining(awsCluster, 'started', infrastructureMilestones[name], pace);
    const isFailing =
      name === 'vpc' &&
      !isConditionTrue(awsCluster, type) &&
      faults.active('cluster:infrastructure') !== undefined;
    if (wait > 0 || isFailing) {
      const why = { reason: isFailing ? failure : 'InProgress', ...(isFailing ? refused : {}) };
      const conditions = [...done, condition(type, false, why)];
      await setConditions(store, awsCluster, [...conditions, summary(conditions)]);
      return soonest(wait, isFailing ? pace.milliseconds(pollSeconds) : undefined);
    }
    if (!isConditionTrue(awsCluster, type)) {
      for (const resource of network.resources) {
        if (resource.milestone === name) {
          await cloud.add(network.region, resource.type, resource.id, resource.tags);
        }
      }
    }
    done.push(condition(type, true));
  }
  const described = await changeObject(store, awsCluster, (present) => ({
    ...present,
    spec: {
      ...recordAt(present, 'spec'),
      network: describedNetwork(present, network),
      controlPlaneEndpoint: { host: network.loadBalancerHost, port: 6443 },
    },
  }));
  await setConditions(store, described, [...done, summary(done)], {
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

const refused = {
  severity: 'Error',
  message:
    'failed to create new vpc: failed to create vpc: VpcLimitExceeded: The maximum number of VPCs has been reached.',
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
  const noted = await noteTime(store, awsCluster, 'deleting');
  const owner = awsCluster.metadata.ownerReferences?.find((reference) => isKind(reference, kinds.cluster));
  for (const { after, parts } of removals) {
    const isStuck = parts.includes('vpc') && faults.active('cluster:stuck-deleting') !== undefined;
    const wait = remaining(noted, 'deleting', after, pace);
    const [first = 'vpc'] = parts;
    if (wait > 0 || isStuck) {
      const type = isStuck ? 'VpcReady' : conditionOfMilestone(first);
      const message = `failed to delete vpc: DependencyViolation: The vpc '${network.vpcId}' has dependencies and cannot be deleted.`;
      const conditions = [
        condition(
          type,
          false,
          isStuck && wait === 0
            ? { reason: 'DeletionFailed', severity: 'Warning', message }
            : { reason: 'Deleting' },
        ),
      ];
      await setConditions(store, noted, [...conditions, summary(conditions)], { ready: false });
      return wait > 0 ? wait : pace.milliseconds(pollSeconds);
    }
    for (const { id } of network.resources.filter(({ milestone }) => parts.includes(milestone))) {
      await cloud.remove(network.region, id);
    }
    // Without its load balancer the workload cluster's API cannot be reached any more.
    if (parts.includes('loadBalancer') && owner) await workloads.close(owner.uid);
    await setConditions(
      store,
      noted,
      parts.map((part) => condition(conditionOfMilestone(part), false, { reason: 'Deleted' })),
    );
  }
  await dropFinalizer(store, noted, finalizers.awsCluster);
  return undefined;
}

function conditionOfMilestone(name: Milestone): string {
  return milestones.find((milestone) => milestone.name === name)?.condition ?? 'Ready';
}
