import type { Workflows } from '../../core/ports.ts';
import { pending } from './pending.ts';

export function workflows(): Workflows {
  return pending('workflows');
}
