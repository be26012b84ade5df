// Cluster API's MachineSet and MachineDeployment controllers.
// Simulated: scaling both ways, a rolling update with a surge of one, status counts, deletion from the top down.
// Not simulated: preflight checks, in-place propagation of labels, delete priorities, OnDelete.

import { canonicalJson } from '../../core/canonical-json.ts';
import { at, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { condition, summary } from './conditions.ts';
import { type Controller, wakesOwner } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isOwnedBy, kinds, labels, ownerReference } from './kinds.ts';
import { clusterOf, ofCluster, referenced } from './lookups.ts';
import { byAge, cloneMachine, machineTimeouts } from './machine-clones.ts';
import { hasReadyNode } from './machines.ts';
import { managers } from './managers.ts';
import { suffix } from './naming.ts';
import type { Again } from './work-queue.ts';
import {
  addFinalizer,
  addMetadata,
  changeObject,
  dropFinalizer,
  ensureObject,
  removeObject,
  setConditions,
} from './writes.ts';

export function machineSetController(environment: Environment): Controller {
  const { store } = environment;
  return {
    name: 'machineset',
    kind: kinds.machineSet,
    manager: managers.core,
    wakes: [wakesOwner(kinds.machine, kinds.machineSet)],
    async reconcile(machineSet) {
      const cluster = clusterOf(store, machineSet);
      if (!cluster) return undefined;
      const owned = ofCluster(store, kinds.machine, cluster).filter((machine) =>
        isOwnedBy(machine, machineSet),
      );
      if (isDeleting(machineSet)) {
        for (const machine of owned) await removeObject(store, machine);
        if (owned.length === 0) await dropFinalizer(store, machineSet, finalizers.machineSet);
        return undefined;
      }
      const finalized = await addFinalizer(store, machineSet, finalizers.machineSet);
      const machines = owned.filter((machine) => !isDeleting(machine));
      const replicas = numberAt(finalized, 'spec', 'replicas') ?? 1;
      for (let count = machines.length; count < replicas; count++)
        await addMachine(environment, finalized, cluster);
      // Those without a Node go first, then the newest.
      const expendable = byAge(machines)
        .toReversed()
        .toSorted((a, b) => Number(hasReadyNode(a)) - Number(hasReadyNode(b)));
      for (const machine of expendable.slice(0, Math.max(0, machines.length - replicas))) {
        await removeObject(store, machine);
      }
      await setSetStatus(environment, finalized, cluster, replicas);
      return undefined;
    },
  };
}

async function addMachine(
  { store }: Environment,
  machineSet: KubernetesObject,
  cluster: KubernetesObject,
): Promise<void> {
  const machineTemplate = referenced(store, machineSet, 'spec', 'template', 'spec', 'infrastructureRef');
  const configTemplate = referenced(store, machineSet, 'spec', 'template', 'spec', 'bootstrap', 'configRef');
  if (!machineTemplate || !configTemplate) return;
  const spec = recordAt(machineSet, 'spec', 'template', 'spec');
  const failureDomain = textAt(spec, 'failureDomain');
  await cloneMachine(store, {
    owner: machineSet,
    cluster,
    labels: {
      ...textsAt(machineSet, 'spec', 'template', 'metadata', 'labels'),
      [labels.setName]: machineSet.metadata.name,
    },
    version: textAt(spec, 'version') ?? '',
    machineTemplate,
    bootstrap: recordAt(configTemplate, 'spec', 'template', 'spec'),
    timeouts: machineTimeouts(spec),
    ...(failureDomain === undefined ? {} : { failureDomain }),
  });
}

async function setSetStatus(
  { store }: Environment,
  machineSet: KubernetesObject,
  cluster: KubernetesObject,
  replicas: number,
): Promise<void> {
  const machines = ofCluster(store, kinds.machine, cluster).filter(
    (machine) => isOwnedBy(machine, machineSet) && !isDeleting(machine),
  );
  const ready = machines.filter(hasReadyNode).length;
  const conditions = [
    condition('MachinesCreated', true),
    condition('MachinesReady', ready === machines.length, { reason: 'WaitingForMachines' }),
    condition('Resized', machines.length === replicas, {
      reason: machines.length < replicas ? 'ScalingUp' : 'ScalingDown',
    }),
  ];
  await setConditions(store, machineSet, [...conditions, summary(conditions)], {
    observedGeneration: machineSet.metadata.generation,
    replicas: machines.length,
    fullyLabeledReplicas: machines.length,
    readyReplicas: ready,
    availableReplicas: ready,
  });
}

