// The Kubernetes part of init: what `clusterctl init` does, as steps that may each run twice. All providers are installed
// at once, and what does not need cert-manager while cert-manager starts.

import type { InstallationPart } from '../capi/installation.ts';
import { clusterctlLabel, coreLabel, inventoryObject, providerLabel } from '../capi/provider-components.ts';
import { providersFor } from '../capi/providers.ts';
import { PetraError } from '../errors.ts';
import { numberAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { applyAll } from './apply-all.ts';
import { conditionOf, conditionsOf } from './conditions.ts';
import { deadlineAfter, isOver, required, type StepContext, type StepInput } from './context.ts';
import { isServed, remindOfDefinitions } from './forgotten-definitions.ts';
import { managementVersions } from './init-preflight.ts';
import { lookPatiently, requireManagementApi } from './management-api.ts';
import { deniedAccess, refusal, refusedTrial } from './provider-proofs.ts';
import type { StepOutput } from './run-step.ts';

/** What reaching a cluster's API takes. */
type KubernetesPorts = 'secrets' | 'kubernetes';

/** Applies cert-manager, then everything of the providers that needs neither it nor a definition that is served. */
export async function installComponents(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const [certManager, foundation] = await Promise.all([
    objectsOf(context, input, 'certManager'),
    objectsOf(context, input, 'foundation'),
  ]);
  // Not both at once: it is cert-manager that is waited for next.
  await applyAll(api, certManager);
  await applyAll(api, foundation);
  return {
    deadline: deadlineAfter(context, context.settings.limits.certManager),
    message: `${certManager.length + foundation.length} objects`,
  };
}

/**
 * Whether cert-manager works: its Deployments are available, and it accepts what the providers ask of it. clusterctl
 * takes accepted creation as proof as well. Says until when the providers must work. @throws CertManagerTimedOut
 */
export function checkCertManager(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const silent = { ready: false, deadline: deadlineAfter(context, context.settings.limits.provider) };
  return lookPatiently(context, input, silent, () => tryCertManager(context, input));
}

async function tryCertManager(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const deployments = await api.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace: 'cert-manager' },
  );
  const waiting = deployments.filter((deployment) => !isAvailable(deployment));
  const problem =
    waiting.length > 0
      ? `waiting for ${names(waiting)}`
      : await refusal(async () => applyAll(api, await objectsOf(context, input, 'certificates')));
  // It may be its own definitions that are not served.
  if (problem !== undefined && waiting.length === 0)
    await remind(context, input, api, await unservedDefinitions(api));
  const deadline = deadlineAfter(context, context.settings.limits.provider);
  if (problem === undefined) return { ready: true, deadline, message: 'cert-manager accepts resources' };
  if (!isOver(context, input)) return { ready: false, deadline, message: problem };
  throw new PetraError('CertManagerTimedOut', `cert-manager did not work in time: ${problem}`, {
    evidence: deployments.flatMap(describeConditions),
  });
}

/**
 * Starts each provider's controllers once the definitions that they watch are served, and says whether all work:
 * available, allowed to watch what they must, and heard by the API server. @throws ProviderTimedOut
 */
export function startProviders(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  return lookPatiently(context, input, { ready: false }, () => tryProviders(context, input));
}

async function tryProviders(
  context: StepContext<KubernetesPorts | 'artifacts'>,
  input: StepInput,
): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const releases = providersFor(managementVersions(context.record));
  const controllers = await objectsOf(context, input, 'controllers');
  const unserved = (await areStarted(api, controllers)) ? [] : await unservedDefinitions(api);
  await remind(context, input, api, unserved);
  const found = await Promise.all(
    releases.map(async ({ provider, version }) => {
      const title = `${provider.key} ${version}`;
      // Not those of all: an API server serves one definition after the other, and CAPA's many come last.
      const missing = unserved.filter(
        (one) => isOf('cluster-api', provider.key)(one) || one.metadata.labels?.[coreLabel] === 'inventory',
      );
      if (missing.length > 0) return [{ text: `${title}: waiting for ${names(missing)}`, waiting: missing }];
      const own = controllers.filter(isOf(provider.key));
      const deployments = await Promise.all(own.map((deployment) => api.apply(deployment)));
      const waiting = deployments.filter((deployment) => !isAvailable(deployment));
      if (waiting.length > 0) return [{ text: `${title}: waiting for ${names(waiting)}`, waiting }];
      const [denied, refused] = await Promise.all([
        deniedAccess(api, provider, deployments),
        refusedTrial(api, provider, context.record.spec.spec.kubernetes.version),
      ]);
      const problem = denied ?? refused;
      return problem === undefined ? [] : [{ text: `${title}: ${problem}`, waiting: [] }];
    }),
  );
  const problems = found.flat();
  if (problems.length === 0) return { ready: true, message: `${releases.length} providers work` };
  const text = problems.map((problem) => problem.text).join('; ');
  if (!isOver(context, input)) return { ready: false, message: text };
  throw new PetraError('ProviderTimedOut', `providers did not work in time: ${text}`, {
    evidence: problems.flatMap(({ text, waiting }) =>
      waiting.length > 0 ? waiting.flatMap(describeConditions) : [text],
    ),
  });
}

