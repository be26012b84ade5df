import { stagesOf } from '../capi/provider-components.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';

/** Far from the 200 changes at once from which on an API server lets them queue. */
const parallelApplies = 32;

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
