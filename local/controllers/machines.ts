// Cluster API's Machine controller: ties bootstrap data, an instance and a Node together.
// Simulated: phases, conditions, the order of a deletion. Not simulated: drain, volumes, health checks.

import { isTrueAt, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { type Condition, condition, conditionOf, isConditionTrue, summary } from './conditions.ts';
import type { Controller } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isKind, kinds, labels, ownerReference } from './kinds.ts';
import { clusterOf, nodeOf, referenced } from './lookups.ts';
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
      if (isDeleting(machine)) return removeMachine(environment, machine, cluster);
      if (!cluster) return undefined;
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

async function setMachineStatus(
  { store, workloads }: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject,
  config: KubernetesObject | undefined,
  awsMachine: KubernetesObject | undefined,
): Promise<void> {
  const bootstrapReady = isTrueAt(config, 'status', 'ready');
  const infrastructureReady = isTrueAt(awsMachine, 'status', 'ready');
  const providerId = infrastructureReady ? textAt(machine, 'spec', 'providerID') : undefined;
  const node = nodeOf(workloads.find(cluster.metadata.uid)?.store, providerId);
  // A Node that this process has not opened yet is not a Node that is gone.
  const nodeRef = node
    ? { apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid }
    : recordAt(machine, 'status').nodeRef;
  const isNodeReady = node ? isConditionTrue(node, 'Ready') : isConditionTrue(machine, 'NodeHealthy');
  const conditions = [
    mirrored('BootstrapReady', config, bootstrapReady, 'WaitingForDataSecret'),
    mirrored('InfrastructureReady', awsMachine, infrastructureReady, 'WaitingForInfrastructure'),
    condition('NodeHealthy', isNodeReady, nodeCondition(node)),
  ];
  const phase =
    nodeRef !== undefined && infrastructureReady
      ? 'Running'
      : infrastructureReady
        ? 'Provisioned'
        : bootstrapReady
          ? 'Provisioning'
          : 'Pending';
  await setConditions(store, machine, [...conditions, summary(conditions)], {
    phase,
    bootstrapReady,
    infrastructureReady,
    observedGeneration: machine.metadata.generation,
    ...(infrastructureReady ? { addresses: listAt(awsMachine, 'status', 'addresses') } : {}),
    ...(nodeRef === undefined ? {} : { nodeRef }),
    ...(node ? { nodeInfo: recordAt(node, 'status', 'nodeInfo') } : {}),
  });
}

function nodeCondition(node: KubernetesObject | undefined): Omit<Condition, 'type' | 'status'> {
  if (!node) return { reason: 'WaitingForNodeRef' };
  const message = textAt(conditionOf(node, 'Ready'), 'message') ?? '';
  return {
    reason: 'NodeConditionsFailed',
    severity: 'Warning',
    message: `Node condition Ready is False. ${message}`,
  };
}

/** What another object's Ready condition says, as a condition of this one. */
export function mirrored(
  type: string,
  source: KubernetesObject | undefined,
  isReady: boolean,
  fallback: string,
): Condition {
  const ready = conditionOf(source, 'Ready');
  if (isReady && textAt(ready, 'status') !== 'False') return { type, status: 'True' };
  const severity = textAt(ready, 'severity');
  const message = textAt(ready, 'message');
  return condition(type, false, {
    reason: textAt(ready, 'reason') ?? fallback,
    ...(severity === 'Error' || severity === 'Warning' ? { severity } : {}),
    ...(message === undefined ? {} : { message }),
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

async function removeMachine(
  { store, workloads }: Environment,
  machine: KubernetesObject,
  cluster: KubernetesObject | undefined,
): Promise<Again> {
  if (!machine.metadata.finalizers?.includes(finalizers.machine)) return undefined;
  const awsMachine = referenced(store, machine, 'spec', 'infrastructureRef');
  const isGone = awsMachine === undefined;
  const conditions = [
    condition('InfrastructureReady', false, { reason: isGone ? 'Deleted' : 'Deleting' }),
    condition('NodeHealthy', false, { reason: 'Deleting' }),
  ];
  const changed = await setConditions(store, machine, [...conditions, summary(conditions)], {
    phase: 'Deleting',
  });
  if (awsMachine) {
    await removeObject(store, awsMachine);
    return undefined;
  }
  const config = referenced(store, machine, 'spec', 'bootstrap', 'configRef');
  if (config) await removeObject(store, config);
  const nodeName = textAt(machine, 'status', 'nodeRef', 'name');
  const workload = workloads.find(cluster?.metadata.uid);
  // Nodes of a cluster that goes as a whole are left alone, as upstream does: nobody could answer any more.
  if (workload && cluster && !isDeleting(cluster) && nodeName !== undefined)
    await removeNode(workload.store, nodeName);
  await dropFinalizer(store, changed, finalizers.machine);
  return undefined;
}
