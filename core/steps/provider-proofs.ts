// Proofs that what was installed works. Each is asked of the cluster and leaves nothing behind.

import { neededAccess, trialObject } from '../capi/provider-trials.ts';
import type { Provider } from '../capi/providers.ts';
import { hasCode } from '../errors.ts';
import { textAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';

/** What the provider's controllers may not do though they must, in words; undefined when they may do everything. */
export async function deniedAccess(
  api: Kubernetes,
  provider: Provider,
  deployments: readonly KubernetesObject[],
): Promise<string | undefined> {
  const accounts = deployments.map(
    (one) => textAt(one, 'spec', 'template', 'spec', 'serviceAccountName') ?? 'default',
  );
  const questions = [...new Set(accounts)].flatMap((account) => neededAccess(provider, account));
  const answers = await Promise.all(
    questions.map(async (question) => ({ question, isAllowed: await api.allows(question) })),
  );
  const denied = answers.filter(({ isAllowed }) => !isAllowed).map(({ question }) => question);
  const [first] = denied;
  if (!first) return undefined;
  const { namespace, name } = first.serviceAccount;
  const what = denied.map(({ verb, group, resource }) => `${verb} ${resource}.${group}`).join(', ');
  return `its ServiceAccount ${namespace}/${name} may not ${what}`;
}

/** Why the provider's webhook does not accept an object that is right; undefined when it does. */
export async function refusedTrial(
  api: Kubernetes,
  provider: Provider,
  kubernetesVersion: string,
): Promise<string | undefined> {
  const trial = trialObject(provider.key, kubernetesVersion);
  const problem = await refusal(() => api.apply(trial, { dryRun: true }));
  return problem === undefined ? undefined : `a trial ${trial.kind} is refused: ${problem}`;
}

/** Runs a trial; the message of its refusal, or undefined when it passed. */
export async function refusal(trial: () => Promise<unknown>): Promise<string | undefined> {
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
