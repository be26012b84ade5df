// Faults at the AWS edge, asked for by rule.

import { failed, throttled, unavailable, type WireAnswer, withoutCapacity } from './aws-refusals.ts';
import type { AwsRequest } from './aws-request.ts';

export const faultForms = {
  throttled: 'refused: slow down',
  failed: 'refused: an internal error, 500',
  unavailable: 'refused: unavailable, 503',
  capacity: 'refused: no capacity (RunInstances only)',
  cut: 'the connection ends, nothing was done',
  lost: 'it was done, and the connection ends before the answer',
  killed: 'it was done, and the function is killed before it hears of it',
  hung: 'it was done, and no answer ever comes',
} as const;

export type FaultForm = keyof typeof faultForms;

export interface FaultRule {
  /** Its name; for calls of a management node, the id of the machine. */
  readonly cluster: string;
  /** `node` for calls of a management node, those of Cluster API's provider among them. */
  readonly verb: string;
  /** `ec2:RunInstances` */
  readonly action: string;
  readonly form: FaultForm;
  /** How many calls in a row it happens to, from the first one on. */
  readonly times: number;
  /** Parameters that the request must have, such as `InstanceType`; absent: any will do. */
  readonly only?: Readonly<Record<string, string>>;
}

/** A rule in force. */
export interface PlannedFault extends FaultRule {
  /** How often it has happened. */
  happened: number;
}

export interface FaultyCall {
  readonly cluster: string | undefined;
  readonly verb: string;
  readonly action: string;
  readonly parameters: AwsRequest['parameters'];
}

export class FaultPlan {
  readonly #rules: PlannedFault[] = [];

  add(rule: FaultRule): PlannedFault {
    const planned = { ...rule, happened: 0 };
    this.#rules.push(planned);
    return planned;
  }

  /** Ends every fault of a cluster. */
  clear(cluster: string): void {
    for (const [index, rule] of [...this.#rules.entries()].reverse())
      if (rule.cluster === cluster) this.#rules.splice(index, 1);
  }

  /** The fault that must happen to this call; counts it. */
  take(call: FaultyCall): FaultForm | undefined {
    const rule = this.#rules.find(
      ({ cluster, verb, action, happened, times, only = {} }) =>
        cluster === call.cluster &&
        verb === call.verb &&
        action === call.action &&
        happened < times &&
        Object.entries(only).every(([name, value]) => call.parameters[name] === value),
    );
    if (!rule) return undefined;
    rule.happened += 1;
    return rule.form;
  }
}

/** The answer of a form that refuses; undefined for those that break the connection. */
export function refusalOf(form: FaultForm, request: AwsRequest): WireAnswer | undefined {
  switch (form) {
    case 'throttled':
      return throttled(request);
    case 'failed':
      return failed(request);
    case 'unavailable':
      return unavailable(request);
    case 'capacity':
      return withoutCapacity(request);
    default:
      return undefined;
  }
}
