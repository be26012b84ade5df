import type { Machines, Networks, NodeDiagnosis } from '../../core/ports.ts';
import { pending } from './pending.ts';

export function machines(): Machines {
  return pending('machines');
}

export function networks(): Networks {
  return pending('networks');
}

export function diagnosis(): NodeDiagnosis {
  return pending('diagnosis');
}
