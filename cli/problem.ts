// The API's errors (RFC 9457) as PetraErrors, and back into JSON for scripts.

import type { Problem } from '../core/api/contract.ts';
import { type ErrorCode, errorCatalogue, PetraError } from '../core/errors.ts';
import type { Failure, OperationRecord } from '../core/fleet.ts';

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}

/** Messages of underlying errors as a chain of causes, outermost first. */
function chain(messages: readonly string[]): Error | undefined {
  return messages.reduceRight<Error | undefined>(
    (cause, message) => new Error(message, cause === undefined ? undefined : { cause }),
    undefined,
  );
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Whether this is an error of Petra itself, and not of something before it. */
export function isProblem(body: string): boolean {
  try {
    return typeof JSON.parse(body)?.code === 'string';
  } catch {
    return false;
  }
}

/** An answer that is not Petra's own: of API Gateway, which says `{"message": …}`, or of something else altogether. */
function strangerToError(status: number, isGateway: boolean, body: string, url: string): PetraError {
  const said = body.replace(/\s+/g, ' ').trim().slice(0, 200);
  const evidence = said === '' ? [] : [`it said: ${said}`];
  if (status === 429) return new PetraError('Throttled', `${url} asks to slow down (429)`, { evidence });
  if (isGateway && status >= 500) {
    return new PetraError('AwsUnavailable', `${url} could not get an answer from Petra (${status})`, {
      evidence,
      fix: 'Run the same command again; if it stays, the log of the function for this route has the reason.',
    });
  }
  return new PetraError('PetraUnreachable', `${url} answered ${status}, but not as a Petra does`, {
    evidence,
    ...(isGateway && status === 404
      ? {
          fix: 'Check the address; a stack of an older version may not have this route yet: deploy it again.',
        }
      : {}),
  });
}

/** The error that an answer of the API stands for. */
export function problemToError(status: number, body: string, url: string): PetraError {
  let problem: Partial<Problem> & { readonly evidence?: unknown; readonly causes?: unknown };
  try {
    problem = JSON.parse(body) ?? {};
  } catch {
    problem = {};
  }
  if (typeof problem.code !== 'string') {
    return strangerToError(status, typeof problem.message === 'string', body, url);
  }
  const code = isErrorCode(problem.code) ? problem.code : 'InternalError';
  const cause = chain(strings(problem.causes));
  return new PetraError(
    code,
    `${problem.message ?? problem.title ?? 'no message'}${code === problem.code ? '' : ` (${problem.code})`}`,
    {
      ...(problem.fix === undefined ? {} : { fix: problem.fix }),
      ...(problem.details === undefined ? {} : { details: problem.details }),
      evidence: strings(problem.evidence),
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** The error that ended an operation. */
export function failureToError(operation: OperationRecord): PetraError {
  const failure: Failure = operation.failure ?? {
    code: operation.status === 'Abandoned' ? 'OperationAbandoned' : 'InternalError',
    message: `${operation.id} ended as ${operation.status}`,
    fix: 'Repeat the command to start a new attempt.',
    retryable: true,
    source: 'petra',
  };
  const cause = chain(failure.causes ?? []);
  return new PetraError(isErrorCode(failure.code) ? failure.code : 'InternalError', failure.message, {
    fix: failure.fix,
    evidence: failure.evidence ?? [],
    ...(cause === undefined ? {} : { cause }),
    details: { operation: operation.id, ...(failure.step === undefined ? {} : { step: failure.step }) },
  });
}

/** Messages of the causes of an error, outermost first. */
export function causesOf(error: Error): string[] {
  const messages: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    // A connection that fails on both IPv4 and IPv6 has an empty message of its own.
    const parts =
      cause instanceof AggregateError ? cause.errors.map((part) => String(part?.message ?? part)) : [];
    messages.push(cause.message || parts.join('; ') || cause.name);
  }
  return messages;
}
