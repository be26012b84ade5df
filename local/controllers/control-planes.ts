// The k3s control-plane provider: servers come up one after the other, and the cluster's Secrets appear.
// Simulated: initialisation, scaling both ways, rolling upgrades, status and conditions of k3s 0.3, a kubeconfig that
// works: its address is that of the simulated API, not of the load balancer that the Cluster names.
// Not simulated: cryptography of the CAs, etcd membership, remediation.

import { isTrueAt, listAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { ensureClusterSecrets, writeKubeconfig } from './cluster-secrets.ts';
import { type Condition, condition, summary } from './conditions.ts';
import { type Controller, wakesOwner } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isOwnedBy, kinds, labels } from './kinds.ts';
import { clusterOf, ofCluster, referenced } from './lookups.ts';
import {
  byAge,
  cloneMachine,
  configurationAnnotation,
  configurationHash,
  isOutdated,
  machineTimeouts,
} from './machine-clones.ts';
import { hasReadyNode } from './machines.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, dropFinalizer, removeObject, setConditions } from './writes.ts';

export function controlPlaneController(environment: Environment): Controller {
  const { store } = environment;
  return {
    name: 'kthreescontrolplane',
    kind: kinds.controlPlane,
    manager: managers.controlPlane,
    wakes: [
      wakesOwner(kinds.machine, kinds.controlPlane),
      {
        kind: kinds.cluster,
        wakes: (cluster) => {
          const name = textAt(cluster, 'spec', 'controlPlaneRef', 'name');
          return name === undefined ? [] : [{ name, namespace: cluster.metadata.namespace }];
        },
      },
    ],
    async reconcile(controlPlane) {
      const cluster = clusterOf(store, controlPlane);
      if (!cluster) return undefined;
      if (isDeleting(controlPlane)) return removeControlPlane(environment, controlPlane, cluster);
      if (!isOwnedBy(controlPlane, cluster)) return undefined;
      const finalized = await addFinalizer(store, controlPlane, finalizers.controlPlane);
      return reconcile(environment, finalized, cluster);
    },
  };
}

async function reconcile(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
): Promise<Again> {
  const { store, faults } = environment;
  const hasEndpoint = textAt(cluster, 'spec', 'controlPlaneEndpoint', 'host') !== undefined;
  if (!isTrueAt(cluster, 'status', 'infrastructureReady') || !hasEndpoint) {
    await setStatus(environment, controlPlane, cluster, false);
    return undefined;
  }
  if (faults.active('cluster:failed') !== undefined) {
    const conditions = [
      condition('CertificatesAvailable', false, {
        reason: 'CertificatesGenerationFailed',
        severity: 'Error',
      }),
    ];
    await setConditions(store, controlPlane, [...conditions, summary(conditions)], {
      failureReason: 'CreateError',
      failureMessage: 'the simulated control plane failed for good, as it was asked to',
    });
    return undefined;
  }
  await ensureClusterSecrets(store, cluster, controlPlane);
  const isInitialized = await initialize(environment, controlPlane, cluster);
  const current = await setStatus(environment, controlPlane, cluster, isInitialized);
  await scale(environment, current, cluster, isInitialized);
  await setStatus(environment, current, cluster, isInitialized);
  return undefined;
}

/** Whether the first server answers. A cluster that once did is opened again after a restart. */
async function initialize(
  { store, workloads }: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
): Promise<boolean> {
  const version = textAt(controlPlane, 'spec', 'version') ?? '';
  const workload = isTrueAt(controlPlane, 'status', 'initialized')
    ? await workloads.open(cluster, version)
    : workloads.find(cluster.metadata.uid);
  if (!workload?.store.get('v1', 'Secret', 'kube-system', 'k3s-serving')) return false;
  await writeKubeconfig(store, cluster, controlPlane, workload.kubeconfig);
  return true;
}

function serversOf(
  { store }: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
): readonly KubernetesObject[] {
  return byAge(
    ofCluster(store, kinds.machine, cluster).filter((machine) => isOwnedBy(machine, controlPlane)),
  );
}

function wantedOf(controlPlane: KubernetesObject) {
  return {
    version: textAt(controlPlane, 'spec', 'version') ?? '',
    template: textAt(controlPlane, 'spec', 'machineTemplate', 'infrastructureRef', 'name') ?? '',
    configuration: configurationHash(recordAt(controlPlane, 'spec', 'kthreesConfigSpec')),
  };
}

/** One server more or less, and only while all others are well and none is leaving. */
async function scale(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
  isInitialized: boolean,
): Promise<void> {
  const { store } = environment;
  const all = serversOf(environment, controlPlane, cluster);
  const servers = all.filter((machine) => !isDeleting(machine));
  const replicas = numberAt(controlPlane, 'spec', 'replicas') ?? 1;
  if (servers.length === 0 && all.length === 0) {
    await addServer(environment, controlPlane, cluster, servers);
    return;
  }
  if (!isInitialized || all.length !== servers.length || !servers.every(hasReadyNode)) return;
  const outdated = servers.filter((machine) => isOutdated(store, machine, wantedOf(controlPlane)));
  const [oldest] = outdated.length > 0 ? outdated : servers;
  if (servers.length < replicas || (servers.length === replicas && outdated.length > 0)) {
    await addServer(environment, controlPlane, cluster, servers);
  } else if (servers.length > replicas && oldest) {
    await removeObject(store, oldest);
  }
}

