// What a preflight finds, and what becomes of it: an error stops an operation, unless it can be accepted and was; a
// warning never does.

import { type ErrorCode, errorCatalogue, PetraError } from '../errors.ts';
import { causesOf } from '../steps/failure.ts';

export interface PreflightFinding {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The field of the spec it is about. */
  readonly path?: string;
  readonly numbers?: FindingNumbers;
  /** Whether an operation goes on in spite of it when its code was accepted. Errors only: warnings stop nothing. */
  readonly acceptable: boolean;
  readonly evidence?: readonly string[];
}

/** A quota against what is needed of it. */
export interface FindingNumbers {
  /** What this cluster takes in addition to what is used now. */
  readonly needed: number;
  readonly used: number;
  readonly limit: number;
  /** Code in Service Quotas. */
  readonly quotaCode: string;
}

/**
 * What can be accepted. Both are estimates: a quota may have been raised a moment ago or be needed later only, and the
 * simulation of policies does not know every condition.
 */
export const acceptableCodes = [
  'CapaPermissionMissing',
  'QuotaTooSmall',
] as const satisfies readonly ErrorCode[];

/** Those of the codes that cannot be accepted. */
export function unacceptable(codes: readonly string[]): readonly string[] {
  return codes.filter((code) => !acceptableCodes.some((known) => known === code));
}

interface Particulars {
  /** Instead of the catalogue's. */
  readonly fix?: string;
  readonly path?: string;
  readonly numbers?: FindingNumbers;
  readonly evidence?: readonly string[];
}

/** A finding that stops an operation. */
export function errorFinding(code: ErrorCode, message: string, more: Particulars = {}): PreflightFinding {
  const acceptable = unacceptable([code]).length === 0;
  const fix = more.fix ?? errorCatalogue[code].fix;
  return {
    code,
    severity: 'error',
    message,
    acceptable,
    ...more,
    fix: acceptable ? `${fix} To go on in spite of it: --accept ${code}.` : fix,
  };
}

/** A finding that is only told. */
export function warningFinding(code: ErrorCode, message: string, more: Particulars = {}): PreflightFinding {
  return { code, severity: 'warning', message, fix: errorCatalogue[code].fix, acceptable: false, ...more };
}

/** An error on the way as a finding, so that it is told beside the others. */
export function findingOf(error: PetraError): PreflightFinding {
  const evidence = [...error.evidence, ...causesOf(error)];
  return errorFinding(error.code, error.message, {
    fix: error.fix,
    ...(evidence.length === 0 ? {} : { evidence }),
  });
}

/** Something that could not be looked at, which by itself stops nothing. */
export function uncheckedFinding(what: string, silence: PetraError): PreflightFinding {
  return warningFinding('Unchecked', `${what} could not be checked: ${silence.message}`, {
    fix: silence.fix,
  });
}

/** What a port answered, or why it did not. */
export type Answer<T> =
  | { readonly value: T; readonly silence?: undefined }
  | { readonly value?: undefined; readonly silence: PetraError };

/** Waits for an answer. A refusal is one too: the other checks go on. Throws only what Petra does not know. */
export async function ask<T>(question: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await question };
  } catch (silence) {
    if (silence instanceof PetraError) return { silence };
    throw silence;
  }
}

/** What passes by itself, so that the state machines run the state again. */
const passing: readonly ErrorCode[] = ['Throttled', 'AwsUnavailable', 'ReleaseUnreachable'];

/** Whether the same preflight may soon find otherwise. */
export function isPassing({ code }: { readonly code: ErrorCode }): boolean {
  return passing.includes(code);
}

/** Errors first, and of them first those that stay: running it again is no use while there are any. Else as they were found. */
export function inOrder(findings: readonly PreflightFinding[]): readonly PreflightFinding[] {
  const rank = (finding: PreflightFinding) =>
    finding.severity === 'warning' ? 2 : Number(isPassing(finding));
  return findings.toSorted((one, other) => rank(one) - rank(other));
}
