import { beginRemoval, heldLock } from '../begin-operation.ts';
import { hasCode, PetraError } from '../errors.ts';
import { everyCluster } from '../every-cluster.ts';
import type { ClusterRecord, ResourceType } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import {
  deadlineAfter,
  type EndPorts,
  isOver,
  required,
  type StepContext,
  type StepInput,
} from './context.ts';
import { refuseProtected } from './deletion-protection.ts';
import { managementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/** Every workload cluster of a management cluster that is not a tombstone, by name. */
export async function workloadClusters(
  ports: Pick<Ports, 'fleet'>,
  management: string,
): Promise<ClusterRecord[]> {
  const clusters: ClusterRecord[] = [];
  for await (const cluster of everyCluster(ports, { management })) clusters.push(cluster);
  return clusters;
}

/**
 * Whether any server runs whose API could be asked for Clusters. None does where it never came up, or where an earlier
 * attempt has ended them.
 */
export async function checkServers(context: StepContext<'machines'>): Promise<StepOutput> {
  const { region, uid } = context.record;
  const machines = await context.machines.list(region, uid);
  const serversRun = machines.some(({ role, state }) => role === 'server' && state === 'running');
  return { serversRun, message: serversRun ? 'its API is asked' : 'no server runs' };
}

/**
 * Whether no workload cluster is left: neither in the fleet nor, whoever made it, on the management cluster itself.
 * Without its management cluster nobody could remove a cluster's AWS resources.
 * @throws WorkloadClustersExist when some are, and the operation does not cascade; DeletionProtected
 */
export async function checkWorkloads(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  refuseProtected([context.record]);
  const known = namesOf(await workloadClusters(context, context.record.name));
  const foreign = (await clusterObjects(context, input)).filter((name) => !known.includes(name));
  if (foreign.length > 0) {
    throw new PetraError(
      'WorkloadClustersExist',
      `"${context.record.name}" has clusters Petra did not make: ${foreign.join(', ')}`,
      {
        fix: 'Delete these Cluster objects with kubectl first, and wait until they are gone.',
        details: { clusters: foreign },
      },
    );
  }
  if (known.length === 0) return { gone: true, message: 'no workload clusters' };
  if (context.operation.options.cascade === true)
    return { gone: false, message: `deleting ${known.join(', ')} first` };
  throw workloadClustersExist(context.record.name, known);
}

/** The refusal to remove a management cluster that still has workload clusters. */
export function workloadClustersExist(management: string, clusters: readonly string[]): PetraError {
  return new PetraError(
    'WorkloadClustersExist',
    `"${management}" still has ${clusters.length} workload cluster${clusters.length === 1 ? '' : 's'}: ${clusters.join(', ')}`,
    { details: { clusters } },
  );
}

/**
 * Names of the Cluster objects on the management cluster. None where there is no API to ask. One that was Ready has to
 * answer.
 */
async function clusterObjects(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<string[]> {
  const { uid, readyAt } = context.record;
  if (!required(input, 'serversRun')) return [];
  const api = await managementApi(context, uid);
  if (!api) return [];
  try {
    const clusters = await api.list({ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' });
    return clusters.map(({ metadata }) => metadata.name);
  } catch (error) {
    const isBroken = hasCode(error, 'KubernetesUnreachable', 'KubernetesUnauthorized');
    if (isBroken && readyAt === undefined) return [];
    throw error;
  }
}

/**
 * The last look before anything ends. A create may have applied its Cluster after the first one, if it began before
 * this destruction and the index of the fleet did not show it yet. @throws WorkloadClustersExist
 */
export async function checkLateClusters(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const late = await clusterObjects(context, input);
  if (late.length > 0) throw workloadClustersExist(context.record.name, late);
  return { message: 'no clusters' };
}

/** Starts one delete operation for each workload cluster, or attaches to the one that runs. Safe to repeat. */
export async function deleteWorkloads(
  context: StepContext<'workflows' | keyof EndPorts>,
): Promise<StepOutput> {
  const clusters = await workloadClusters(context, context.record.name);
  await beginDeletions(context, clusters);
  return {
    deadline: deadlineAfter(context, context.settings.limits.workloads),
    message: `${clusters.length} delete operations started`,
  };
}

async function beginDeletions(
  context: StepContext<'workflows' | keyof EndPorts>,
  clusters: readonly ClusterRecord[],
): Promise<void> {
  refuseProtected(clusters);
  // The busy ones first: they refuse the cascade before any other is touched.
  const isBusy = (cluster: ClusterRecord) =>
    heldLock(context, cluster) !== undefined && cluster.operation.verb !== 'delete';
  const { caller } = context.operation;
  for (const name of namesOf(clusters.toSorted((a, b) => Number(isBusy(b)) - Number(isBusy(a))))) {
    await beginRemoval(context, { verb: 'delete', name, caller, options: {} });
  }
}

/**
 * Whether every workload cluster is gone. One whose create was under way when the cascade began is deleted when that
 * has ended. @throws WorkloadDeletionFailed with each one's own failure.
 */
export async function checkWorkloadsDeleted(
  context: StepContext<'workflows' | keyof EndPorts>,
  input: StepInput,
): Promise<StepOutput> {
  const clusters = await workloadClusters(context, context.record.name);
  if (clusters.length === 0) return { gone: true, message: 'no workload clusters left' };
  const idle = clusters.filter((cluster) => heldLock(context, cluster) === undefined);
  const late = idle.filter(({ operation }) => operation.verb === 'create');
  await beginDeletions(context, late);
  // Every other deletion was begun before this check, so one that has ended without a tombstone has failed.
  const operations = await Promise.all(
    clusters.map(({ operation }) => context.operations.find(operation.id)),
  );
  const deletions = clusters.map((cluster, index) => ({ cluster, operation: operations[index] }));
  const failed = deletions.filter(
    ({ cluster, operation }) =>
      idle.includes(cluster) && !late.includes(cluster) && operation?.status !== 'Running',
  );
  if (failed.length === 0 && !isOver(context, input)) {
    return { gone: false, message: `waiting for ${namesOf(clusters).join(', ')}` };
  }
  const evidence = (failed.length > 0 ? failed : deletions).map(({ cluster: { name, phase }, operation }) => {
    const failure = operation?.failure;
    return `${name}: ${failure ? `[${failure.code}] ${failure.message}` : phase}`;
  });
  throw new PetraError(
    'WorkloadDeletionFailed',
    `${evidence.length} workload clusters could not be deleted`,
    {
      evidence,
    },
  );
}

/** Ends every machine of the cluster, found by its uid. Safe to repeat. */
export async function terminateMachines(context: StepContext<'machines'>): Promise<StepOutput> {
  const { region, uid } = context.record;
  // From here on the cluster is no longer whole, whatever happens.
  await context.fleet.update(context.lease, { readyAt: null, updatedAt: context.clock.now().toISOString() });
  const machines = await context.machines.list(region, uid);
  await context.machines.terminate(
    region,
    machines.map(({ id }) => id),
  );
  return {
    deadline: deadlineAfter(context, context.settings.limits.machines),
    message: `${machines.length} machines`,
  };
}

/** Whether every machine is gone. @throws DeletionTimedOut */
export async function checkMachines(
  context: StepContext<'machines' | 'resources'>,
  input: StepInput,
): Promise<StepOutput> {
  const { region, uid } = context.record;
  const machines = await context.machines.list(region, uid);
  if (machines.length === 0) {
    await markRemoved(context, 'instance');
    return { gone: true, message: 'all machines are gone' };
  }
  const names = machines.map(({ name, id, state }) => `${name} (${id}, ${state})`);
  if (!isOver(context, input)) return { gone: false, message: `waiting for ${names.join(', ')}` };
  throw new PetraError('DeletionTimedOut', `machines of "${context.record.name}" were not gone in time`, {
    evidence: names,
  });
}

/** Releases every public address and network interface of the cluster. Safe to repeat. */
export async function releaseAddresses(context: StepContext<'networks' | 'resources'>): Promise<StepOutput> {
  const { region, uid } = context.record;
  for (const { id } of await context.networks.listPublicAddresses(region, uid)) {
    await context.networks.releasePublicAddress(region, id);
  }
  await markRemoved(context, 'elastic-ip');
  for (const { id } of await context.networks.listInterfaces(region, uid)) {
    await context.networks.releaseInterface(region, id);
  }
  await markRemoved(context, 'network-interface');
  return {};
}

function namesOf(clusters: readonly ClusterRecord[]): string[] {
  return clusters.map(({ name }) => name);
}

async function markRemoved(context: StepContext<'resources'>, type: ResourceType): Promise<void> {
  const { name: cluster, uid } = context.record;
  const at = context.clock.now().toISOString();
  for (const resource of await context.resources.list(cluster, uid)) {
    if (resource.type !== type || resource.state === 'removed') continue;
    await context.resources.removed({ cluster, uid, type, key: resource.key, at });
  }
}
