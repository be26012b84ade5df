// One JSON line for each invocation. Never the event or the answer whole: what is logged is named here.

import { PetraError } from '../core/errors.ts';
import { toFailure, unforeseen } from '../core/steps/failure.ts';
import { optionalEnv } from './env.ts';
import type { Invocation, Middleware } from './runtime.ts';
import { type WriteLine, writeLine } from './write-line.ts';

/** Small facts only: ids, names, numbers. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a function says of an invocation besides what all say. */
export interface Subject<E, R> {
  /** Who and what the invocation is about. */
  readonly about: (event: E) => LogFields;
  /** How it ended, when it ended well. */
  readonly outcome: (response: R) => LogFields;
  /** How the caller is told of an error, besides its code. */
  readonly refusal?: (error: unknown) => LogFields;
}

/**
 * Logs how an invocation went, once, as its last middleware. A failure's causes are there; its evidence is not, since
 * the operation keeps it.
 */
export function logging<E, R>(
  subject: Subject<E, R>,
  { write = writeLine, now = Date.now }: { readonly write?: WriteLine; readonly now?: () => number } = {},
): Middleware<E, R> {
  const startedAt = new WeakMap<object, number>();
  let isCold = true;

  function log({ event, context }: Invocation<E, R>, level: 'INFO' | 'WARN' | 'ERROR', fields: object): void {
    const begun = startedAt.get(context) ?? now();
    const line = {
      level,
      time: new Date(now()).toISOString(),
      function: context.functionName,
      requestId: context.awsRequestId,
      traceId: traceId(),
      ...(isCold ? { cold: true } : {}),
      ...subject.about(event),
      durationMs: now() - begun,
      ...fields,
    };
    isCold = false;
    write(JSON.stringify(line));
  }

  return {
    before: ({ context }) => {
      startedAt.set(context, now());
    },
    after: (invocation) => {
      const { response } = invocation;
      log(invocation, 'INFO', {
        outcome: 'succeeded',
        ...(response === undefined || response === null ? {} : subject.outcome(response)),
      });
    },
    onError: (invocation) => {
      const { error } = invocation;
      const known = error instanceof PetraError ? error : unforeseen(invocation.context.functionName, error);
      const { code, message, source, causes } = toFailure(known);
      // What users and AWS cause is expected to happen; Petra's own mistakes are not.
      log(invocation, source === 'petra' ? 'ERROR' : 'WARN', {
        outcome: 'failed',
        code,
        message,
        ...(causes === undefined ? {} : { causes }),
        ...(error instanceof PetraError ? {} : { stack: stackOf(error) }),
        ...subject.refusal?.(error),
      });
    },
  };
}

/** Lambda sets the variable anew for each invocation: `Root=1-…;Parent=…;Sampled=1`. */
function traceId(): string | undefined {
  return optionalEnv('_X_AMZN_TRACE_ID')?.match(/Root=([^;]+)/)?.[1];
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
