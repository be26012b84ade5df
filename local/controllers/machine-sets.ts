// Cluster API's MachineSet and MachineDeployment controllers.
// Simulated: scaling both ways, a rolling update with a surge of one, status counts, deletion from the top down.
// Not simulated: preflight checks, in-place propagation of labels, delete priorities, OnDelete.

import { canonicalJson } from '../../core/canonical-json.ts';
import { at, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { aggregate, condition, conditionsAfter, mirrored, presentCondition, summary } from './conditions.ts';
import { type Controller, wakesOwner } from './controller.ts';
import type { Environment } from './environment.ts';
import { finalizers, isDeleting, isOwnedBy, kinds, labels, ownerReference } from './kinds.ts';
import { clusterOf, ofCluster, referenced } from './lookups.ts';
import { cloneMachine, machineTimeouts } from './machine-clones.ts';
import { isNodeReady } from './machines.ts';
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
        await removeUnusedTemplates(store, machineSet, cluster);
        await dropFinalizer(store, machineSet, finalizers.topologyMachineSet);
        for (const machine of owned) await removeObject(store, machine);
        await setSetStatus(environment, machineSet, cluster, { machines: owned, replicas: 0 });
        if (owned.length === 0) await dropFinalizer(store, machineSet, finalizers.machineSet);
        return undefined;
      }
      const added = await addFinalizer(store, machineSet, finalizers.machineSet);
      const finalized = await addFinalizer(store, added, finalizers.topologyMachineSet);
      const replicas = numberAt(finalized, 'spec', 'replicas') ?? 1;
      const missing = replicas - owned.length;
      const refusal = missing > 0 ? preflight(environment, cluster) : undefined;
      // What it tells is what it found, before it makes or removes any.
      await setSetStatus(environment, finalized, cluster, { machines: owned, replicas, refusal });
      if (refusal === undefined) {
        for (let i = 0; i < missing; i++) await addMachine(environment, finalized, cluster);
      }
      const surplus = Math.max(0, -missing);
      for (const machine of byExpendability(owned).slice(0, surplus)) await removeObject(store, machine);
      // Nothing wakes it when the control plane has become stable.
      return refusal === undefined ? undefined : environment.pace.milliseconds(15);
    },
  };
}

/**
 * Those that already go come first, then those without a healthy Node, then by name: Cluster API's policy `Random`
 * (capi-1.9.5/internal/controllers/machineset/machineset_delete_policy.go).
 */
function byExpendability(machines: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const priority = (machine: KubernetesObject) => (isDeleting(machine) ? 0 : isHealthy(machine) ? 2 : 1);
  return machines.toSorted(
    (a, b) => priority(a) - priority(b) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

function isHealthy(machine: KubernetesObject): boolean {
  const hasNode = textAt(machine, 'status', 'nodeRef', 'name') !== undefined;
  return hasNode && presentCondition(machine, 'NodeHealthy')?.status !== 'False';
}

/**
 * Why no Machine may be made now: the control plane is being made or upgraded
 * (capi-1.9.5/internal/controllers/machineset/machineset_preflight.go, `ControlPlaneIsStable`).
 */
function preflight({ store }: Environment, cluster: KubernetesObject): string | undefined {
  const controlPlane = referenced(store, cluster, 'spec', 'controlPlaneRef');
  if (!controlPlane) return undefined;
  const running = textAt(controlPlane, 'status', 'version');
  const wanted = textAt(controlPlane, 'spec', 'version');
  if (running !== undefined && running === wanted) return undefined;
  const { namespace, name } = controlPlane.metadata;
  const doing = running === undefined ? 'provisioning' : 'upgrading';
  return `${controlPlane.kind} ${namespace}/${name} is ${doing} ("ControlPlaneIsStable" preflight check failed)`;
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
    naming: 'alike',
    machineTemplate,
    configTemplate,
    bootstrap: recordAt(configTemplate, 'spec', 'template', 'spec'),
    timeouts: machineTimeouts(spec),
    ...(failureDomain === undefined ? {} : { failureDomain }),
  });
}

