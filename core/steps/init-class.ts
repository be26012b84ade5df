// The ClusterClass of a management cluster: applied, taken by Cluster API, and tried.

import { renderClusterClass } from '../capi/render-cluster-class.ts';
import { clusterClassName, clusterNamespace, translateCluster } from '../capi/translate-cluster.ts';
import { PetraError } from '../errors.ts';
import { numberAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { applyAll } from './apply-all.ts';
import { conditionsOf } from './conditions.ts';
import { deadlineAfter, isOver, type StepContext, type StepInput } from './context.ts';
import { lookPatiently, requireManagementApi } from './management-api.ts';
import { refusal } from './provider-proofs.ts';
import type { StepOutput } from './run-step.ts';

/** Applies the ClusterClass `petra` and its templates; templates first, since the class refers to them. */
export async function applyClusterClass(context: StepContext<'secrets' | 'kubernetes'>): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const objects = renderClusterClass();
  const isClass = (object: KubernetesObject) => object.kind === 'ClusterClass';
  await applyAll(
    api,
    objects.filter((object) => !isClass(object)),
  );
  await applyAll(api, objects.filter(isClass));
  return { deadline: deadlineAfter(context, context.settings.limits.webhooks) };
}

/**
 * Whether a cluster can be made: Cluster API has worked on the class, for which it must read and change the templates of
 * all providers, and a trial Cluster passes every webhook by dry run. @throws WebhooksTimedOut
 */
export function checkWebhooks(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  return lookPatiently(context, input, { ready: false }, () => tryCluster(context, input));
}

async function tryCluster(
  context: StepContext<'secrets' | 'kubernetes'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const spec = { ...context.record.spec, metadata: { name: 'petra-trial' } };
  const [untaken, refused] = await Promise.all([
    untakenClass(api),
    refusal(() => api.apply(translateCluster({ spec }), { dryRun: true })),
  ]);
  const problem = refused === undefined ? untaken : `a trial Cluster is refused: ${refused}`;
  if (problem === undefined)
    return { ready: true, message: 'Cluster API works, a trial Cluster is accepted' };
  if (!isOver(context, input)) return { ready: false, message: problem };
  throw new PetraError('WebhooksTimedOut', `no cluster can be made: ${problem}`, { evidence: [problem] });
}

/**
 * Why the class is not taken yet. `observedGeneration` is what Cluster API writes when a reconciliation of it went well
 * (internal/controllers/clusterclass, v1.9.5).
 */
async function untakenClass(api: Kubernetes): Promise<string | undefined> {
  const found = await api.read({
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'ClusterClass',
    name: clusterClassName,
    namespace: clusterNamespace,
  });
  const generation = found?.metadata.generation ?? 0;
  if (found && (numberAt(found, 'status', 'observedGeneration') ?? -1) >= generation) return undefined;
  const said = found ? conditionsOf(found).filter(({ status }) => status !== 'True') : [];
  const conditions = said.map(({ type, status, message = '' }) => `${type}=${status} ${message}`.trimEnd());
  return [`Cluster API has not taken the ClusterClass ${clusterClassName}`, ...conditions].join(': ');
}
