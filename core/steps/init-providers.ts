// The Kubernetes part of init: what `clusterctl init` does, as steps that may each run twice.

import { certManagerObjects, certManagerProbe } from '../capi/cert-manager.ts';
import { inventoryCrd, inventoryObject, renderProvider } from '../capi/provider-components.ts';
import { type ProviderRelease, providersFor, providerVariables } from '../capi/providers.ts';
import { renderClusterClass } from '../capi/render-cluster-class.ts';
import { translateCluster } from '../capi/translate-cluster.ts';
import { hasCode, PetraError } from '../errors.ts';
import { numberAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { applyAll } from './apply-all.ts';
import { conditionOf, conditionsOf } from './conditions.ts';
import { deadlineAfter, isOver, required, type StepContext, type StepInput } from './context.ts';
import { managementVersions } from './init-preflight.ts';
import { requireManagementApi } from './management-api.ts';
import type { StepOutput } from './run-step.ts';

/** What reaching a cluster's API takes. */
type KubernetesPorts = 'secrets' | 'kubernetes';

/** Applies cert-manager, whose certificates the providers' webhooks need. */
export async function installCertManager(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const { certManagerVersion } = managementVersions(context.record);
  await applyAll(api, certManagerObjects(await manifest(context, input, 'cert-manager'), certManagerVersion));
  return { deadline: deadlineAfter(context, context.settings.limits.certManager) };
}

/**
 * Whether cert-manager works: its Deployments are available, and a trial Issuer and Certificate pass its webhook.
 * clusterctl takes accepted creation as proof as well. @throws CertManagerTimedOut
 */
export async function checkCertManager(
  context: StepContext<KubernetesPorts>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const deployments = await api.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace: 'cert-manager' },
  );
  const waiting = deployments.filter((deployment) => !isAvailable(deployment));
  const problem =
    waiting.length > 0 ? `waiting for ${names(waiting)}` : await refusal(() => probeCertManager(api));
  if (problem === undefined) return { ready: true, message: 'cert-manager accepts resources' };
  if (!isOver(context, input)) return { ready: false, message: problem };
  throw new PetraError('CertManagerTimedOut', `cert-manager did not work in time: ${problem}`, {
    evidence: deployments.flatMap(describeConditions),
  });
}

async function probeCertManager(api: Kubernetes): Promise<void> {
  const [namespace, ...trials] = certManagerProbe();
  await api.apply(namespace);
  for (const trial of trials) await api.apply(trial);
  await api.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace.metadata.name });
}

