// Conditions as the controllers write them.

import { listAt, textAt } from '../../core/json-fields.ts';
import { sameJson } from '../kubernetes/api-json.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** Only for what is not true. */
  readonly severity?: 'Error' | 'Warning' | 'Info';
  readonly reason?: string;
  readonly message?: string;
}

/** Kubernetes' timestamps have no fractions of a second. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A condition of Cluster API's v1beta1: all that is true says nothing more. */
export function condition(
  type: string,
  isTrue: boolean,
  otherwise: Omit<Condition, 'type' | 'status'> = {},
): Condition {
  return isTrue ? { type, status: 'True' } : { type, status: 'False', severity: 'Info', ...otherwise };
}

/**
 * The list of conditions after setting some: others stay, the transition time of one that says the same stays too.
 * Ready (or Available) first, the rest by name, as Cluster API sorts them.
 */
export function withConditions(present: readonly unknown[], changes: readonly Condition[], now: number) {
  const kept = present.filter((old) => !changes.some(({ type }) => textAt(old, 'type') === type));
  const changed = changes.map((change) => {
    const old = present.find((candidate) => textAt(candidate, 'type') === change.type);
    const lastTransitionTime = textAt(old, 'lastTransitionTime');
    const next = { ...change, lastTransitionTime };
    return old !== undefined && sameJson(old, next) ? old : { ...change, lastTransitionTime: timestamp(now) };
  });
  return [...kept, ...changed].sort((a, b) => rank(a).localeCompare(rank(b)));
}

function rank(entry: unknown): string {
  const type = textAt(entry, 'type') ?? '';
  return type === 'Ready' || type === 'Available' ? ` ${type}` : type;
}

/** The condition of this type in the object's status. */
export function conditionOf(object: unknown, type: string): unknown {
  return listAt(object, 'status', 'conditions').find((candidate) => textAt(candidate, 'type') === type);
}

export function isConditionTrue(object: unknown, type: string): boolean {
  return textAt(conditionOf(object, type), 'status') === 'True';
}

const severities: readonly unknown[] = ['Error', 'Warning', 'Info'];

/**
 * The condition Ready that sums up others: true when all are, else what the worst of them says; of equally bad ones
 * the first (capi-1.9.5/util/conditions/merge.go).
 */
export function summary(conditions: readonly Condition[]): Condition {
  const [worst] = conditions
    .filter(({ status }) => status !== 'True')
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  return worst ? { ...worst, type: 'Ready' } : { type: 'Ready', status: 'True' };
}
