// What delete and destroy have in common before anything is removed.

import type { ClusterView, OperationAnswer } from '../core/api/contract.ts';
import { hasCode, PetraError } from '../core/errors.ts';
import type { ApiClient } from './api-client.ts';
import { confirm } from './confirm.ts';
import type { Context } from './context.ts';
import { usageError } from './usage.ts';

export interface Removal {
  readonly name: string;
  readonly verb: 'delete' | 'destroy';
  readonly yes?: boolean | undefined;
  readonly cascade?: boolean | undefined;
  readonly ignoreNotFound?: boolean | undefined;
}

/**
 * Shows what will be removed, has it confirmed, and starts the removal. Undefined when there is no such cluster and
 * that was asked to be fine.
 * @throws InvalidUsage for a cluster of the other kind, DeletionProtected and WorkloadClustersExist before asking,
 *   ConfirmationRequired
 */
export async function startRemoval(
  context: Context,
  api: ApiClient,
  removal: Removal,
): Promise<OperationAnswer | undefined> {
  const { name, verb, cascade = false, ignoreNotFound = false } = removal;
  try {
    const cluster = await presentCluster(api, name);
    if (cluster) await guard(context, api, cluster, removal);
    return await (verb === 'delete' ? api.delete(name) : api.destroy(name, cascade));
  } catch (error) {
    if (!ignoreNotFound || !hasCode(error, 'ClusterNotFound')) throw error;
    context.output.note(`there is no cluster ${name}`);
    return undefined;
  }
}

/** A cluster that is gone needs no confirmation; the API knows whether it ever was. */
async function presentCluster(api: ApiClient, name: string): Promise<ClusterView | undefined> {
  try {
    return await api.cluster(name);
  } catch (error) {
    if (hasCode(error, 'ClusterNotFound')) return undefined;
    throw error;
  }
}

async function guard(
  context: Context,
  api: ApiClient,
  cluster: ClusterView,
  { name, verb, yes, cascade }: Removal,
): Promise<void> {
  const fitting = cluster.kind === 'management' ? 'destroy' : 'delete';
  if (fitting !== verb) {
    throw usageError(`${name} is a ${cluster.kind} cluster`, `\`petra capi ${fitting} ${name}\` removes it.`);
  }
  // Its removal was confirmed when it began; this command only comes back to it.
  const isUnderWay = cluster.lock !== undefined && cluster.operation.verb === verb;
  if (yes || isUnderWay) return;
  // Asking first and refusing then would waste the person's care; the API checks all of it again.
  if (cluster.deletionProtection) {
    throw new PetraError('DeletionProtected', `cluster ${name} has deletion protection`);
  }
  const workloads = verb === 'destroy' ? await api.clusters({ kind: 'workload', management: name }) : [];
  if (workloads.length > 0 && !cascade) {
    throw new PetraError(
      'WorkloadClustersExist',
      `management cluster ${name} still has ${workloads.length === 1 ? 'a workload cluster' : `${workloads.length} workload clusters`}`,
      { details: { clusters: workloads.map((workload) => workload.name) } },
    );
  }
  await confirm(context, yes, {
    consequences: [
      'This removes, for good:',
      describe(cluster),
      ...workloads.map((workload) => `${describe(workload)} (by --cascade)`),
    ],
    answer: name,
    action: `${verb} the cluster`,
  });
}

function describe(cluster: ClusterView): string {
  const machines = cluster.controlPlaneCount + cluster.workerCount;
  return [
    `  ${cluster.kind} cluster ${cluster.name}: ${cluster.phase}, ${cluster.version}, ${cluster.region}`,
    `${machines} ${machines === 1 ? 'machine' : 'machines'} and their disks`,
  ].join(', ');
}