/** The first provider, in clusterctl's order, whose version the inventory does not hold. */
export async function selectProvider(context: StepContext<KubernetesPorts>): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  await api.apply(inventoryCrd());
  const inventory = await api.list({ apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Provider' });
  const next = providersFor(managementVersions(context.record)).find(
    (release) =>
      !inventory.some(
        (entry) => entry.metadata.name === release.provider.key && entry.version === release.version,
      ),
  );
  return { provider: next?.provider.key ?? null, selected: next !== undefined };
}

/** Applies everything of a provider except its Deployments. */
export async function installProvider(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const { release, objects } = await providerInHand(context, input);
  await applyAll(
    api,
    objects.filter((object) => object.kind !== 'Deployment'),
  );
  return {
    deadline: deadlineAfter(context, context.settings.limits.provider),
    message: `${release.provider.key} ${release.version}`,
  };
}

/**
 * Starts a provider's controllers once its definitions are served, and says whether they are available. A controller
 * that starts before its definitions are served exits and waits out the kubelet's back-off. @throws ProviderTimedOut
 */
export async function startProvider(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const { release, objects } = await providerInHand(context, input);
  const live = async (object: KubernetesObject) => (await api.read(referenceTo(object))) ?? object;

  const definitions = await Promise.all(
    objects.filter((object) => object.kind === 'CustomResourceDefinition').map(live),
  );
  const unserved = definitions.filter(
    (definition) => conditionOf(definition, 'Established')?.status !== 'True',
  );
  let unavailable: KubernetesObject[] = [];
  if (unserved.length === 0) {
    const deployments = objects.filter((object) => object.kind === 'Deployment');
    await applyAll(api, deployments);
    unavailable = (await Promise.all(deployments.map(live))).filter((deployment) => !isAvailable(deployment));
  }

  const waiting = [...unserved, ...unavailable];
  const name = `${release.provider.key} ${release.version}`;
  if (waiting.length === 0) return { ready: true, message: `${name} is available` };
  if (!isOver(context, input)) return { ready: false, message: `${name}: waiting for ${names(waiting)}` };
  throw new PetraError('ProviderTimedOut', `${name} did not become available in time: ${names(waiting)}`, {
    evidence: waiting.flatMap(describeConditions),
  });
}

/** Writes clusterctl's inventory object, so that clusterctl's own commands keep working on this cluster. */
export async function recordProvider(
  context: StepContext<KubernetesPorts>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const { release } = releaseInHand(context, input);
  await api.apply(inventoryObject(release.provider, release.version));
  return { message: `${release.provider.key} ${release.version}` };
}

/** Applies the ClusterClass `petra` and its templates; templates first, since the class refers to them. */
export async function applyClusterClass(context: StepContext<KubernetesPorts>): Promise<StepOutput> {
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
 * Whether the providers work: a trial Cluster of the class passes every webhook by dry run. An available Deployment
 * proves neither that its webhook answers nor that it has its permissions. @throws WebhooksTimedOut
 */
export async function checkWebhooks(
  context: StepContext<KubernetesPorts>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const spec = { ...context.record.spec, metadata: { name: 'petra-trial' } };
  const problem = await refusal(() => api.apply(translateCluster({ spec }), { dryRun: true }));
  if (problem === undefined) return { ready: true, message: 'a trial Cluster is accepted' };
  if (!isOver(context, input)) return { ready: false, message: `a trial Cluster is refused: ${problem}` };
  throw new PetraError('WebhooksTimedOut', `a trial Cluster is still refused: ${problem}`, {
    evidence: [problem],
  });
}

/** Runs a trial; the message of its refusal, or undefined when it passed. */
async function refusal(trial: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await trial();
    return undefined;
  } catch (error) {
    if (
      hasCode(
        error,
        'ObjectRefused',
        'ObjectConflict',
        'WebhookUnavailable',
        'KubernetesUnreachable',
        'KubernetesUnauthorized',
      )
    ) {
      return error.message;
    }
    throw error;
  }
}

function releaseInHand(context: StepContext, input: StepInput): { readonly release: ProviderRelease } {
  const key = required(input, 'provider');
  const release = providersFor(managementVersions(context.record)).find((one) => one.provider.key === key);
  if (!release) throw new PetraError('InternalError', `there is no provider "${key}"`);
  return { release };
}

async function providerInHand(
  context: StepContext<'artifacts'>,
  input: StepInput,
): Promise<{ readonly release: ProviderRelease; readonly objects: readonly KubernetesObject[] }> {
  const { release } = releaseInHand(context, input);
  const objects = renderProvider({
    provider: release.provider,
    version: release.version,
    yaml: await manifest(context, input, release.provider.key),
    variables: { ...providerVariables, ...context.settings.providerVariables },
  });
  return { release, objects };
}

async function manifest(context: StepContext<'artifacts'>, input: StepInput, key: string): Promise<string> {
  const sha256 = required(input, 'components')[key];
  const text = sha256 === undefined ? undefined : await context.artifacts.read(sha256);
  if (text === undefined) throw new PetraError('ReleaseCorrupt', `the stored manifest of ${key} is gone`);
  return text;
}

function referenceTo(object: KubernetesObject) {
  const { name, namespace } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function isAvailable(deployment: KubernetesObject): boolean {
  const seen = numberAt(deployment, 'status', 'observedGeneration') ?? 0;
  return (
    conditionOf(deployment, 'Available')?.status === 'True' && seen >= (deployment.metadata.generation ?? 0)
  );
}

function names(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => `${object.kind} ${object.metadata.name}`).join(', ');
}

function describeConditions(object: KubernetesObject): string[] {
  const title = `${object.kind} ${object.metadata.name}`;
  const conditions = conditionsOf(object);
  if (conditions.length === 0) return [`${title}: no conditions yet`];
  return conditions.map((one) =>
    `${title}: ${one.type}=${one.status} ${one.reason ?? ''} ${one.message ?? ''}`.trimEnd(),
  );
}
