import { canonicalJson } from '../../core/canonical-json.ts';
import { isObject } from '../../core/json-fields.ts';

/** Every path at which two values differ, with both values: `spec.replicas: 1 ≠ 2`. Lists are compared as a whole. */
export function differenceBetween(one: unknown, other: unknown): readonly string[] {
  return differingPaths(one, other).map(
    ({ path, one: left, other: right }) => `${path}: ${shown(left)} ≠ ${shown(right)}`,
  );
}

export interface Difference {
  readonly path: string;
  readonly one: unknown;
  readonly other: unknown;
}

export function differingPaths(one: unknown, other: unknown, path = ''): readonly Difference[] {
  if (!differs(one, other)) return [];
  if (!isObject(one) || !isObject(other)) return [{ path, one, other }];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) =>
    differingPaths(one[key], other[key], path === '' ? key : `${path}.${key}`),
  );
}

export function differs(one: unknown, other: unknown): boolean {
  return canonicalJson(one ?? null) !== canonicalJson(other ?? null);
}

function shown(value: unknown): string {
  const text = canonicalJson(value ?? null);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
