// Cluster API's Cluster controller.
// Simulated: phases, conditions and counts of CAPI 1.9 (v1beta1, and `status.v1beta2`), ownership, the order of a
// deletion. Not simulated: pausing, clusters without a control plane object.

import { isTrueAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { condition, isConditionTrue, mirrored, summary } from './conditions.ts';
import type { Controller, Wake } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isOwnedBy, kinds, labels, ownerReference } from './kinds.ts';
import { clusterName, isControlPlaneMachine, ofCluster, referenced } from './lookups.ts';
import { hasReadyNode } from './machines.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, removeObject, setConditions } from './writes.ts';

/** Every kind whose changes a Cluster's status depends on. */
const wakesByCluster: readonly Wake[] = [
  kinds.awsCluster,
  kinds.controlPlane,
  kinds.machineDeployment,
  kinds.machineSet,
  kinds.machine,
].map((kind) => ({ kind, wakes: clusterName }));

export function clusterController(environment: Environment): Controller {
  const { store } = environment;
  return {
    name: 'cluster',
    kind: kinds.cluster,
    manager: managers.core,
    wakes: wakesByCluster,
    async reconcile(cluster) {
      if (isDeleting(cluster)) return removeCluster(environment, cluster);
      const finalized = await addFinalizer(store, cluster, finalizers.cluster);
      const infrastructure = await own(environment, finalized, 'infrastructureRef');
      const controlPlane = await own(environment, finalized, 'controlPlaneRef');
      const endpoint = recordAt(infrastructure, 'spec', 'controlPlaneEndpoint');
      const isReady = isTrueAt(infrastructure, 'status', 'ready');
      const described = await changeObject(store, finalized, (present) =>
        endpoint.host === undefined || !isReady
          ? present
          : { ...present, spec: { ...recordAt(present, 'spec'), controlPlaneEndpoint: endpoint } },
      );
      await setClusterStatus(environment, described, infrastructure, controlPlane);
      return undefined;
    },
  };
}

async function own(
  { store }: Environment,
  cluster: KubernetesObject,
  field: string,
): Promise<KubernetesObject | undefined> {
  const found = referenced(store, cluster, 'spec', field);
  return (
    found &&
    changeObject(store, found, (present) => ({
      ...present,
      metadata: {
        ...present.metadata,
        labels: { ...present.metadata.labels, [labels.clusterName]: cluster.metadata.name },
        ownerReferences: [ownerReference(cluster, true)],
      },
    }))
  );
}

async function setClusterStatus(
  { store }: Environment,
  cluster: KubernetesObject,
  infrastructure: KubernetesObject | undefined,
  controlPlane: KubernetesObject | undefined,
): Promise<void> {
  // What was ready or initialised once stays so.
  const stays = (field: string, source: KubernetesObject | undefined) =>
    isTrueAt(cluster, 'status', field) || isTrueAt(source, 'status', 'ready');
  const infrastructureReady = stays('infrastructureReady', infrastructure);
  const controlPlaneReady = stays('controlPlaneReady', controlPlane);
  const initialized =
    isConditionTrue(cluster, 'ControlPlaneInitialized') || isTrueAt(controlPlane, 'status', 'initialized');
  const failureReason = textAt(controlPlane, 'status', 'failureReason');
  const conditions = [
    ...(controlPlane ? [mirroredFrom('ControlPlane', controlPlane)] : []),
    ...(infrastructure ? [mirroredFrom('Infrastructure', infrastructure)] : []),
  ];
  const isReferenced = recordAt(cluster, 'spec').infrastructureRef !== undefined;
  const hasEndpoint = textAt(cluster, 'spec', 'controlPlaneEndpoint', 'host') !== undefined;
  const phase =
    failureReason !== undefined
      ? 'Failed'
      : infrastructureReady && hasEndpoint
        ? 'Provisioned'
        : isReferenced
          ? 'Provisioning'
          : 'Pending';
  await setConditions(
    store,
    cluster,
    [
      ...conditions,
      ...(controlPlane
        ? [
            condition('ControlPlaneInitialized', initialized, {
              reason: 'WaitingForControlPlaneProviderInitialized',
              message:
                'Waiting for control plane provider to indicate the control plane has been initialized',
            }),
          ]
        : []),
      ...(conditions.length > 0 ? [summary(conditions)] : []),
    ],
    {
      phase,
      infrastructureReady,
      controlPlaneReady,
      observedGeneration: cluster.metadata.generation,
      failureDomains: recordAt(infrastructure, 'status').failureDomains,
      failureReason,
      failureMessage:
        controlPlane && failureReason !== undefined
          ? `Failure detected from referenced resource ${controlPlane.apiVersion}, Kind=${controlPlane.kind} with name "${controlPlane.metadata.name}": ${textAt(controlPlane, 'status', 'failureMessage') ?? ''}`
          : undefined,
      v1beta2: { ...recordAt(cluster, 'status', 'v1beta2'), ...counts(store, cluster, controlPlane) },
    },
  );
}

