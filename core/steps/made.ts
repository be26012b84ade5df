import type { ResourceType } from '../fleet.ts';
import type { StepContext } from './context.ts';

/**
 * Makes an AWS resource with the ledger around it: the intent is written first, so that a kill in between leaves a
 * trace, and the id afterwards. `make` must find what an earlier run made (natural key), and answers undefined where
 * there is nothing to make; then the intent alone stays. Safe to repeat.
 */
export async function madeOnce<T extends { readonly id: string } | undefined>(
  context: StepContext<'resources'>,
  type: ResourceType,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const { name: cluster, uid } = context.record;
  const at = () => context.clock.now().toISOString();
  await context.resources.intend({ cluster, uid, type, key, at: at() });
  const made = await make();
  if (made) await context.resources.made({ cluster, uid, type, key, at: at(), id: made.id });
  return made;
}
