// Cluster API's Cluster controller.
// Simulated: phases, conditions and counts of CAPI 1.9 (v1beta1, and `status.v1beta2`), ownership, the order of a
// deletion. Not simulated: pausing, clusters without a control plane object.

import { isTrueAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { condition, summary } from './conditions.ts';
import type { Controller, Wake } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, kinds, labels, ownerReference } from './kinds.ts';
import { clusterName, isControlPlaneMachine, ofCluster, referenced } from './lookups.ts';
import { hasReadyNode, mirrored } from './machines.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import {
  addFinalizer,
  addMetadata,
  changeObject,
  dropFinalizer,
  removeObject,
  setConditions,
} from './writes.ts';

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
      const described = await changeObject(store, finalized, (present) =>
        endpoint.host === undefined
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
    addMetadata(store, found, {
      labels: { [labels.clusterName]: cluster.metadata.name },
      ownerReferences: [ownerReference(cluster, true)],
    })
  );
}

async function setClusterStatus(
  { store }: Environment,
  cluster: KubernetesObject,
  infrastructure: KubernetesObject | undefined,
  controlPlane: KubernetesObject | undefined,
): Promise<void> {
  const infrastructureReady = isTrueAt(infrastructure, 'status', 'ready');
  const controlPlaneReady = isTrueAt(controlPlane, 'status', 'ready');
  const initialized = isTrueAt(controlPlane, 'status', 'initialized');
  const failureReason = textAt(controlPlane, 'status', 'failureReason');
  const conditions = [
    mirrored('ControlPlaneReady', controlPlane, controlPlaneReady, 'WaitingForControlPlane'),
    mirrored('InfrastructureReady', infrastructure, infrastructureReady, 'WaitingForInfrastructure'),
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
      condition('ControlPlaneInitialized', initialized, {
        reason: 'WaitingForControlPlaneProviderInitialized',
      }),
      summary(conditions),
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
      upToDateReplicas: numberAt(controlPlane, 'status', 'updatedReplicas') ?? 0,
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
  const conditions = [
    condition('ControlPlaneReady', false, { reason: controlPlane ? 'Deleting' : 'Deleted' }),
    mirrored('InfrastructureReady', infrastructure, false, infrastructure ? 'Deleting' : 'Deleted'),
  ];
  const workers = [
    ...ofCluster(store, kinds.machineDeployment, cluster),
    ...ofCluster(store, kinds.machineSet, cluster),
    ...ofCluster(store, kinds.machine, cluster).filter((machine) => !isControlPlaneMachine(machine)),
  ];
  const changed = await setConditions(store, cluster, [...conditions, summary(conditions)], {
    phase: 'Deleting',
    v1beta2: { ...recordAt(cluster, 'status', 'v1beta2'), ...counts(store, cluster, controlPlane) },
  });
  const next =
    workers.length > 0 ? workers : [controlPlane ?? infrastructure].filter((object) => object !== undefined);
  for (const object of next) await removeObject(store, object);
  if (next.length === 0) await dropFinalizer(store, changed, finalizers.cluster);
  return undefined;
}