function mirroredFrom(part: 'ControlPlane' | 'Infrastructure', source: KubernetesObject) {
  const isReady = isTrueAt(source, 'status', 'ready');
  return mirrored(`${part}Ready`, source, { isReady, reason: `WaitingFor${part}` });
}

function counts(
  store: Environment['store'],
  cluster: KubernetesObject,
  controlPlane: KubernetesObject | undefined,
) {
  const deployments = ofCluster(store, kinds.machineDeployment, cluster);
  const sum = (...path: readonly string[]) =>
    deployments.reduce((total, deployment) => total + (numberAt(deployment, ...path) ?? 0), 0);
  const servers = ofCluster(store, kinds.machine, cluster).filter(isControlPlaneMachine);
  const readyServers = servers.filter(hasReadyNode).length;
  return {
    controlPlane: {
      desiredReplicas: numberAt(controlPlane, 'spec', 'replicas') ?? 0,
      replicas: servers.length,
      readyReplicas: readyServers,
      availableReplicas: readyServers,
    },
    workers: {
      desiredReplicas: sum('spec', 'replicas'),
      replicas: sum('status', 'replicas'),
      upToDateReplicas: sum('status', 'updatedReplicas'),
      readyReplicas: sum('status', 'readyReplicas'),
      availableReplicas: sum('status', 'availableReplicas'),
    },
  };
}

/** Workers, then the control plane, then the infrastructure: each is waited for before the next is asked to go. */
async function removeCluster({ store }: Environment, cluster: KubernetesObject): Promise<Again> {
  if (!cluster.metadata.finalizers?.includes(finalizers.cluster)) return undefined;
  const controlPlane = referenced(store, cluster, 'spec', 'controlPlaneRef');
  const infrastructure = referenced(store, cluster, 'spec', 'infrastructureRef');
  const conditions = [gone('ControlPlaneReady', controlPlane), gone('InfrastructureReady', infrastructure)];
  const workers = [
    ...ofCluster(store, kinds.machineDeployment, cluster),
    ...ofCluster(store, kinds.machineSet, cluster),
    ...ofCluster(store, kinds.machine, cluster).filter((machine) => !isControlPlaneMachine(machine)),
  ];
  // It asks for the deletion of what it owns itself; those owners ask on.
  const own = workers.filter((object) => isOwnedBy(object, cluster));
  const next =
    workers.length > 0 ? own : [controlPlane ?? infrastructure].filter((object) => object !== undefined);
  for (const object of next) await removeObject(store, object);
  const changed = await setConditions(store, cluster, [...conditions, summary(conditions)], {
    phase: 'Deleting',
    v1beta2: { ...recordAt(cluster, 'status', 'v1beta2'), ...counts(store, cluster, controlPlane) },
  });
  if (workers.length === 0 && next.length === 0) await dropFinalizer(store, changed, finalizers.cluster);
  return undefined;
}

function gone(type: string, source: KubernetesObject | undefined) {
  return source
    ? mirrored(type, source, { isReady: false, reason: 'Deleting' })
    : condition(type, false, { reason: 'Deleted' });
}