/** Whether every controller was started; then every definition is served. */
async function areStarted(api: Kubernetes, controllers: readonly KubernetesObject[]): Promise<boolean> {
  const started = await api.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { labelSelector: providerLabel },
  );
  return controllers.every(({ metadata }) =>
    started.some(
      (one) => one.metadata.name === metadata.name && one.metadata.namespace === metadata.namespace,
    ),
  );
}

/** The definitions of all that is installed that are not served yet. */
async function unservedDefinitions(api: Kubernetes): Promise<readonly KubernetesObject[]> {
  const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  const definitions = await api.list(kind, { labelSelector: clusterctlLabel });
  return definitions.filter((definition) => !isServed(definition));
}

/** Reminds the API server of those that it has forgotten. */
function remind(
  context: StepContext<'artifacts'>,
  input: StepInput,
  api: Kubernetes,
  unserved: readonly KubernetesObject[],
): Promise<void> {
  const installed = async () => [
    ...(await objectsOf(context, input, 'certManager')),
    ...(await objectsOf(context, input, 'foundation')),
  ];
  return remindOfDefinitions(api, unserved, installed, context.clock.now());
}

/** Writes clusterctl's inventory, so that clusterctl's own commands keep working on this cluster. */
export async function recordProviders(context: StepContext<KubernetesPorts>): Promise<StepOutput> {
  const api = await requireManagementApi(context, context.record);
  const releases = providersFor(managementVersions(context.record));
  await applyAll(
    api,
    releases.map(({ provider, version }) => inventoryObject(provider, version)),
  );
  return { message: releases.map(({ provider, version }) => `${provider.key} ${version}`).join(', ') };
}

/** Whether an object is of one of these providers. */
function isOf(...providers: readonly string[]) {
  return ({ metadata }: KubernetesObject) => providers.includes(metadata.labels?.[providerLabel] ?? '');
}

async function objectsOf(
  context: StepContext<'artifacts'>,
  input: StepInput,
  part: InstallationPart,
): Promise<readonly KubernetesObject[]> {
  const sha256 = required(input, 'components')[part];
  const text = sha256 === undefined ? undefined : await context.artifacts.read(sha256);
  if (text === undefined)
    throw new PetraError('ReleaseCorrupt', `the stored ${part} of the installation is gone`);
  // Written by fetchComponents, and what was read has the sha256 of what was written.
  return JSON.parse(text) as readonly KubernetesObject[];
}

function isAvailable(deployment: KubernetesObject): boolean {
  const seen = numberAt(deployment, 'status', 'observedGeneration') ?? 0;
  return (
    conditionOf(deployment, 'Available')?.status === 'True' && seen >= (deployment.metadata.generation ?? 0)
  );
}

function names(objects: readonly KubernetesObject[]): string {
  const named = objects.slice(0, 3).map((object) => `${object.kind} ${object.metadata.name}`);
  const more = objects.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function describeConditions(object: KubernetesObject): string[] {
  const title = `${object.kind} ${object.metadata.name}`;
  const conditions = conditionsOf(object);
  if (conditions.length === 0) return [`${title}: no conditions yet`];
  return conditions.map((one) =>
    `${title}: ${one.type}=${one.status} ${one.reason ?? ''} ${one.message ?? ''}`.trimEnd(),
  );
}
