import type { TaggedResources } from '../../core/ports.ts';
import { pending } from './pending.ts';

export function tagged(): TaggedResources {
  return pending('tagged');
}
