// When a workload cluster is ready, and what stops it when it is not.

import { clusterNamespace } from '../capi/translate-cluster.ts';
import type { ObservedState } from '../fleet.ts';
import { at, isTrueAt, numberAt, textAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { lostParts } from './cluster-parts.ts';
import { type Condition, conditionOf, conditionsOf } from './conditions.ts';

export interface ClusterState {
  readonly ready: boolean;
  /** One line: how far it is. */
  readonly summary: string;
  /** What stops it, root cause first. */
  readonly causes: readonly string[];
  /** Set when Cluster API will not try any more, or cannot succeed. */
  readonly failure?: string;
  readonly observed: ObservedState;
}

/** The query for everything that Cluster API makes for a cluster. */
export function ownedBy(cluster: string): { readonly namespace: string; readonly labelSelector: string } {
  return { namespace: clusterNamespace, labelSelector: `cluster.x-k8s.io/cluster-name=${cluster}` };
}

/**
 * What Cluster API says of the cluster whose Cluster object was just read. `Provisioned` alone is not ready: it says
 * nothing of control plane and workers. Fields of both the v1beta1 and the v1beta2 shape are read, so that a newer core
 * does not break the reader (CAPI proposal 20240916-improve-status-in-CAPI-resources).
 */
export async function stateOf(api: Kubernetes, cluster: KubernetesObject, now: Date): Promise<ClusterState> {
  return assessCluster(cluster, await ownedObjects(api, ownedBy(cluster.metadata.name)), now);
}

/** What a cluster's state is read from, besides its Cluster object. */
export interface OwnedObjects {
  readonly controlPlanes: readonly KubernetesObject[];
  readonly deployments: readonly KubernetesObject[];
  readonly machines: readonly KubernetesObject[];
  readonly infrastructure: readonly KubernetesObject[];
}

/** The objects that a query finds: those of one cluster, or of all of them. */
export async function ownedObjects(
  api: Kubernetes,
  query: Parameters<Kubernetes['list']>[1],
): Promise<OwnedObjects> {
  const [controlPlanes, deployments, machines, infrastructure] = await Promise.all([
    api.list({ apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' }, query),
    api.list({ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineDeployment' }, query),
    api.list({ apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSMachine' }, query),
    api.list({ apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSCluster' }, query),
  ]);
  return { controlPlanes, deployments, machines, infrastructure };
}

/** What a Cluster object and the objects it owns say, which were read after it. */
export function assessCluster(cluster: KubernetesObject, owned: OwnedObjects, now: Date): ClusterState {
  const { controlPlanes, deployments, machines, infrastructure } = owned;
  const controlPlane = {
    replicas:
      total(controlPlanes, 'spec', 'replicas') ||
      (numberAt(cluster, 'spec', 'topology', 'controlPlane', 'replicas') ?? 0),
    ready: total(controlPlanes, 'status', 'readyReplicas'),
  };
  const workers = { replicas: wantedWorkers(cluster), ready: total(deployments, 'status', 'readyReplicas') };
  const phase = textAt(cluster, 'status', 'phase');
  const settled =
    phase === 'Provisioned' &&
    isControlPlaneReady(cluster) &&
    conditionOf(cluster, 'TopologyReconciled')?.status === 'True' &&
    deployments.every(
      (one) =>
        numberAt(one, 'status', 'readyReplicas') === numberAt(one, 'spec', 'replicas') ||
        numberAt(one, 'spec', 'replicas') === 0,
    ) &&
    (cluster.metadata.generation ?? 0) <= (numberAt(cluster, 'status', 'observedGeneration') ?? 0);
  // Between a change of the Cluster and that of its parts, those are still as many as before.
  const isPassedOn =
    wantedServers(cluster, controlPlanes) === total(controlPlanes, 'spec', 'replicas') &&
    workers.replicas === total(deployments, 'spec', 'replicas');
  // Cluster API takes a control plane as ready when its first server is.
  const ready =
    settled &&
    isPassedOn &&
    controlPlane.ready >= controlPlane.replicas &&
    workers.ready >= workers.replicas &&
    cluster.metadata.deletionTimestamp === undefined;

  const causes = [...infrastructure, ...machines, ...controlPlanes, ...deployments, cluster]
    .flatMap(complaintsOf)
    .map(({ object, condition, message }) => `${object}: ${condition}: ${message}`);
  const failure =
    textAt(cluster, 'status', 'failureMessage') ??
    textAt(cluster, 'status', 'deprecated', 'v1beta1', 'failureMessage') ??
    textAt(cluster, 'status', 'failureReason') ??
    lossOf(cluster, owned);
  const counts = `control plane ${controlPlane.ready}/${controlPlane.replicas}, workers ${workers.ready}/${workers.replicas}`;
  const endpoint = textAt(cluster, 'spec', 'controlPlaneEndpoint', 'host');
  const version = controlPlanes
    .map((one) => textAt(one, 'status', 'version'))
    .find((one) => one !== undefined);
  return {
    ready,
    summary: `${phase ?? 'Pending'}: ${counts}`,
    causes,
    ...(failure === undefined ? {} : { failure }),
    observed: {
      phase: phase ?? 'Pending',
      controlPlaneReplicas: controlPlane.replicas,
      controlPlaneReadyReplicas: controlPlane.ready,
      workerReplicas: workers.replicas,
      workerReadyReplicas: workers.ready,
      ...(version === undefined ? {} : { version }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(ready || causes.length === 0 ? {} : { messages: causes.slice(0, 5) }),
      observedAt: now.toISOString(),
    },
  };
}

function lossOf(cluster: KubernetesObject, owned: OwnedObjects): string | undefined {
  const lost = cluster.metadata.deletionTimestamp === undefined ? lostParts(cluster, owned) : [];
  if (lost.length === 0) return undefined;
  const verb = lost.length === 1 ? 'does' : 'do';
  return `its Cluster refers to ${lost.join(' and ')}, which ${verb} not exist`;
}

function isControlPlaneReady(cluster: KubernetesObject): boolean {
  return (
    isTrueAt(cluster, 'status', 'controlPlaneReady') ||
    conditionOf(cluster, 'ControlPlaneAvailable')?.status === 'True'
  );
}

function wantedServers(cluster: KubernetesObject, controlPlanes: readonly KubernetesObject[]): number {
  return (
    numberAt(cluster, 'spec', 'topology', 'controlPlane', 'replicas') ??
    total(controlPlanes, 'spec', 'replicas')
  );
}

function wantedWorkers(cluster: KubernetesObject): number {
  const groups = at(cluster, 'spec', 'topology', 'workers', 'machineDeployments');
  return Array.isArray(groups)
    ? groups.reduce<number>((sum, group) => sum + (numberAt(group, 'replicas') ?? 1), 0)
    : 0;
}

function total(objects: readonly KubernetesObject[], ...path: string[]): number {
  return objects.reduce((sum, object) => sum + (numberAt(object, ...path) ?? 0), 0);
}

/** A condition that is false and says why. */
export interface Complaint {
  /** Kind and name. */
  readonly object: string;
  readonly condition: string;
  readonly message: string;
}

/** Conditions that are bad when true: of Nodes, and of Deployments. */
const warnings = new Set([
  'MemoryPressure',
  'DiskPressure',
  'PIDPressure',
  'NetworkUnavailable',
  'ReplicaFailure',
]);

/** Conditions of newer Cluster API that tell what goes on, neither good nor bad. */
const activities = new Set(['Deleting', 'Paused', 'Remediating', 'RollingOut', 'ScalingDown', 'ScalingUp']);

/** What an object complains of. `Ready` is left out where it only repeats another condition. */
export function complaintsOf(object: KubernetesObject): readonly Complaint[] {
  const failing = conditionsOf(object).filter((one) => isBad(one) && (one.message ?? '') !== '');
  const others = failing.filter((one) => one.type !== 'Ready');
  return (others.length > 0 ? others : failing).map((one) => ({
    object: `${object.kind} ${object.metadata.name}`,
    condition: one.type,
    message: [one.reason, one.message].filter(Boolean).join(': '),
  }));
}

function isBad({ type, status }: Condition): boolean {
  if (warnings.has(type)) return status === 'True';
  if (activities.has(type)) return false;
  // A Node that is not heard of any more is Ready=Unknown.
  return status === 'False' || (type === 'Ready' && status === 'Unknown');
}
