import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { mendReferences, strayParts } from './cluster-parts.ts';
import { ownedBy, stateOf } from './cluster-state.ts';
import { deadlineAfter, isOver, type StepContext, type StepInput } from './context.ts';
import { clusterReference } from './create.ts';
import { refuseProtected } from './deletion-protection.ts';
import { lookPatiently, managementOf, requireManagementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Asks for the deletion of the Cluster object, and of nothing that it refers to: its controllers remove that in the
 * right order.
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
  if (!cluster) return { deadline, message: 'the Cluster object is already gone' };
  if (cluster.metadata.labels?.['petra.sh/uid'] !== record.uid) {
    return { deadline, message: 'the Cluster object of this name is not this cluster; it is left alone' };
  }
  await removeWhatCanGo(api, record, cluster, await remainsOf(api, record.name));
  return { deadline };
}

/** Asks for the deletion of the Cluster, and of parts that it does not refer to. Safe to repeat. */
async function removeWhatCanGo(
  api: Kubernetes,
  record: ClusterRecord,
  cluster: KubernetesObject,
  remains: Remains,
): Promise<void> {
  const mended = await mendReferences(api, record, cluster, remains);
  const strays = strayParts(mended ?? cluster, remains);
  const networks = strays.filter(({ kind }) => kind === 'AWSCluster');
  const others = strays.filter((part) => !networks.includes(part));
  // A network must outlive its machines, and its Cluster must outlive it: CAPA removes none whose Cluster is gone.
  const hasMachines = remains.machines.length > 0;
  const next = networks.length === 0 || hasMachines ? [cluster] : networks;
  const asked = [...others, ...next].filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  await Promise.all(asked.map((object) => remove(api, object)));
}

/** By uid, so that an object made anew under the name is not hit. */
function remove(api: Kubernetes, { apiVersion, kind, metadata }: KubernetesObject): Promise<void> {
  const { name, namespace, uid } = metadata;
  return api.remove(
    { apiVersion, kind, name, ...(namespace && { namespace }) },
    uid === undefined ? {} : { uid },
  );
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
  const remains = await remainsOf(api, record.name);
  await removeWhatCanGo(api, record, cluster, remains);
  const message = `waiting for ${countsOf(remains) || 'the Cluster object'}`;
  if (!isOver(context, input)) return { gone: false, message };
  const { causes } = await stateOf(api, cluster, context.clock.now());
  throw new PetraError('DeletionTimedOut', `"${record.name}" was not gone in time: ${message}`, {
    evidence: [
      ...causes,
      `finalizers of the Cluster: ${(cluster.metadata.finalizers ?? []).join(', ') || 'none'}`,
    ],
  });
}

/** What is left of a cluster, in the order in which Cluster API removes it. */
interface Remains {
  readonly deployments: readonly KubernetesObject[];
  readonly machines: readonly KubernetesObject[];
  readonly controlPlanes: readonly KubernetesObject[];
  readonly infrastructure: readonly KubernetesObject[];
}

async function remainsOf(api: Kubernetes, cluster: string): Promise<Remains> {
  const list = (apiVersion: string, kind: string) => api.list({ apiVersion, kind }, ownedBy(cluster));
  const [deployments, machines, controlPlanes, infrastructure] = await Promise.all([
    list('cluster.x-k8s.io/v1beta1', 'MachineDeployment'),
    list('cluster.x-k8s.io/v1beta1', 'Machine'),
    list('controlplane.cluster.x-k8s.io/v1beta2', 'KThreesControlPlane'),
    list('infrastructure.cluster.x-k8s.io/v1beta2', 'AWSCluster'),
  ]);
  return { deployments, machines, controlPlanes, infrastructure };
}

/** For example `3 Machine, 1 AWSCluster`. */
function countsOf({ deployments, machines, controlPlanes, infrastructure }: Remains): string {
  return [deployments, machines, controlPlanes, infrastructure]
    .flatMap((objects) => (objects[0] ? [`${objects.length} ${objects[0].kind}`] : []))
    .join(', ');
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
