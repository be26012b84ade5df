// Conditions as the controllers write them.

import { listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
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

/** What counts most when conditions are merged: the worst that is false, then what is true, then what is unknown. */
function priority({ status, severity }: Condition): number {
  if (status === 'Unknown') return severities.length + 1;
  return status === 'True' ? severities.length : severities.indexOf(severity);
}

/**
 * The condition Ready that sums up others: what the worst of them says; of equally bad ones the first
 * (capi-1.9.5/util/conditions/merge.go). `completed` replaces its message by how many of so many are true, which
 * Machines tell while they are provisioned.
 */
export function summary(conditions: readonly Condition[], completedOf?: number): Condition {
  const [worst] = conditions.toSorted((a, b) => priority(a) - priority(b));
  if (!worst || worst.status === 'True') return { type: 'Ready', status: 'True' };
  const done = conditions.filter(({ status }) => status === 'True').length;
  const message = completedOf === undefined ? {} : { message: `${done} of ${completedOf} completed` };
  return { ...worst, ...message, type: 'Ready' };
}

/**
 * What the conditions Ready of several objects add up to, as one condition; none when none has one. The reason names the object
 * (capi-1.9.5/util/conditions/getter.go, `aggregate`). `counts` replaces the message by how many are ready.
 */
export function aggregate(
  type: string,
  sources: readonly KubernetesObject[],
  counts: boolean,
): readonly Condition[] {
  const found = sources.flatMap((source) => {
    const ready = asCondition(conditionOf(source, 'Ready'));
    return ready ? [{ ...ready, source }] : [];
  });
  const [worst] = found.toSorted((a, b) => priority(a) - priority(b));
  if (!worst) return [];
  if (worst.status === 'True') return [{ type, status: 'True' }];
  const { source, reason = '', ...rest } = worst;
  const done = found.filter(({ status }) => status === 'True').length;
  return [
    {
      ...rest,
      type,
      reason: reason.includes('@') ? reason : `${reason} @ ${source.kind}/${source.metadata.name}`,
      ...(counts ? { message: `${done} of ${sources.length} completed` } : {}),
    },
  ];
}

/**
 * What another object's condition Ready says, as a condition of this one; without one, whether the other says that it
 * is ready (capi-1.9.5/util/conditions/getter.go, `mirror`).
 */
export function mirrored(
  type: string,
  source: KubernetesObject,
  otherwise: { readonly isReady: boolean; readonly reason: string },
): Condition {
  const ready = asCondition(conditionOf(source, 'Ready'));
  return ready ? { ...ready, type } : condition(type, otherwise.isReady, { reason: otherwise.reason });
}

/** Conditions of these types, in this order: as they change, else as they are; those that were never set are left out. */
export function conditionsAfter(
  object: KubernetesObject,
  changes: readonly Condition[],
  types: readonly string[],
): readonly Condition[] {
  return types.flatMap((type) => {
    const found = changes.find((change) => change.type === type) ?? presentCondition(object, type);
    return found ? [found] : [];
  });
}

/** The object's condition of this type as it is. */
export function presentCondition(object: KubernetesObject, type: string): Condition | undefined {
  return asCondition(conditionOf(object, type));
}

/** A condition in an object's status without its times. */
function asCondition(found: unknown): Condition | undefined {
  const type = textAt(found, 'type');
  const status = textAt(found, 'status');
  if (type === undefined || (status !== 'True' && status !== 'False' && status !== 'Unknown'))
    return undefined;
  const severity = textAt(found, 'severity');
  const reason = textAt(found, 'reason');
  const message = textAt(found, 'message');
  return {
    type,
    status,
    ...(severity === 'Error' || severity === 'Warning' || severity === 'Info' ? { severity } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}
