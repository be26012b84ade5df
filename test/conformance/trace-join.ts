// Two traces of the same story as one: recordings that are made later, on a machine that is faster or has more to do, see
// states that others skip.

import { byImportance, everythingBefore, nearest, patternOf, stepsOf, type Trace } from './trace.ts';

/** What holds in both, and in brackets what only one of them knows. */
export function joinTraces(one: Trace, other: Trace): Trace {
  const roles = [...new Set([...Object.keys(one.objects), ...Object.keys(other.objects)])].sort();
  return {
    versions: other.versions,
    recordings: one.recordings + other.recordings,
    objects: Object.fromEntries(
      roles.map((role) => [role, joinRole(one.objects[role], other.objects[role])]),
    ),
    order: joinOrder(one.order, other.order),
  };
}

type Facets = Trace['objects'][string];

function joinRole(one: Facets = {}, other: Facets = {}): Facets {
  const { count: countOfOne = '0', ...facetsOfOne } = one;
  const { count: countOfOther = '0', ...facetsOfOther } = other;
  const counts = new Set([...countOfOne.split(' or '), ...countOfOther.split(' or ')]);
  const names = [...new Set([...Object.keys(facetsOfOne), ...Object.keys(facetsOfOther)])];
  const facets = names.sort(byImportance).map((facet) => {
    const histories = [...historiesOf(facetsOfOne[facet]), ...historiesOf(facetsOfOther[facet])];
    return [facet, patternOf(histories)] as const;
  });
  return { count: [...counts].sort().join(' or '), ...Object.fromEntries(facets) };
}

/** The longest and the shortest that a pattern was made from; of a facet that never was there, none at all. */
function historiesOf(pattern = ''): readonly (readonly string[])[] {
  const steps = stepsOf(pattern);
  return [
    steps.map(({ value }) => value),
    steps.filter(({ isCertain }) => isCertain).map(({ value }) => value),
  ];
}

function joinOrder(one: Trace['order'], other: Trace['order']): Trace['order'] {
  const ofOther = everythingBefore(other);
  const both = new Map(
    [...everythingBefore(one)].map(([name, before]) => [
      name,
      [...before].filter((earlier) => ofOther.get(name)?.has(earlier)),
    ]),
  );
  return nearest(both);
}
