import { PetraError } from '../errors.ts';
import type { Kubernetes } from '../ports.ts';
import { ownedBy, stateOf } from './cluster-state.ts';
import { deadlineAfter, isOver, type StepContext, type StepInput } from './context.ts';
import { clusterReference } from './create.ts';
import { refuseProtected } from './deletion-protection.ts';
import { lookPatiently, managementOf, requireManagementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Asks for the deletion of the Cluster object, and of nothing else: its controllers remove the rest in the right order.
 * By uid, so that a cluster made anew under the name is not hit. A cluster that never got so far is success.
 * @throws DeletionProtected, ManagementClusterNotReady, ObjectConflict
 */
export async function deleteCluster(context: StepContext<'secrets' | 'kubernetes'>): Promise<StepOutput> {
  const { record, lease } = context;
  refuseProtected([record]);
  // From here on the cluster is no longer whole, whatever happens.
  await context.fleet.update(lease, { readyAt: null, updatedAt: context.clock.now().toISOString() });
  const deadline = deadlineAfter(context, context.settings.limits.deletion);
  if (!record.materialized) return { deadline, message: 'nothing was made for it' };
  const api = await requireManagementApi(context, await managementOf(context, record));
  const cluster = await api.read(clusterReference(record.name));
  const uid = cluster?.metadata.uid;
  if (uid === undefined) return { deadline, message: 'the Cluster object is already gone' };
  if (cluster?.metadata.labels?.['petra.sh/uid'] !== record.uid) {
    return { deadline, message: 'the Cluster object of this name is not this cluster; it is left alone' };
  }
  await api.remove(clusterReference(record.name), { uid });
  return { deadline };
}

/**
 * Whether the Cluster object is gone.
 * @throws DeletionTimedOut with what holds it; KubernetesUnreachable when the API is away until the deadline
 */
export function checkDeleted(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  return lookPatiently(context, input, { gone: false }, () => lookForCluster(context, input));
}

async function lookForCluster(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const { record } = context;
  if (!record.materialized) return { gone: true };
  const api = await requireManagementApi(context, await managementOf(context, record));
  const cluster = await api.read(clusterReference(record.name));
  if (!cluster || cluster.metadata.labels?.['petra.sh/uid'] !== record.uid) {
    return { gone: true, message: 'the Cluster object is gone' };
  }
  const remaining = await remainingObjects(api, record.name);
  const message =
    remaining.length === 0 ? 'waiting for the Cluster object' : `waiting for ${remaining.join(', ')}`;
  if (!isOver(context, input)) return { gone: false, message };
  const { causes } = await stateOf(api, cluster, context.clock.now());
  throw new PetraError('DeletionTimedOut', `"${record.name}" was not gone in time: ${message}`, {
    evidence: [
      ...causes,
      `finalizers of the Cluster: ${(cluster.metadata.finalizers ?? []).join(', ') || 'none'}`,
    ],
  });
}

/** Kinds in the order in which Cluster API removes them, with how many are left. */
async function remainingObjects(api: Kubernetes, cluster: string): Promise<string[]> {
  const kinds = [
    { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineDeployment' },
    { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine' },
    { apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' },
    { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSCluster' },
  ];
  const counts = await Promise.all(
    kinds.map(async (kind) => ({ kind, objects: await api.list(kind, ownedBy(cluster)) })),
  );
  return counts
    .filter(({ objects }) => objects.length > 0)
    .map(({ kind, objects }) => `${objects.length} ${kind.kind}`);
}

/** Removes every secret of the cluster, found by tag and in the ledger. Safe to repeat. */
export async function removeSecrets(context: StepContext<'secrets' | 'resources'>): Promise<StepOutput> {
  const { name: cluster, uid } = context.record;
  const recorded = (await context.resources.list(cluster, uid)).filter(
    ({ type, state }) => type === 'secret' && state !== 'removed',
  );
  const names = new Set([...(await context.secrets.list(uid)), ...recorded.flatMap(({ id }) => id ?? [])]);
  for (const name of names) await context.secrets.remove(name);
  const at = context.clock.now().toISOString();
  for (const { type, key } of recorded) await context.resources.removed({ cluster, uid, type, key, at });
  return {
    deadline: deadlineAfter(context, context.settings.limits.residue),
    message: names.size === 1 ? '1 secret' : `${names.size} secrets`,
  };
}
