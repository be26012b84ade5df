// Holds a recording to a trace: everything that always happened must happen, in its order, and nothing else.

import { everythingBefore, isBefore, momentsOf, patternOf, stepsOf, type Trace } from './trace.ts';
import type { Run } from './trace-run.ts';

export interface TraceDifference {
  /** The role of the object, or `order`. */
  readonly object: string;
  /** The facet, or the moment. */
  readonly facet: string;
  readonly expected: string;
  readonly found: string;
}

const nothing = 'nothing';

export function compareRun(trace: Trace, run: Run): readonly TraceDifference[] {
  const roles = [...new Set([...Object.keys(trace.objects), ...run.keys()])].sort();
  return [...roles.flatMap((role) => compareRole(role, trace, run)), ...compareOrder(trace, run)];
}

function compareRole(role: string, trace: Trace, run: Run): readonly TraceDifference[] {
  const expected = trace.objects[role];
  const lives = run.get(role) ?? [];
  if (expected === undefined || lives.length === 0) {
    return [
      {
        object: role,
        facet: 'count',
        expected: expected?.count ?? nothing,
        found: lives.length === 0 ? nothing : String(lives.length),
      },
    ];
  }
  const counts = (expected.count ?? '').split(' or ');
  const facets = [
    ...new Set([...Object.keys(expected), ...lives.flatMap((life) => [...life.facets.keys()])]),
  ];
  return [
    ...(counts.includes(String(lives.length))
      ? []
      : [{ object: role, facet: 'count', expected: expected.count ?? '', found: String(lives.length) }]),
    ...facets
      .filter((facet) => facet !== 'count')
      .flatMap((facet) => {
        const histories = lives.map((life) => life.facets.get(facet) ?? []);
        const pattern = expected[facet];
        if (pattern !== undefined && histories.every((history) => fits(history, pattern))) return [];
        const found = patternOf(histories);
        return [{ object: role, facet, expected: pattern ?? nothing, found: found === '' ? nothing : found }];
      }),
  ];
}

/** Whether the values that are certain come in their order, and all others are among those that were ever seen. */
export function fits(history: readonly string[], pattern: string): boolean {
  const steps = stepsOf(pattern);
  const known = new Set(steps.map(({ value }) => value));
  let rest = history;
  for (const { value, isCertain } of steps) {
    if (!isCertain) continue;
    const found = rest.indexOf(value);
    if (found < 0) return false;
    rest = rest.slice(found + 1);
  }
  return history.every((value) => known.has(value));
}

function compareOrder(trace: Trace, run: Run): readonly TraceDifference[] {
  const moments = momentsOf(run);
  const before = everythingBefore(trace.order);
  const violated = (earlier: string, later: string) => {
    const [one, other] = [moments.get(earlier), moments.get(later)];
    // At the same time is fine: several writes may be one.
    return one !== undefined && other !== undefined && !isBefore(one, other, true);
  };
  return [...before].flatMap(([later, all]) =>
    [...all]
      .filter((earlier) => violated(earlier, later))
      // What follows from another difference is not told twice.
      .filter(
        (earlier) =>
          ![...all].some(
            (middle) =>
              before.get(middle)?.has(earlier) && (violated(earlier, middle) || violated(middle, later)),
          ),
      )
      .map((earlier) => ({
        object: 'order',
        facet: later,
        expected: `after "${earlier}"`,
        found: 'before it',
      })),
  );
}

export function describeDifference({ object, facet, expected, found }: TraceDifference): string {
  return `${object}, ${facet}: expected ${expected}, found ${found}`;
}
