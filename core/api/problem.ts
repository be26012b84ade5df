import { errorCatalogue, PetraError } from '../errors.ts';
import type { Problem } from './contract.ts';

/** An error as an answer of the API (RFC 9457), with its HTTP status. What Petra did not foresee shows no insides. */
export function toProblem(error: unknown): Problem {
  const known =
    error instanceof PetraError ? error : new PetraError('InternalError', 'Petra failed unexpectedly');
  return {
    type: `https://petra.sh/errors/${known.code}`,
    title: errorCatalogue[known.code].cause,
    status: errorCatalogue[known.code].status,
    code: known.code,
    message: known.message,
    fix: known.fix,
    retryable: known.retryable,
    source: known.source,
    ...(known.evidence.length > 0 ? { evidence: known.evidence } : {}),
    ...(known.details === undefined ? {} : { details: known.details }),
  };
}
