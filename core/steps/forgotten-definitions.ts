// Definitions that an API server has forgotten. One that ends after it accepted a definition's names, and before it says
// that the definition is served, does not take it up again when it starts, but when the definition changes, or at its
// next round over all of them, which it makes every five minutes (`updateCustomResourceDefinition` in
// pkg/apiserver/customresource_handler.go of k8s.io/apiextensions-apiserver, v0.32 to v0.35).

import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { applyAll } from './apply-all.ts';
import { conditionOf } from './conditions.ts';

/** Long after a busy API server would have said so. */
const patienceMilliseconds = 10_000;

/** Goes when the definition is next applied as its release has it. */
const reminder = 'petra.sh/reminded-at';

/**
 * Applies those of the wanted definitions that were forgotten once more, with a change that means nothing. Safe to repeat.
 * `found` are the cluster's definitions that are not served.
 */
export async function remindOfDefinitions(
  api: Kubernetes,
  found: readonly KubernetesObject[],
  wanted: () => Promise<readonly KubernetesObject[]>,
  now: Date,
): Promise<void> {
  const forgotten = new Set(
    found.filter((one) => isForgotten(one, now)).map(({ metadata }) => metadata.name),
  );
  if (forgotten.size === 0) return;
  const definitions = (await wanted()).filter(
    ({ kind, metadata }) => kind === 'CustomResourceDefinition' && forgotten.has(metadata.name),
  );
  await applyAll(
    api,
    definitions.map((definition) => ({
      ...definition,
      metadata: {
        ...definition.metadata,
        annotations: { ...definition.metadata.annotations, [reminder]: now.toISOString() },
      },
    })),
  );
}

export function isServed(definition: KubernetesObject): boolean {
  return conditionOf(definition, 'Established')?.status === 'True';
}

function isForgotten(definition: KubernetesObject, now: Date): boolean {
  const accepted = conditionOf(definition, 'NamesAccepted');
  const since = Date.parse(accepted?.lastTransitionTime ?? '');
  return (
    !isServed(definition) && accepted?.status === 'True' && now.getTime() - since >= patienceMilliseconds
  );
}
