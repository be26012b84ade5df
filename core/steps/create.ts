import { clusterNamespace, translateCluster } from '../capi/translate-cluster.ts';
import { PetraError } from '../errors.ts';
import type { ObservedState } from '../fleet.ts';
import { textAt } from '../json-fields.ts';
import { kubeconfigSecretName } from '../management/secret-names.ts';
import type { Kubernetes, ObjectReference } from '../ports.ts';
import { findingOf } from '../preflight/finding.ts';
import { subjectOf } from '../preflight/subject.ts';
import { preflightWorkload } from '../preflight/workload.ts';
import { mendReferences } from './cluster-parts.ts';
import { assessCluster, ownedBy, ownedObjects } from './cluster-state.ts';
import { deadlineAfter, type EndPorts, isOver, type StepContext, type StepInput } from './context.ts';
import { succeed } from './finish.ts';
import { madeOnce } from './made.ts';
import { lookPatiently, managementNotReady, managementOf, requireManagementApi } from './management-api.ts';
import { settleFindings } from './preflight-findings.ts';
import type { StepOutput } from './run-step.ts';

/**
 * Checks what can be known before anything is made; every finding at once.
 * @throws ManagementClusterNotReady, InstanceTypeNotOffered, NameTaken, QuotaTooSmall, CapaPermissionMissing, ReleaseNotFound
 */
export async function preflight(
  context: StepContext<'machines' | 'releases' | 'tagged' | 'quotas' | 'permissions'>,
): Promise<StepOutput> {
  const { record } = context;
  const { findings } = await preflightWorkload(context, subjectOf(record.spec, record));
  // Read after this cluster's own record was written: destroy writes its phase first and looks for records then, so
  // one of the two always sees the other.
  const management = await managementOf(context, record);
  const notReady = management.phase === 'Ready' ? [] : [findingOf(managementNotReady(management))];
  return settleFindings(context, [...findings, ...notReady]);
}

/** Applies the translated Cluster. Safe to repeat. @throws ManagementClusterNotReady, ObjectRefused, NameTaken */
export async function applyCluster(context: StepContext<'secrets' | 'kubernetes'>): Promise<StepOutput> {
  const { record } = context;
  const management = await managementOf(context, record);
  // Again: its destruction may have begun since the preflight, and may have looked before this cluster could be seen.
  if (management.phase !== 'Ready') throw managementNotReady(management);
  const api = await requireManagementApi(context, management);
  const cluster = translateCluster({ spec: record.spec, uid: record.uid });
  const present = await api.read(clusterReference(record.name));
  const owner = present?.metadata.labels?.['petra.sh/uid'];
  if (present && owner !== record.uid) {
    throw new PetraError(
      'NameTaken',
      `the management cluster already has a Cluster "${record.name}" that is not this one`,
      {
        evidence: [`label petra.sh/uid is ${owner ?? 'absent'}, this cluster's uid is ${record.uid}`],
      },
    );
  }
  await context.fleet.update(context.lease, {
    materialized: true,
    updatedAt: context.clock.now().toISOString(),
  });
  await api.apply(cluster);
  return { deadline: deadlineAfter(context, context.settings.limits.cluster) };
}

/**
 * Whether the cluster is really ready: control plane, topology and every worker, not just the phase `Provisioned`.
 * @throws ClusterFailed, ClusterTimedOut; KubernetesUnreachable when the API is away until the deadline
 */
export function checkCluster(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const silent = { ready: false, provisioned: false };
  return lookPatiently(context, input, silent, () => lookAtCluster(context, input));
}

async function lookAtCluster(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const { record } = context;
  const api = await requireManagementApi(context, await managementOf(context, record));
  const cluster = await api.read(clusterReference(record.name));
  if (!cluster) {
    throw new PetraError(
      'ClusterFailed',
      `the Cluster object "${record.name}" is gone from its management cluster`,
      {
        fix: 'Repeat the command: it applies the object again.',
      },
    );
  }
  const owned = await ownedObjects(api, ownedBy(record.name));
  const mended = await mendReferences(api, record, cluster, owned);
  const state = assessCluster(mended ?? cluster, owned, context.clock.now());
  await observed(context, state.observed);
  if (state.failure !== undefined) {
    throw new PetraError(
      'ClusterFailed',
      `Cluster API cannot go on with "${record.name}": ${state.failure}`,
      {
        cluster: record.name,
        evidence: state.causes,
      },
    );
  }
  const provisioned = state.observed.phase === 'Provisioned';
  if (state.ready) return { ready: true, provisioned, message: state.summary };
  if (!isOver(context, input)) return { ready: false, provisioned, message: state.summary };
  throw new PetraError('ClusterTimedOut', `"${record.name}" was not ready in time: ${state.summary}`, {
    cluster: record.name,
    evidence: state.causes,
  });
}

async function observed(context: StepContext, state: ObservedState): Promise<void> {
  await context.fleet.update(context.lease, { observed: state, updatedAt: state.observedAt });
}

/** Copies the kubeconfig that Cluster API made into Petra's secret store. Safe to repeat: the newest wins. */
export async function storeKubeconfig(
  context: StepContext<'secrets' | 'kubernetes' | 'resources'>,
): Promise<StepOutput> {
  const { record } = context;
  const api = await requireManagementApi(context, await managementOf(context, record));
  const value = await readKubeconfig(api, record.name);
  if (value === undefined) {
    throw new PetraError(
      'KubeconfigNotReady',
      `the secret ${record.name}-kubeconfig is not there, though the cluster is ready`,
      { cluster: record.name },
    );
  }
  const name = kubeconfigSecretName(record.uid);
  await madeOnce(context, 'secret', 'kubeconfig', async () => {
    await context.secrets.put({ name, cluster: record.name, uid: record.uid, value });
    return { id: name };
  });
  return {};
}

/** The kubeconfig in Cluster API's own secret, or undefined. It is renewed there, so it is the truth. */
export async function readKubeconfig(api: Kubernetes, cluster: string): Promise<string | undefined> {
  const secret = await api.read({
    apiVersion: 'v1',
    kind: 'Secret',
    name: `${cluster}-kubeconfig`,
    namespace: clusterNamespace,
  });
  const encoded = secret === undefined ? undefined : textAt(secret, 'data', 'value');
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Ends init and create: the cluster is Ready. */
export async function recordReady(context: StepContext<keyof EndPorts>): Promise<StepOutput> {
  return succeed(context, {
    phase: 'Ready',
    readyAt: context.clock.now().toISOString(),
    // Of before; the next reconciliation looks anew.
    findings: null,
  });
}

/** A reference to the Cluster object of this name. */
export function clusterReference(name: string): ObjectReference {
  return { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster', name, namespace: clusterNamespace };
}
