// What the functions of the scheduled reconciliation are wrapped in. They belong to no operation: their line of log and
// their errors are all that is kept of them.

import middy from '@middy/core';
import { type LogFields, logging } from './logging.ts';
import { namedErrors } from './named-errors.ts';
import type { LambdaHandler } from './runtime.ts';
import type { WriteLine } from './write-line.ts';

/** The function of a Task state of reconcile.asl.json. `facts` names what of its answer is logged. */
export function sweep<P, E, R>(
  state: string,
  run: (ports: P, input: E) => Promise<R>,
  ports: NoInfer<P>,
  facts: (answer: R) => LogFields,
  options: { readonly write?: WriteLine } = {},
): LambdaHandler<E, R> {
  return middy<E, R>({ timeoutEarlyInMillis: 0 })
    .use(namedErrors<E, R>(state))
    .use(logging<E, R>({ about: () => ({ step: state }), outcome: facts }, options))
    .handler((input) => run(ports, input)) as LambdaHandler<E, R>;
}
