// One recording, reduced: what each object said, one value after the other, and when the moments came that others
// wait for.

import type { ObservedEvent } from './object-watch.ts';
import { absent, facetsOf } from './trace-facets.ts';
import { petraMoments } from './trace-petra.ts';
import { type Cast, castOf, type Life } from './trace-roles.ts';

/** The values of a facet, each only when it differs from the one before. */
export type History = readonly string[];

export interface RecordedLife {
  readonly machine: string;
  readonly facets: ReadonlyMap<string, History>;
  /** When what happened first, by its name: resource versions, which count through the whole cluster. */
  readonly moments: ReadonlyMap<string, number>;
}

/** The objects by their role in the cluster. */
export type Run = ReadonlyMap<string, readonly RecordedLife[]>;

/** Reduces what was seen of one cluster. */
export function reduceEvents(events: readonly ObservedEvent[], cluster: string): Run {
  const cast = castOf(events, cluster);
  const recorded = cast.lives.map((life) => [life.role, recordLife(life, cast)] as const);
  const roles = Map.groupBy([...recorded, ['Petra', petraView(events, cluster)] as const], ([role]) => role);
  return new Map(
    [...roles]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([role, lives]) => [role, lives.map(([, life]) => life)]),
  );
}

function recordLife({ machine, events }: Life, cast: Cast): RecordedLife {
  const facets = new Map<string, string[]>();
  const moments = new Map<string, number>();
  const say = (facet: string, value: string, when: number | undefined) => {
    const history = facets.get(facet) ?? [];
    if (history.at(-1) === value) return;
    facets.set(facet, [...history, value]);
    const moment = momentOf(facet, value, history.at(-1) ?? absent);
    if (moment !== undefined && when !== undefined && !moments.has(moment)) moments.set(moment, when);
  };
  for (const { type, object } of events) {
    // What was there before the recording began did not happen in it.
    const when = type === 'PRESENT' ? undefined : Number(object.metadata.resourceVersion);
    if (type === 'DELETED') {
      say('life', 'gone', when);
      continue;
    }
    say(
      'life',
      type === 'PRESENT' ? 'there' : type === 'ADDED' ? 'appears' : (facets.get('life')?.at(-1) ?? ''),
      when,
    );
    if (object.metadata.deletionTimestamp !== undefined) say('life', 'asked to go', when);
    const now = facetsOf(object, cast);
    for (const [facet, value] of now) say(facet, value, when);
    for (const facet of facets.keys()) if (facet !== 'life' && !now.has(facet)) say(facet, absent, when);
  }
  return { machine, facets, moments };
}

/** Petra's words are held to the objects that they are about, as if they were one more object. */
function petraView(events: readonly ObservedEvent[], cluster: string): RecordedLife {
  const moments = petraMoments(events, cluster);
  const began = events.findLast(({ type }) => type === 'PRESENT');
  const ready = moments.find(({ state }) => state.ready);
  const isLate = Number(ready?.version) > Number(began?.object.metadata.resourceVersion ?? 0);
  const changes = (values: readonly string[]) => values.filter((value, i) => value !== values[i - 1]);
  return {
    machine: '',
    facets: new Map([
      ['says', changes(moments.map(({ state }) => state.summary))],
      ['takes it as ready', changes(moments.map(({ state }) => String(state.ready)))],
    ]),
    moments: ready && isLate ? new Map([['takes it as ready', ready.version]]) : new Map(),
  };
}

/** Moments whose order across objects is recorded. */
function momentOf(facet: string, value: string, before: string): string | undefined {
  if (facet === 'life' && value !== 'there') return value;
  if (facet === 'finalizers') return before === absent && value !== absent ? 'has its finalizer' : undefined;
  if (facet === 'status.phase') return `is ${value}`;
  if (facet === 'status.nodeRef') return 'has a Node';
  if (/^spec\.(providerID|bootstrap\.dataSecretName|controlPlaneEndpoint\.host)$/.test(facet)) {
    return value === 'set' ? `has ${facet.slice('spec.'.length)}` : undefined;
  }
  if (/^status\.(ready|initialized)$/.test(facet))
    return value === 'true' ? facet.slice('status.'.length) : undefined;
  if (/^condition (Ready|Available|ControlPlaneInitialized|VpcReady|LoadBalancerReady)$/.test(facet)) {
    return value === 'True' ? `${facet.slice('condition '.length)}=True` : undefined;
  }
  return undefined;
}
