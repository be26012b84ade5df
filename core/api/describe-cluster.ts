// A cluster's objects as a tree, with what stops it on top.

import { hasCode } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import type { KubernetesObject } from '../ports.ts';
import { type Complaint, complaintsOf, ownedBy } from '../steps/cluster-state.ts';
import { conditionOf, conditionsOf } from '../steps/conditions.ts';
import { clusterReference } from '../steps/create.ts';
import { managementApi, managementOf, requireManagementApi } from '../steps/management-api.ts';
import type { ObjectNode, ObjectTree } from './contract.ts';
import { clusterDetails } from './views.ts';

/**
 * Kinds that belong to a workload cluster, children before parents: a root cause is found at the leaves. The network
 * comes first, since everything waits for it.
 */
const ownedKinds = [
  { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSCluster' },
  { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSMachine' },
  { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfig' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineSet' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineDeployment' },
  { apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' },
] as const;

/** What describing a cluster takes. */
export type DescribePorts = Pick<
  Ports,
  'fleet' | 'operations' | 'resources' | 'secrets' | 'kubernetes' | 'clock'
>;

/** Kinds of a management cluster that say whether it works. */
const managementKinds = [
  { apiVersion: 'v1', kind: 'Node' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
] as const;

/**
 * The tree of a cluster, and what stops it. Without an API to ask, or without objects, only its record and the failure
 * of its last operation are shown: a cluster that is broken is the one to be described.
 */
export async function describeCluster(ports: DescribePorts, record: ClusterRecord): Promise<ObjectTree> {
  const cluster = await clusterDetails(ports, record);
  const { objects, silence } = await look(ports, record);
  const { failure } = cluster;
  // What the objects say is nearer to the root than what an operation made of it.
  const causes = [
    ...(silence ? [silence] : []),
    ...(objects?.all ?? []).flatMap(complaintsOf),
    ...(failure ? [{ object: 'last operation', condition: failure.code, message: failure.message }] : []),
  ];
  const root = objects === undefined ? {} : { root: tree(objects.root, objects.all) };
  return { cluster, causes, ...root };
}

/** The cluster's objects; none where there are none yet, or where the API that has them does not show them. */
async function look(
  ports: DescribePorts,
  record: ClusterRecord,
): Promise<{ readonly objects?: Objects | undefined; readonly silence?: Complaint }> {
  try {
    const objects =
      record.kind === 'workload'
        ? await workloadObjects(ports, record)
        : await managementObjects(ports, record);
    return { objects };
  } catch (error) {
    if (!hasCode(error, ...silent)) throw error;
    const object = `ManagementCluster ${record.management ?? record.name}`;
    return { silence: { object, condition: error.code, message: error.message } };
  }
}

const silent = [
  'KubernetesUnreachable',
  'KubernetesUnauthorized',
  'KubernetesThrottled',
  'ManagementClusterNotReady',
] as const;

interface Objects {
  readonly root: KubernetesObject;
  /** Everything, the root included. */
  readonly all: readonly KubernetesObject[];
}

async function workloadObjects(ports: DescribePorts, record: ClusterRecord): Promise<Objects | undefined> {
  if (!record.materialized) return undefined;
  const api = await requireManagementApi(ports, await managementOf(ports, record));
  const root = await api.read(clusterReference(record.name));
  if (!root) return undefined;
  const lists = await Promise.all(ownedKinds.map((kind) => api.list(kind, ownedBy(record.name))));
  return { root, all: [...lists.flat(), root] };
}

async function managementObjects(ports: DescribePorts, record: ClusterRecord): Promise<Objects | undefined> {
  const api = await managementApi(ports, record.uid);
  if (!api) return undefined;
  const lists = await Promise.all(managementKinds.map((kind) => api.list(kind)));
  const root: KubernetesObject = {
    apiVersion: record.spec.apiVersion,
    kind: 'ManagementCluster',
    metadata: { name: record.name },
  };
  return { root, all: [...lists.flat(), root] };
}

/** Children are found by owner; what has no owner here hangs on the root. */
function tree(root: KubernetesObject, all: readonly KubernetesObject[]): ObjectNode {
  const uids = new Set(all.map(({ metadata }) => metadata.uid));
  const children = Map.groupBy(
    all.filter((object) => object !== root),
    (object) => {
      const owners = object.metadata.ownerReferences ?? [];
      const owner =
        owners.find(({ controller, uid }) => controller === true && uids.has(uid)) ??
        owners.find(({ uid }) => uids.has(uid));
      return owner?.uid ?? root.metadata.uid;
    },
  );
  const node = (object: KubernetesObject): ObjectNode => {
    const main = conditionOf(object, 'Ready') ?? conditionOf(object, 'Available');
    return {
      kind: object.kind,
      name: object.metadata.name,
      ...(main === undefined ? {} : { ready: truth(main.status) }),
      ...(main?.reason === undefined ? {} : { reason: main.reason }),
      ...(main?.message === undefined ? {} : { message: main.message }),
      ...(main?.lastTransitionTime === undefined ? {} : { since: main.lastTransitionTime }),
      deleting: object.metadata.deletionTimestamp !== undefined,
      conditions: conditionsOf(object).map(({ type, status, reason, message, lastTransitionTime }) => ({
        type,
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        ...(lastTransitionTime === undefined ? {} : { since: lastTransitionTime }),
      })),
      children: (object === root || object.metadata.uid !== undefined
        ? (children.get(object.metadata.uid) ?? [])
        : []
      )
        .toSorted((a, b) => `${a.kind}/${a.metadata.name}`.localeCompare(`${b.kind}/${b.metadata.name}`))
        .map(node),
    };
  };
  return node(root);
}

function truth(status: string): 'True' | 'False' | 'Unknown' {
  return status === 'True' || status === 'False' ? status : 'Unknown';
}
