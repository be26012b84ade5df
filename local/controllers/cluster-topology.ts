// Cluster API's topology controller: keeps a Cluster's objects as its ClusterClass says.
// Simulated: creation, scaling, rotation of templates, workers after the control plane in an upgrade,
// TopologyReconciled with the reason of a failure. Not simulated: hooks, concurrency of upgrades.

import { recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { ApiStatusError } from '../kubernetes/api-status.ts';
import { TopologyError } from './class-patches.ts';
import { condition } from './conditions.ts';
import { contains } from './contains.ts';
import type { Controller } from './controller.ts';
import type { Environment } from './environment.ts';
import { isDeleting, isKind, kinds, labels, ownerReference, referenceTo } from './kinds.ts';
import { clusterName, ofCluster, referenced } from './lookups.ts';
import { managers } from './managers.ts';
import type { DesiredTopology, WorkerTopology } from './topology.ts';
import { TopologyMemo } from './topology-memo.ts';
import type { Again } from './work-queue.ts';
import { changeObject, removeObject, setConditions } from './writes.ts';

const fieldManager = 'capi-topology';

const ownedLater = [kinds.awsCluster, kinds.controlPlane, kinds.machineDeployment];

export function clusterTopologyController(environment: Environment): Controller {
  const { store } = environment;
  const memo = new TopologyMemo();
  return {
    name: 'cluster-topology',
    kind: kinds.cluster,
    manager: managers.core,
    wakes: [
      { kind: kinds.clusterClass, wakes: () => 'all' },
      { kind: kinds.controlPlane, wakes: clusterName },
      { kind: kinds.machineDeployment, wakes: clusterName },
      { kind: kinds.machineSet, wakes: clusterName },
    ],
    async reconcile(cluster) {
      if (isDeleting(cluster)) memo.forget(cluster);
      if (recordAt(cluster, 'spec').topology === undefined) return undefined;
      if (isDeleting(cluster)) {
        await setConditions(store, cluster, [condition('TopologyReconciled', false, { reason: 'Deleted' })]);
        return undefined;
      }
      const className = textAt(cluster, 'spec', 'topology', 'class') ?? '';
      const { apiVersion, kind } = kinds.clusterClass;
      const clusterClass = store.get(apiVersion, kind, cluster.metadata.namespace, className);
      if (!clusterClass) {
        return fail(
          environment,
          cluster,
          `failed to retrieve ClusterClass "${className}": it does not exist`,
        );
      }
      const lost = lostPart(environment, cluster);
      if (lost !== undefined) return fail(environment, cluster, lost);
      try {
        const desired = memo.topologyOf(cluster, clusterClass, (reference) =>
          findTemplate(environment, cluster, reference),
        );
        await applyTopology(environment, cluster, desired);
      } catch (error) {
        // Refused objects and wrong patches are the user's to mend; a change of the class wakes the Cluster again.
        if (!(error instanceof TopologyError) && !isRefusal(error)) throw error;
        return fail(environment, cluster, error.message);
      }
      return undefined;
    },
  };
}

/** What upstream says of a part that the Cluster refers to and that is not there; it does not make it again. */
function lostPart({ store }: Environment, cluster: KubernetesObject): string | undefined {
  for (const field of ['infrastructureRef', 'controlPlaneRef']) {
    const { kind, name } = recordAt(cluster, 'spec', field);
    if (typeof name !== 'string' || referenced(store, cluster, 'spec', field)) continue;
    const title = `${kind} ${cluster.metadata.namespace}/${name}`;
    return `error reading current state of the Cluster topology: failed to read ${title}: failed to retrieve ${title}: "${name}" not found`;
  }
  return undefined;
}

function isRefusal(error: unknown): error is ApiStatusError {
  return error instanceof ApiStatusError && [400, 403, 422].includes(error.code);
}

async function fail(
  { store, pace }: Environment,
  cluster: KubernetesObject,
  message: string,
): Promise<Again> {
  await setConditions(store, cluster, [
    condition('TopologyReconciled', false, { reason: 'TopologyReconcileFailed', severity: 'Error', message }),
  ]);
  // Templates are not watched, so a missing one is looked for again.
  return pace.milliseconds(30);
}

function findTemplate({ store }: Environment, cluster: KubernetesObject, reference: unknown) {
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map(
    (field) => textAt(reference, field) ?? '',
  );
  return store.get(apiVersion ?? '', kind ?? '', cluster.metadata.namespace, name ?? '');
}

async function applyTopology(
  environment: Environment,
  cluster: KubernetesObject,
  desired: DesiredTopology,
): Promise<void> {
  const { store } = environment;
  const infrastructure = await apply(environment, cluster, desired.infrastructureCluster);
  await apply(environment, cluster, desired.controlPlaneMachineTemplate);
  const controlPlane = await apply(environment, cluster, desired.controlPlane);
  const referenced = await changeObject(store, cluster, (present) => ({
    ...present,
    metadata: {
      ...present.metadata,
      labels: {
        ...present.metadata.labels,
        [labels.clusterName]: cluster.metadata.name,
        [labels.topologyOwned]: '',
      },
    },
    spec: {
      ...recordAt(present, 'spec'),
      infrastructureRef: referenceTo(infrastructure),
      controlPlaneRef: referenceTo(controlPlane),
    },
  }));
  const isUpgrading = !isAt(controlPlane, textAt(desired.controlPlane, 'spec', 'version'));
  for (const worker of desired.workers) await applyWorker(environment, cluster, worker, isUpgrading);
  const wanted = desired.workers.map(({ machineDeployment }) => machineDeployment.metadata.name);
  for (const deployment of ofCluster(store, kinds.machineDeployment, cluster)) {
    if (isTopologyOwned(deployment) && !wanted.includes(deployment.metadata.name))
      await removeObject(store, deployment);
  }
  await removeUnusedTemplates(environment, cluster, desired);
  await setConditions(store, referenced, [reconciled(controlPlane, isUpgrading)]);
}

/** Workers get a new version only after every server has it; new ones start with it at once. */
async function applyWorker(
  environment: Environment,
  cluster: KubernetesObject,
  { machineDeployment, bootstrapTemplate, machineTemplate }: WorkerTopology,
  isUpgrading: boolean,
): Promise<void> {
  const { apiVersion, kind } = kinds.machineDeployment;
  const { namespace, name } = machineDeployment.metadata;
  const present = environment.store.get(apiVersion, kind, namespace, name);
  await apply(environment, cluster, machineTemplate);
  await apply(environment, cluster, bootstrapTemplate);
  if (!isUpgrading || !present) {
    await apply(environment, cluster, machineDeployment);
    return;
  }
  const held = textAt(present, 'spec', 'template', 'spec', 'version');
  const spec = recordAt(machineDeployment, 'spec');
  const template = recordAt(spec, 'template');
  await apply(environment, cluster, {
    ...machineDeployment,
    spec: { ...spec, template: { ...template, spec: { ...recordAt(template, 'spec'), version: held } } },
  });
}

/** Whether all servers run this version. One that was just made counts as running it. */
function isAt(controlPlane: KubernetesObject, version: string | undefined): boolean {
  const running = textAt(controlPlane, 'status', 'version');
  return running === undefined || running === version;
}

function reconciled(controlPlane: KubernetesObject, isUpgrading: boolean) {
  const version = textAt(controlPlane, 'spec', 'version') ?? '';
  return condition('TopologyReconciled', !isUpgrading, {
    reason: 'ControlPlaneUpgradePending',
    message: `Control plane rollout and upgrade to version ${version} on hold or in progress.`,
  });
}

async function apply(
  { store }: Environment,
  cluster: KubernetesObject,
  object: KubernetesObject,
): Promise<KubernetesObject> {
  const owned: KubernetesObject = {
    ...object,
    // Controllers of Clusters and MachineDeployments make the Cluster the owner of these.
    metadata: ownedLater.some((kind) => isKind(object, kind))
      ? object.metadata
      : { ...object.metadata, ownerReferences: [ownerReference(cluster)] },
  };
  const { apiVersion, kind, metadata } = owned;
  const present = store.get(apiVersion, kind, metadata.namespace, metadata.name);
  const { ownerReferences: _, ...wanted } = owned.metadata;
  // Owners are completed by the Cluster controller, so only their absence matters here.
  if (present && contains(present, { ...owned, metadata: wanted })) return present;
  return store.apply(present ? { ...owned, metadata: wanted } : owned, { fieldManager, force: true });
}

function isTopologyOwned({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[labels.topologyOwned] !== undefined;
}

/** Clones that neither the control plane nor a MachineSet refers to any more. */
async function removeUnusedTemplates(
  { store }: Environment,
  cluster: KubernetesObject,
  desired: DesiredTopology,
): Promise<void> {
  const users = [
    ...ofCluster(store, kinds.controlPlane, cluster).map((user) => recordAt(user, 'spec', 'machineTemplate')),
    ...[kinds.machineDeployment, kinds.machineSet].flatMap((kind) =>
      ofCluster(store, kind, cluster).map((user) => recordAt(user, 'spec', 'template', 'spec')),
    ),
  ];
  const used = new Set(
    users.flatMap((user) => [
      textAt(user, 'infrastructureRef', 'name'),
      textAt(user, 'bootstrap', 'configRef', 'name'),
    ]),
  );
  for (const { machineTemplate, bootstrapTemplate } of desired.workers) {
    used.add(machineTemplate.metadata.name).add(bootstrapTemplate.metadata.name);
  }
  for (const kind of [kinds.awsMachineTemplate, kinds.k3sConfigTemplate]) {
    for (const template of ofCluster(store, kind, cluster)) {
      if (isTopologyOwned(template) && !used.has(template.metadata.name)) await removeObject(store, template);
    }
  }
}
