// Cluster API's Machine controller: ties bootstrap data, an instance and a Node together.
// Simulated: phases, conditions, the order of a deletion. Not simulated: health checks; draining a Node and detaching
// volumes, which succeed at once.

import { isTrueAt, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import {
  type Condition,
  condition,
  conditionOf,
  isConditionTrue,
  mirrored,
  presentCondition,
  summary,
  timestamp,
} from './conditions.ts';
import type { Controller } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isKind, kinds, labels, ownerReference } from './kinds.ts';
import { clusterOf, isControlPlaneMachine, nodeOf, ofCluster, referenced } from './lookups.ts';
import { managers } from './managers.ts';
import { removeNode } from './nodes.ts';
import type { Again } from './work-queue.ts';
import { addFinalizer, changeObject, dropFinalizer, removeObject, setConditions } from './writes.ts';

export function machineController(environment: Environment): Controller {
  const { store } = environment;
  const wakesMachine = ({ metadata }: KubernetesObject) =>
    (metadata.ownerReferences ?? [])
      .filter((owner) => isKind(owner, kinds.machine))
      .map(({ name }) => ({ name, namespace: metadata.namespace }));
  return {
    name: 'machine',
    kind: kinds.machine,
    manager: managers.core,
    wakes: [
      { kind: kinds.awsMachine, wakes: wakesMachine },
      { kind: kinds.k3sConfig, wakes: wakesMachine },
    ],
    async reconcile(machine) {
      const cluster = clusterOf(store, machine);
      if (!cluster) return undefined;
      if (isDeleting(machine)) return removeMachine(environment, machine, cluster);
      const finalized = await addFinalizer(store, machine, finalizers.machine);
      const config = await adopt(environment, finalized, cluster, 'bootstrap', 'configRef');
      const awsMachine = await adopt(environment, finalized, cluster, 'infrastructureRef');
      const secret = isTrueAt(config, 'status', 'ready')
        ? textAt(config, 'status', 'dataSecretName')
        : undefined;
      const isReady = isTrueAt(awsMachine, 'status', 'ready');
      const providerID = textAt(awsMachine, 'spec', 'providerID');
      const described = await changeObject(store, finalized, (present) => ({
        ...present,
        spec: {
          ...recordAt(present, 'spec'),
          ...(secret === undefined
            ? {}
            : { bootstrap: { ...recordAt(present, 'spec', 'bootstrap'), dataSecretName: secret } }),
          ...(isReady && providerID !== undefined ? { providerID } : {}),
        },
      }));
      await setMachineStatus(environment, described, cluster, config, awsMachine);
      return undefined;
    },
  };
}

/** Whether the Machine's Node is there and Ready. */
export function hasReadyNode(machine: KubernetesObject): boolean {
  return isConditionTrue(machine, 'NodeHealthy') && !isDeleting(machine);
}

/** Whether the Node is Ready, be the Machine on its way out or not. */
export function isNodeReady(
  environment: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
): boolean {
  if (textAt(machine, 'status', 'nodeRef', 'name') === undefined) return false;
  const node = nodeOfMachine(environment, machine, cluster);
  // What this process has not looked at yet is as it was.
  return node === 'unknown' ? isConditionTrue(machine, 'NodeHealthy') : isConditionTrue(node, 'Ready');
}

async function setMachineStatus(
  environment: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
  config: KubernetesObject | undefined,
  awsMachine: KubernetesObject | undefined,
): Promise<void> {
  const { store } = environment;
  const isBooted = textAt(machine, 'spec', 'bootstrap', 'dataSecretName') !== undefined;
  // What was ready once stays so.
  const infrastructureReady =
    isTrueAt(machine, 'status', 'infrastructureReady') || isTrueAt(awsMachine, 'status', 'ready');
  const found = nodeOfMachine(environment, machine, cluster);
  const node = found === 'unknown' ? undefined : found;
  // A Node that this process has not opened yet is not a Node that is gone.
  const nodeRef = node
    ? { apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid }
    : recordAt(machine, 'status').nodeRef;
  const conditions = [
    ...(awsMachine
      ? [
          mirrored('InfrastructureReady', awsMachine, {
            isReady: isTrueAt(awsMachine, 'status', 'ready'),
            reason: 'WaitingForInfrastructure',
          }),
        ]
      : []),
    ...(isBooted
      ? [condition('BootstrapReady', true)]
      : config
        ? [mirrored('BootstrapReady', config, { isReady: false, reason: 'WaitingForDataSecret' })]
        : []),
  ];
  const isProvisioned = textAt(machine, 'spec', 'providerID') !== undefined;
  const phase =
    nodeRef !== undefined && infrastructureReady
      ? 'Running'
      : isProvisioned
        ? 'Provisioned'
        : isBooted
          ? 'Provisioning'
          : 'Pending';
  await setConditions(
    store,
    machine,
    [
      ...conditions,
      ...(found === 'unknown' && isProvisioned ? [] : [nodeHealthy(machine, node)]),
      summary(conditions, isProvisioned ? undefined : 2),
    ],
    {
      ...phaseOf(machine, phase),
      bootstrapReady: isBooted,
      infrastructureReady,
      observedGeneration: machine.metadata.generation,
      ...(infrastructureReady ? { addresses: listAt(awsMachine, 'status', 'addresses') } : {}),
      ...(nodeRef === undefined ? {} : { nodeRef }),
      ...(node ? { nodeInfo: recordAt(node, 'status', 'nodeInfo') } : {}),
    },
  );
}

