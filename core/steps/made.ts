import type { ResourceType } from '../fleet.ts';
import type { StepContext } from './context.ts';

/**
 * Makes an AWS resource with the ledger around it: the intent is written first, so that a kill in between leaves a
 * trace, and the id afterwards. `make` must find what an earlier run made (natural key). Safe to repeat.
 */
export async function madeOnce<T extends { readonly id: string }>(
  context: StepContext,
  type: ResourceType,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const { name: cluster, uid } = context.record;
  const at = () => context.clock.now().toISOString();
  await context.resources.intend({ cluster, uid, type, key, at: at() });
  const made = await make();
  await context.resources.made({ cluster, uid, type, key, at: at(), id: made.id });
  return made;
}
