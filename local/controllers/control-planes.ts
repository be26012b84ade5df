// The k3s control-plane provider: servers come up one after the other, and the cluster's Secrets appear.
// Simulated: initialisation, scaling both ways, rolling upgrades, status and conditions of k3s 0.3, a kubeconfig that
// works: its address is that of the simulated API, not of the load balancer that the Cluster names.
// Not simulated: cryptography of the CAs, etcd membership, remediation.

import { isTrueAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { ensureClusterSecrets, writeKubeconfig } from './cluster-secrets.ts';
import {
  aggregate,
  type Condition,
  condition,
  conditionsAfter,
  isConditionTrue,
  presentCondition,
  summary,
} from './conditions.ts';
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
import { hasReadyNode, isNodeReady } from './machines.ts';
import { managers } from './managers.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, dropFinalizer, removeObject, setConditions } from './writes.ts';

/** By it the provider knows what configuration a server was made from. */
const serverConfigurationAnnotation = 'controlplane.cluster.x-k8s.io/kthrees-server-configuration';

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
      // Until there is a network it does nothing at all.
      if (!cluster || !isTrueAt(cluster, 'status', 'infrastructureReady')) return undefined;
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
  if (textAt(cluster, 'spec', 'controlPlaneEndpoint', 'host') === undefined) return undefined;
  const isInitialized = await initialize(environment, controlPlane, cluster);
  if (isInitialized) await judgeServers(environment, serversOf(environment, controlPlane, cluster), cluster);
  const current = await setStatus(environment, controlPlane, cluster, isInitialized);
  // A new or leaving server wakes this controller again, which then counts it.
  await scale(environment, current, cluster, isInitialized);
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
    annotations: {
      [configurationAnnotation]: configuration,
      [serverConfigurationAnnotation]: JSON.stringify(recordAt(spec, 'kthreesConfigSpec', 'serverConfig')),
    },
    naming: 'apart',
    version,
    machineTemplate,
    bootstrap: recordAt(spec, 'kthreesConfigSpec'),
    timeouts: machineTimeouts(recordAt(spec, 'machineTemplate')),
    ...(failureDomain === undefined ? {} : { failureDomain }),
  });
}

/** Says of each server with a Node whether k3s on it is well. */
async function judgeServers(
  environment: Environment,
  servers: readonly KubernetesObject[],
  cluster: KubernetesObject,
): Promise<void> {
  for (const machine of servers) {
    const isGoing = isDeleting(machine);
    if (!isNodeReady(environment, machine, cluster) && !isGoing) continue;
    const conditions = serverConditions.map((type) => condition(type, !isGoing, { reason: 'Deleting' }));
    await setConditions(environment.store, machine, conditions);
  }
}

const serverConditions = ['AgentHealthy', 'EtcdMemberHealthy'] as const;

/** Conditions that count for Ready, in this order; one that was never set is not there. */
const summarized = [
  'MachinesSpecUpToDate',
  'Resized',
  'MachinesReady',
  'Available',
  'CertificatesAvailable',
  'TokenAvailable',
];

async function setStatus(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
  isInitialized: boolean,
): Promise<KubernetesObject> {
  const { store } = environment;
  const servers = serversOf(environment, controlPlane, cluster);
  const desired = numberAt(controlPlane, 'spec', 'replicas') ?? 1;
  const updated = servers.filter((machine) => !isOutdated(store, machine, wantedOf(controlPlane))).length;
  const ready = isInitialized ? readyServers(environment, cluster) : 0;
  const healthy = servers.filter((machine) => isConditionTrue(machine, 'AgentHealthy'));
  const [version] = healthy.map((machine) => textAt(machine, 'spec', 'version') ?? '').sort();
  const changes = [
    ...specUpToDate(controlPlane, servers.length - updated, updated),
    ...resized(servers, desired),
    ...aggregate('MachinesReady', servers, false),
    ...available(controlPlane, ready),
    condition('CertificatesAvailable', true),
    condition('TokenAvailable', true),
    ...(healthy.length > 0
      ? [condition('ControlPlaneComponentsHealthy', true), condition('EtcdClusterHealthyCondition', true)]
      : []),
  ];
  return setConditions(store, controlPlane, [...changes, readiness(controlPlane, changes)], {
    initialized: isInitialized,
    ready: isTrueAt(controlPlane, 'status', 'ready') || ready > 0,
    observedGeneration: controlPlane.metadata.generation,
    replicas: servers.length,
    readyReplicas: ready,
    updatedReplicas: updated,
    unavailableReplicas: servers.length - ready,
    selector: `${labels.clusterName}=${cluster.metadata.name},${labels.controlPlane}`,
    failureReason: undefined,
    failureMessage: undefined,
    ...(version === undefined ? {} : { version }),
  });
}

function readiness(controlPlane: KubernetesObject, changes: readonly Condition[]): Condition {
  return summary(conditionsAfter(controlPlane, changes, summarized));
}

/** The provider counts Nodes of servers by a label, which Petra's machines set. */
function readyServers({ workloads }: Environment, cluster: KubernetesObject): number {
  const nodes = workloads.find(cluster.metadata.uid)?.store.list('v1', 'Node') ?? [];
  return nodes.filter(
    (node) =>
      node.metadata.labels?.['node-role.kubernetes.io/master'] === 'true' && isConditionTrue(node, 'Ready'),
  ).length;
}

/** It is told only from the first rollout on. */
function specUpToDate(
  controlPlane: KubernetesObject,
  outdated: number,
  updated: number,
): readonly Condition[] {
  const type = 'MachinesSpecUpToDate';
  if (outdated === 0) return presentCondition(controlPlane, type) ? [condition(type, true)] : [];
  return [
    condition(type, false, {
      reason: 'RollingUpdateInProgress',
      severity: 'Warning',
      message: `Rolling ${outdated} replicas with outdated spec (${updated} replicas up to date)`,
    }),
  ];
}

/** A resize is over when the servers are ready, not when they are there. */
function resized(servers: readonly KubernetesObject[], desired: number): readonly Condition[] {
  if (servers.length === desired) {
    return servers.every((machine) => isConditionTrue(machine, 'Ready')) ? [condition('Resized', true)] : [];
  }
  const direction = servers.length < desired ? 'Up' : 'Down';
  return [
    condition('Resized', false, {
      reason: `Scaling${direction}`,
      severity: 'Warning',
      message: `Scaling ${direction.toLowerCase()} control plane to ${desired} replicas (actual ${servers.length})`,
    }),
  ];
}

function available(controlPlane: KubernetesObject, ready: number): readonly Condition[] {
  if (ready > 0) return [condition('Available', true)];
  const present = presentCondition(controlPlane, 'Available');
  return [present ?? condition('Available', false, { reason: 'WaitingForKthreesServer' })];
}

async function removeControlPlane(
  environment: Environment,
  controlPlane: KubernetesObject,
  cluster: KubernetesObject,
): Promise<Again> {
  const { store } = environment;
  const servers = serversOf(environment, controlPlane, cluster);
  if (servers.length === 0) {
    await dropFinalizer(store, controlPlane, finalizers.controlPlane);
    return undefined;
  }
  await judgeServers(environment, servers, cluster);
  const changes = [
    condition('Resized', false, { reason: 'Deleting' }),
    ...aggregate('MachinesReady', servers, false),
  ];
  await setConditions(store, controlPlane, [...changes, readiness(controlPlane, changes)], {
    replicas: servers.length,
    readyReplicas: 0,
    unavailableReplicas: servers.length,
  });
  for (const machine of servers) await removeObject(store, machine);
  return undefined;
}