/** The time of the last change of phase is kept beside it. */
function phaseOf(machine: KubernetesObject, phase: string) {
  const lastUpdated = textAt(machine, 'status', 'lastUpdated');
  const isNew = lastUpdated === undefined || textAt(machine, 'status', 'phase') !== phase;
  return { phase, lastUpdated: isNew ? timestamp(Date.now()) : lastUpdated };
}

/** The Machine's Node; `unknown` while the workload cluster's API does not answer yet. */
function nodeOfMachine(
  { workloads }: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
): KubernetesObject | undefined | 'unknown' {
  const workload = workloads.find(cluster.metadata.uid);
  return workload ? nodeOf(workload.store, textAt(machine, 'spec', 'providerID')) : 'unknown';
}

function nodeHealthy(machine: KubernetesObject, node: KubernetesObject | undefined): Condition {
  const type = 'NodeHealthy';
  if (node) {
    const message = textAt(conditionOf(node, 'Ready'), 'message') ?? '';
    return condition(type, isConditionTrue(node, 'Ready'), {
      reason: 'NodeConditionsFailed',
      severity: 'Warning',
      message: `Node condition Ready is False. ${message}`,
    });
  }
  if (textAt(machine, 'spec', 'providerID') === undefined) {
    return condition(type, false, { reason: 'WaitingForNodeRef' });
  }
  if (textAt(machine, 'status', 'nodeRef', 'name') !== undefined) {
    return condition(type, false, { reason: 'NodeNotFound', severity: 'Error' });
  }
  return condition(type, false, {
    reason: 'NodeProvisioning',
    severity: 'Warning',
    message: 'Waiting for a node with matching ProviderID to exist',
  });
}

/** Makes the Machine the owner in charge of what it refers to. */
async function adopt(
  { store }: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
  ...path: readonly string[]
): Promise<KubernetesObject | undefined> {
  const found = referenced(store, machine, 'spec', ...path);
  if (!found) return undefined;
  return changeObject(store, found, (present) => ({
    ...present,
    metadata: {
      ...present.metadata,
      labels: { ...present.metadata.labels, [labels.clusterName]: cluster.metadata.name },
      ownerReferences: [ownerReference(machine, true)],
    },
  }));
}

/** Its Node is drained, then the instance goes, then its configuration, then the Node. */
async function removeMachine(
  environment: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
): Promise<Again> {
  if (!machine.metadata.finalizers?.includes(finalizers.machine)) return undefined;
  const { store, workloads } = environment;
  const awsMachine = referenced(store, machine, 'spec', 'infrastructureRef');
  const config = referenced(store, machine, 'spec', 'bootstrap', 'configRef');
  const nodeName = textAt(machine, 'status', 'nodeRef', 'name');
  // Nodes of a cluster that goes as a whole are left alone: nobody could answer any more.
  const isNodeRemoved = nodeName !== undefined && !isGoing(environment, machine, cluster);
  const isDrained = !isNodeRemoved || presentCondition(machine, 'DrainingSucceeded') !== undefined;
  if (isDrained && awsMachine) await removeObject(store, awsMachine);
  const conditions = [
    awsMachine
      ? mirrored('InfrastructureReady', awsMachine, { isReady: false, reason: 'Deleting' })
      : condition('InfrastructureReady', false, { reason: 'Deleted' }),
    condition('BootstrapReady', config !== undefined, { reason: 'Deleted' }),
    ...(isNodeRemoved ? [condition('DrainingSucceeded', isDrained, { reason: 'Draining' })] : []),
  ];
  const isLeaving = awsMachine === undefined || isDeleting(awsMachine);
  const changed = await setConditions(
    store,
    machine,
    [
      ...conditions,
      ...(isLeaving && workloads.find(cluster.metadata.uid)
        ? [condition('NodeHealthy', false, { reason: 'Deleting' })]
        : []),
      ...(isNodeRemoved ? [condition('PreDrainDeleteHookSucceeded', true)] : []),
      ...(isNodeRemoved && isDrained ? [condition('VolumeDetachSucceeded', true)] : []),
      ...(isDrained ? [condition('PreTerminateDeleteHookSucceeded', true)] : []),
      summary(conditions),
    ],
    {
      ...phaseOf(machine, 'Deleting'),
      ...(isNodeRemoved ? { deletion: startedAt(machine) } : {}),
    },
  );
  // What changed wakes it for the next step.
  if (awsMachine) return undefined;
  if (config) {
    await removeObject(store, config);
    return undefined;
  }
  const workload = workloads.find(cluster.metadata.uid);
  if (workload && isNodeRemoved) await removeNode(workload.store, nodeName);
  await dropFinalizer(store, changed, finalizers.machine);
  return undefined;
}

/** Whether all of the cluster goes, or the last of its servers. */
function isGoing({ store }: Environment, machine: KubernetesObject, cluster: KubernetesObject): boolean {
  const controlPlane = referenced(store, cluster, 'spec', 'controlPlaneRef');
  const servers = ofCluster(store, kinds.machine, cluster).filter(isControlPlaneMachine);
  return (
    isDeleting(cluster) ||
    (controlPlane !== undefined && isDeleting(controlPlane)) ||
    (isControlPlaneMachine(machine) && servers.length === 1)
  );
}

function startedAt(machine: KubernetesObject) {
  const now = timestamp(Date.now());
  const deletion = recordAt(machine, 'status', 'deletion');
  return { nodeDrainStartTime: now, waitForNodeVolumeDetachStartTime: now, ...deletion };
}
