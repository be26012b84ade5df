// How the simulation keeps time: the moment something began is written on its object, as an absolute time with
// milliseconds (Kubernetes' own timestamps have whole seconds only), so that a restarted process goes on where the
// killed one stopped. How long it takes is derived from that when it is read.

import { textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import type { Pace } from '../pace.ts';
import { addMetadata } from './writes.ts';

const prefix = 'local.petra.sh/';

/** When `event` happened to the object, in milliseconds since 1970; undefined when it has not yet. */
export function timeOf(object: KubernetesObject, event: string): number | undefined {
  const text = textAt(object, 'metadata', 'annotations', `${prefix}${event}-at`);
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Writes down that `event` happens to the object now, unless it already has. */
export async function noteTime(
  store: ObjectStore,
  object: KubernetesObject,
  event: string,
): Promise<KubernetesObject> {
  if (timeOf(object, event) !== undefined) return object;
  return addMetadata(store, object, { annotations: timeNote(event, Date.now()) });
}

/** The annotation by which `timeOf` knows the moment. */
export function timeNote(event: string, milliseconds: number): Readonly<Record<string, string>> {
  return { [`${prefix}${event}-at`]: new Date(milliseconds).toISOString() };
}

/** Real milliseconds until `seconds` of simulated time after the event; 0 when they have passed. */
export function remaining(object: KubernetesObject, event: string, seconds: number, pace: Pace): number {
  const start = timeOf(object, event) ?? Date.now();
  return Math.max(0, start + pace.milliseconds(seconds) - Date.now());
}

/** The earlier of two wishes to look again. */
export function soonest(...wishes: readonly (number | undefined)[]): number | undefined {
  const times = wishes.map(Number).filter((wish) => Number.isFinite(wish) && wish > 0);
  return times.length > 0 ? Math.min(...times) : undefined;
}
