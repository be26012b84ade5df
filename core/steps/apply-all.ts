import type { Kubernetes, KubernetesObject } from '../ports.ts';

/** A k3s API server on a small machine serves this many applies at once without queueing. */
const parallelApplies = 16;

/**
 * Applies objects in an order in which each finds what it needs: namespaces, definitions, the rest, and admission
 * webhooks last so that they do not judge the objects they come with. Safe to repeat.
 */
export async function applyAll(kubernetes: Kubernetes, objects: readonly KubernetesObject[]): Promise<void> {
  const stages = Map.groupBy(objects, stageOf);
  for (const stage of [0, 1, 2, 3]) {
    const queue = [...(stages.get(stage) ?? [])];
    const workers = Array.from({ length: Math.min(parallelApplies, queue.length) }, async () => {
      for (let object = queue.shift(); object; object = queue.shift()) await kubernetes.apply(object);
    });
    await Promise.all(workers);
  }
}

function stageOf({ kind }: KubernetesObject): number {
  if (kind === 'Namespace') return 0;
  if (kind === 'CustomResourceDefinition') return 1;
  return kind.endsWith('WebhookConfiguration') ? 3 : 2;
}