async function addServer(
  { store }: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
  present: readonly KubernetesObject[],
): Promise<void> {
  const machineTemplate = referenced(store, controlPlane, 'spec', 'machineTemplate', 'infrastructureRef');
  if (!machineTemplate) return;
  const spec = recordAt(controlPlane, 'spec');
  const zones = Object.keys(recordAt(cluster, 'status', 'failureDomains')).sort();
  const crowd = (zone: string) =>
    present.filter((machine) => textAt(machine, 'spec', 'failureDomain') === zone).length;
  const [failureDomain] = zones.toSorted((a, b) => crowd(a) - crowd(b));
  const { version, configuration } = wantedOf(controlPlane);
  await cloneMachine(store, {
    owner: controlPlane,
    cluster,
    labels: {
      ...recordAt(spec, 'machineTemplate', 'metadata', 'labels'),
      [labels.controlPlane]: '',
      [labels.controlPlaneName]: controlPlane.metadata.name,
    },
    annotations: { [configurationAnnotation]: configuration },
    version,
    machineTemplate,
    bootstrap: recordAt(spec, 'kthreesConfigSpec'),
    timeouts: machineTimeouts(recordAt(spec, 'machineTemplate')),
    ...(failureDomain === undefined ? {} : { failureDomain }),
  });
}

async function setStatus(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
  isInitialized: boolean,
): Promise<KubernetesObject> {
  const { store } = environment;
  const servers = serversOf(environment, controlPlane, cluster);
  const desired = numberAt(controlPlane, 'spec', 'replicas') ?? 1;
  const wanted = wantedOf(controlPlane);
  const ready = servers.filter(hasReadyNode).length;
  const updated = servers.filter((machine) => !isOutdated(store, machine, wanted)).length;
  const versions = servers.map((machine) => textAt(machine, 'spec', 'version') ?? '').sort();
  const hasSecrets = isTrueAt(cluster, 'status', 'infrastructureReady');
  const conditions = [
    condition('CertificatesAvailable', hasSecrets, { reason: 'WaitingForClusterInfrastructure' }),
    condition('TokenAvailable', hasSecrets, { reason: 'WaitingForClusterInfrastructure' }),
    condition('Available', isInitialized, { reason: 'WaitingForKthreesServer' }),
    condition('ControlPlaneComponentsHealthy', isInitialized, { reason: 'ControlPlaneComponentsUnknown' }),
    condition('EtcdClusterHealthyCondition', isInitialized, { reason: 'EtcdClusterUnknown' }),
    condition('MachinesReady', servers.length > 0 && ready === servers.length, {
      reason: 'WaitingForMachines',
      ...firstProblem(servers),
    }),
    condition('MachinesSpecUpToDate', updated === servers.length, {
      reason: 'RollingUpdateInProgress',
      severity: 'Warning',
      message: `Rolling ${servers.length - updated} replicas with outdated spec (${updated} replicas up to date)`,
    }),
    condition('Resized', servers.length === desired, {
      reason: servers.length < desired ? 'ScalingUp' : 'ScalingDown',
      severity: 'Warning',
      message: `Scaling ${servers.length < desired ? 'up' : 'down'} control plane to ${desired} replicas (actual ${servers.length})`,
    }),
  ];
  return setConditions(store, controlPlane, [...conditions, summary(conditions)], {
    initialized: isInitialized,
    ready: isInitialized && ready > 0,
    observedGeneration: controlPlane.metadata.generation,
    replicas: servers.length,
    readyReplicas: ready,
    updatedReplicas: updated,
    unavailableReplicas: Math.max(0, desired - ready),
    selector: `${labels.clusterName}=${cluster.metadata.name},${labels.controlPlane}`,
    failureReason: undefined,
    failureMessage: undefined,
    ...(versions[0] === undefined ? {} : { version: versions[0] }),
  });
}

/** What keeps the first server that is not well, in its own words, and whose they are. */
function firstProblem(servers: readonly KubernetesObject[]): Partial<Condition> {
  for (const { status, metadata } of servers) {
    const ready = listAt(status, 'conditions').find((entry) => textAt(entry, 'type') === 'Ready');
    const message = textAt(ready, 'message');
    if (textAt(ready, 'status') === 'True' || message === undefined) continue;
    const severity = textAt(ready, 'severity') === 'Error' ? 'Error' : 'Warning';
    return { reason: `${textAt(ready, 'reason')} @ Machine/${metadata.name}`, severity, message };
  }
  return {};
}

async function removeControlPlane(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
): Promise<Again> {
  const { store } = environment;
  const servers = serversOf(environment, controlPlane, cluster);
  const conditions = [condition('Resized', false, { reason: 'Deleting' })];
  const changed = await setConditions(store, controlPlane, [...conditions, summary(conditions)], {
    replicas: servers.length,
    readyReplicas: servers.filter(hasReadyNode).length,
  });
  for (const machine of servers) await removeObject(store, machine);
  if (servers.length === 0) await dropFinalizer(store, changed, finalizers.controlPlane);
  return undefined;
}
