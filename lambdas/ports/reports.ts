import type { Events, Metrics } from '../../core/ports.ts';
import { pending } from './pending.ts';

export function events(): Events {
  return pending('events');
}

export function metrics(): Metrics {
  return pending('metrics');
}
