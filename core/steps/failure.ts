import { messageOf, PetraError } from '../errors.ts';
import type { Failure } from '../fleet.ts';

/** An error as it is stored and shown. */
export function toFailure(error: PetraError, step?: string): Failure {
  const causes = causesOf(error);
  return {
    code: error.code,
    message: error.message,
    fix: error.fix,
    retryable: error.retryable,
    source: error.source,
    ...(step === undefined ? {} : { step }),
    ...(error.evidence.length > 0 ? { evidence: error.evidence } : {}),
    ...(causes.length > 0 ? { causes } : {}),
  };
}

/** Messages of the underlying errors, outermost first. */
export function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 8; ) {
    causes.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** An error that is not Petra's own, as one that is. */
export function unforeseen(state: string, error: unknown): PetraError {
  const message = `${state} failed in a way Petra did not foresee: ${messageOf(error)}`;
  return new PetraError('InternalError', message, { cause: error });
}
