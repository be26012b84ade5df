import { stagesOf } from '../capi/provider-components.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';

/** A k3s API server on a small machine serves this many applies at once without queueing. */
const parallelApplies = 16;

/** Applies objects stage by stage, so that each finds what it needs. Safe to repeat. */
export async function applyAll(kubernetes: Kubernetes, objects: readonly KubernetesObject[]): Promise<void> {
  for (const stage of stagesOf(objects)) {
    const queue = [...stage.objects];
    const workers = Array.from({ length: Math.min(parallelApplies, queue.length) }, async () => {
      for (let object = queue.shift(); object; object = queue.shift()) await kubernetes.apply(object);
    });
    await Promise.all(workers);
  }
}
