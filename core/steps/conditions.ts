// The conditions of Kubernetes objects, whose status Petra does not own and so never trusts to be there.

import { listAt } from '../json-fields.ts';
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
  return listAt(object, 'status', 'conditions').filter(isCondition);
}

function isCondition(value: unknown): value is Condition {
  return typeof value === 'object' && value !== null && 'type' in value && 'status' in value;
}