/** Templates that only a MachineSet on its way out refers to: the topology controllers remove them first. */
async function removeUnusedTemplates(
  store: Environment['store'],
  machineSet: KubernetesObject,
  cluster: KubernetesObject,
): Promise<void> {
  const users = [kinds.machineDeployment, kinds.machineSet]
    .flatMap((kind) => ofCluster(store, kind, cluster))
    .filter((user) => !isDeleting(user));
  for (const path of [['bootstrap', 'configRef'], ['infrastructureRef']]) {
    const template = referenced(store, machineSet, 'spec', 'template', 'spec', ...path);
    const isUsed = users.some(
      (user) => textAt(user, 'spec', 'template', 'spec', ...path, 'name') === template?.metadata.name,
    );
    if (template && !isUsed) await removeObject(store, template);
  }
}

async function setSetStatus(
  environment: Environment,
  machineSet: KubernetesObject,
  cluster: KubernetesObject,
  found: {
    /** Machines that go are counted until they are gone. */
    readonly machines: readonly KubernetesObject[];
    readonly replicas: number;
    readonly refusal?: string | undefined;
  },
): Promise<void> {
  const { store } = environment;
  const { machines, replicas, refusal } = found;
  const ready = machines.filter((machine) => isNodeReady(environment, machine, cluster)).length;
  const isScaling = machines.length !== replicas;
  const direction = machines.length < replicas ? 'Up' : 'Down';
  const resized = isScaling
    ? condition('Resized', false, {
        reason: `Scaling${direction}`,
        severity: 'Warning',
        message: `Scaling ${direction.toLowerCase()} MachineSet to ${replicas} replicas (actual ${machines.length})`,
      })
    : condition('Resized', true);
  const created = condition('MachinesCreated', refusal === undefined, {
    reason: 'PreflightCheckFailed',
    severity: 'Error',
    message: refusal ?? '',
  });
  const changes = [
    created,
    // A resize is over when the Machines are ready, not when they are there.
    ...(isScaling || ready === machines.length ? [resized] : []),
    ...aggregate('MachinesReady', machines, true),
  ];
  const conditions = conditionsAfter(machineSet, changes, ['MachinesCreated', 'Resized', 'MachinesReady']);
  // Of its last reconciliation only the conditions are stored before it is gone.
  const isLast = machines.length === 0 && isDeleting(machineSet);
  const fields = {
    observedGeneration: machineSet.metadata.generation,
    selector: selectorText(machineSet),
    replicas: machines.length,
    fullyLabeledReplicas: machines.length,
    readyReplicas: ready,
    availableReplicas: ready,
  };
  await setConditions(store, machineSet, [...conditions, summary(conditions)], isLast ? {} : fields);
}

function selectorText(object: KubernetesObject): string {
  return Object.entries(textsAt(object, 'spec', 'selector', 'matchLabels'))
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
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
        await dropFinalizer(store, deployment, finalizers.topologyMachineDeployment);
        for (const set of sets) await removeObject(store, set);
        if (sets.length === 0) await dropFinalizer(store, deployment, finalizers.machineDeployment);
        return undefined;
      }
      const added = await addFinalizer(store, deployment, finalizers.machineDeployment);
      const finalized = await addMetadata(
        store,
        await addFinalizer(store, added, finalizers.topologyMachineDeployment),
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
  const wanted = sets.reduce((sum, set) => sum + (numberAt(set, 'spec', 'replicas') ?? 0), 0);
  const replicas = count('replicas');
  const ready = count('readyReplicas');
  const available = condition('Available', ready >= desired, {
    reason: 'WaitingForAvailableMachines',
    severity: 'Warning',
    message: `Minimum availability requires ${desired} replicas, current ${ready} available`,
  });
  const machineSetReady = current
    ? [mirrored('MachineSetReady', current, { isReady: false, reason: 'WaitingForMachineSet' })]
    : [];
  const phase =
    wanted < ready
      ? 'ScalingDown'
      : desired === ready
        ? 'Running'
        : desired > ready
          ? 'ScalingUp'
          : undefined;
  // Of these, only Available counts for Ready.
  await setConditions(store, deployment, [available, ...machineSetReady, summary([available])], {
    observedGeneration: deployment.metadata.generation,
    phase,
    replicas,
    updatedReplicas: numberAt(current, 'status', 'replicas') ?? 0,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, wanted - ready),
    selector: selectorText(deployment),
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
