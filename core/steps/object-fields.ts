// Reading of Kubernetes objects, whose status Petra does not own and so never trusts to be there.

import type { KubernetesObject } from '../ports.ts';

/** One condition of an object. */
export function conditionOf(object: KubernetesObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** All conditions in `status.conditions`. */
export function conditionsOf(object: KubernetesObject): readonly Condition[] {
  const conditions = field(object, 'status', 'conditions');
  return Array.isArray(conditions) ? conditions.filter(isCondition) : [];
}

function isCondition(value: unknown): value is Condition {
  return typeof value === 'object' && value !== null && 'type' in value && 'status' in value;
}

/** A nested field of an object, or undefined. */
export function field(object: unknown, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** A nested whole number, or undefined. */
export function numberField(object: unknown, ...path: readonly string[]): number | undefined {
  const value = field(object, ...path);
  return typeof value === 'number' ? value : undefined;
}

/** A nested non-empty string, or undefined. */
export function stringField(object: unknown, ...path: readonly string[]): string | undefined {
  const value = field(object, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