export function machineDeploymentController(environment: Environment): Controller {
  const { store } = environment;
  return {
    name: 'machinedeployment',
    kind: kinds.machineDeployment,
    manager: managers.core,
    wakes: [wakesOwner(kinds.machineSet, kinds.machineDeployment)],
    async reconcile(deployment) {
      const cluster = clusterOf(store, deployment);
      if (!cluster) return undefined;
      const sets = ofCluster(store, kinds.machineSet, cluster).filter((set) => isOwnedBy(set, deployment));
      if (isDeleting(deployment)) {
        for (const set of sets) await removeObject(store, set);
        if (sets.length === 0) await dropFinalizer(store, deployment, finalizers.machineDeployment);
        return undefined;
      }
      const finalized = await addMetadata(
        store,
        await addFinalizer(store, deployment, finalizers.machineDeployment),
        { ownerReferences: [ownerReference(cluster)] },
      );
      return roll(environment, finalized, sets);
    },
  };
}

async function roll(
  { store }: Environment,
  deployment: KubernetesObject,
  present: readonly KubernetesObject[],
): Promise<Again> {
  const desired = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const template = recordAt(deployment, 'spec', 'template');
  const hash = suffix(canonicalJson(template), 10);
  const old = present.filter(({ metadata }) => metadata.labels?.[labels.templateHash] !== hash);
  const replicasOf = (sets: readonly KubernetesObject[]) =>
    sets.reduce((sum, set) => sum + (numberAt(set, 'spec', 'replicas') ?? 0), 0);
  const first = old.length === 0 ? desired : Math.min(desired, Math.max(0, desired + 1 - replicasOf(old)));
  const current = await ensureObject(store, newMachineSet(deployment, template, hash, first));
  // A surge of one, none unavailable: Cluster API's default strategy.
  const room = old.length === 0 ? desired : Math.max(0, desired + 1 - replicasOf(old));
  const scaled = await scale(store, current, Math.min(desired, room));
  const ready = [scaled, ...old].reduce(
    (sum, set) => sum + (numberAt(set, 'status', 'readyReplicas') ?? 0),
    0,
  );
  let surplus = Math.max(0, ready - desired);
  for (const set of old) {
    const replicas = numberAt(set, 'spec', 'replicas') ?? 0;
    const kept = Math.max(0, replicas - surplus);
    surplus -= replicas - kept;
    await scale(store, set, kept);
    if (kept === 0 && (numberAt(set, 'status', 'replicas') ?? 0) === 0) await removeObject(store, set);
  }
  await setDeploymentStatus(store, deployment, [scaled, ...old], desired);
  return undefined;
}

async function scale(store: Environment['store'], machineSet: KubernetesObject, replicas: number) {
  return changeObject(store, machineSet, (set) => ({ ...set, spec: { ...recordAt(set, 'spec'), replicas } }));
}

async function setDeploymentStatus(
  store: Environment['store'],
  deployment: KubernetesObject,
  sets: readonly KubernetesObject[],
  desired: number,
): Promise<void> {
  const [current] = sets;
  const count = (field: string) => sets.reduce((sum, set) => sum + (numberAt(set, 'status', field) ?? 0), 0);
  const replicas = count('replicas');
  const ready = count('readyReplicas');
  const updated = numberAt(current, 'status', 'replicas') ?? 0;
  const isRunning = replicas === desired && ready === desired && updated === desired;
  const conditions = [
    condition('Available', ready >= desired, {
      reason: 'WaitingForAvailableMachines',
      severity: 'Warning',
      message: `Minimum availability requires ${desired} replicas, current ${ready} available`,
    }),
    condition('MachineSetReady', isRunning, { reason: 'WaitingForMachineSet' }),
  ];
  await setConditions(store, deployment, [...conditions, summary(conditions)], {
    observedGeneration: deployment.metadata.generation,
    phase: isRunning ? 'Running' : replicas > desired ? 'ScalingDown' : 'ScalingUp',
    replicas,
    updatedReplicas: updated,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, desired - ready),
    selector: Object.entries(textsAt(deployment, 'spec', 'selector', 'matchLabels'))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  });
}

function newMachineSet(
  deployment: KubernetesObject,
  template: Readonly<Record<string, unknown>>,
  hash: string,
  replicas: number,
): KubernetesObject {
  const { name, namespace = '' } = deployment.metadata;
  const own = {
    ...textsAt(template, 'metadata', 'labels'),
    [labels.deploymentName]: name,
    [labels.templateHash]: hash,
  };
  return {
    ...kinds.machineSet,
    metadata: {
      name: `${name}-${hash.slice(0, 5)}`,
      namespace,
      labels: { ...own, [labels.clusterName]: textAt(deployment, 'spec', 'clusterName') ?? '' },
      ownerReferences: [ownerReference(deployment, true)],
    },
    spec: {
      clusterName: textAt(deployment, 'spec', 'clusterName') ?? '',
      replicas,
      selector: {
        matchLabels: {
          ...textsAt(deployment, 'spec', 'selector', 'matchLabels'),
          [labels.templateHash]: hash,
        },
      },
      template: { metadata: { labels: own }, spec: at(template, 'spec') },
    },
  };
}
