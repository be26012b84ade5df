// Traces: what controllers do with a cluster, as data. Several recordings of the same story become one trace, which
// tells what always happened from what sometimes happened, since states that follow each other quickly may be skipped.

import type { History, Run } from './trace-run.ts';

export interface Trace {
  /** Of everything that had a part in it. */
  readonly versions: Readonly<Record<string, string>>;
  /** How many recordings it was made from. */
  readonly recordings: number;
  /**
   * By role, then by facet, the values that follow each other: `Pending → (Provisioning) → Provisioned`. What is in
   * brackets was not seen every time. `count` says how many objects have the role.
   */
  readonly objects: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What always came before a moment, nearest first. What follows from others is left out. */
  readonly order: Readonly<Record<string, readonly string[]>>;
}

const arrow = ' → ';

/** One trace of several recordings of the same story. */
export function mergeRuns(runs: readonly Run[], versions: Trace['versions']): Trace {
  const roles = [...new Set(runs.flatMap((run) => [...run.keys()]))].sort();
  const objects = roles.map((role) => {
    const lives = runs.map((run) => run.get(role) ?? []);
    const facets = [...new Set(lives.flat().flatMap((life) => [...life.facets.keys()]))].sort(byImportance);
    const counts = [...new Set(lives.map((all) => String(all.length)))].sort();
    const patterns = facets.map((facet) => {
      const histories = lives.flat().map((life) => life.facets.get(facet) ?? []);
      return [facet, patternOf(histories)] as const;
    });
    return [role, { count: counts.join(' or '), ...Object.fromEntries(patterns) }] as const;
  });
  return {
    versions,
    recordings: runs.length,
    objects: Object.fromEntries(objects),
    order: orderOf(runs),
  };
}

const first = ['life', 'name', 'type', 'keys', 'owners', 'finalizers', 'labels', 'annotations'];

export function byImportance(a: string, b: string): number {
  const rank = (facet: string) => (first.indexOf(facet) + first.length + 1) % (first.length + 1);
  const [left, right] = [first.includes(a) ? rank(a) : 100, first.includes(b) ? rank(b) : 100];
  return left - right || (a < b ? -1 : 1);
}

/** What all histories have in common, in order, and between that in brackets what only some have. */
export function patternOf(histories: readonly History[]): string {
  const certain = histories.reduce(longestCommon);
  const between: Set<string>[] = Array.from({ length: certain.length + 1 }, () => new Set());
  for (const history of histories) {
    let step = 0;
    for (const value of history) {
      if (value === certain[step]) step += 1;
      else between[step]?.add(value);
    }
  }
  return between
    .flatMap((values, step) => [
      ...[...values].map((value) => `(${value})`),
      ...certain.slice(step, step + 1),
    ])
    .join(arrow);
}

/** The steps of a pattern. */
export function stepsOf(pattern: string): readonly { readonly value: string; readonly isCertain: boolean }[] {
  return (pattern === '' ? [] : pattern.split(arrow)).map((step) => ({
    value: step.replace(/^\((.*)\)$/, '$1'),
    isCertain: !step.startsWith('('),
  }));
}

/** The longest sequence that both have. */
function longestCommon(a: History, b: History): History {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const lengthAt = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row) {
        row[j] =
          a[i] === b[j] ? lengthAt(i + 1, j + 1) + 1 : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
      }
    }
  }
  const common: string[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      common.push(a[i] ?? '');
      i += 1;
      j += 1;
    } else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) i += 1;
    else j += 1;
  }
  return common;
}

/** Moments of one kind in a run: one for each object of the role. */
interface Moments {
  readonly role: string;
  readonly times: readonly { readonly machine: string; readonly when: number }[];
  readonly isComplete: boolean;
}

export function momentsOf(run: Run): ReadonlyMap<string, Moments> {
  const moments = new Map<string, Moments>();
  for (const [role, lives] of run) {
    for (const moment of new Set(lives.flatMap((life) => [...life.moments.keys()]))) {
      const times = lives.flatMap(({ machine, moments: all }) => {
        const when = all.get(moment);
        return when === undefined ? [] : [{ machine, when }];
      });
      moments.set(`${role}: ${moment}`, { role, times, isComplete: times.length === lives.length });
    }
  }
  return moments;
}

/**
 * Whether the one always comes before the other. What is there for different Machines of the same kind has no order
 * among itself: Machines go their own ways.
 */
export function isBefore(a: Moments, b: Moments, orAtOnce = false): boolean {
  const machines = new Set(a.times.map(({ machine }) => machine));
  const areParallel = b.times.some(({ machine }) => machine !== '' && machines.has(machine));
  return a.times.every((one) =>
    b.times.every(
      (other) =>
        (areParallel && one.machine !== other.machine) ||
        one.when < other.when ||
        (orAtOnce && one.when === other.when),
    ),
  );
}

function orderOf(runs: readonly Run[]): Trace['order'] {
  const all = runs.map(momentsOf);
  const names = [...(all[0]?.keys() ?? [])].filter((name) => all.every((run) => run.get(name)?.isComplete));
  const holds = (a: string, b: string) =>
    a !== b &&
    all.every((run) => {
      const [one, other] = [run.get(a), run.get(b)];
      return one !== undefined && other !== undefined && isBefore(one, other);
    });
  return nearest(new Map(names.map((name) => [name, names.filter((other) => holds(other, name))])));
}

/** All that comes before each moment, without what follows from others. */
export function nearest(before: ReadonlyMap<string, readonly string[]>): Trace['order'] {
  const order = [...before].map(([name, all]) => {
    const left = all.filter((one) => !all.some((other) => before.get(other)?.includes(one)));
    return [name, left.sort()] as const;
  });
  return Object.fromEntries(order.filter(([, left]) => left.length > 0).sort());
}

/** All that comes before each moment, through others too. */
export function everythingBefore(order: Trace['order']): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, Set<string>>();
  const collect = (name: string): Set<string> => {
    const known = before.get(name);
    if (known) return known;
    const all = new Set<string>();
    before.set(name, all);
    for (const earlier of order[name] ?? []) {
      all.add(earlier);
      for (const one of collect(earlier)) all.add(one);
    }
    return all;
  };
  for (const name of Object.keys(order)) collect(name);
  return before;
}
