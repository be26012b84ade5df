// What a failed answer of the Kubernetes API means for Petra. `Status` objects and their reasons:
// k8s.io/apimachinery/pkg/apis/meta/v1/types.go.

import { type ErrorCode, PetraError } from '../core/errors.ts';
import { at, listAt, recordAt } from '../core/json-fields.ts';
import type { HttpsAnswer } from './https-connection.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Attempt {
  /** For the message: `apply Deployment capi-system/capi-controller-manager`. */
  readonly what: string;
  readonly kind: string;
  readonly writes: boolean;
}

/** The JSON object of an answer; empty when it is none. */
export function statusOf({ text }: Pick<HttpsAnswer, 'text'>): Fields {
  try {
    return recordAt(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Whether the answer says that the object, or its whole kind, does not exist. */
export function isAbsent(answer: HttpsAnswer | undefined): boolean {
  return answer === undefined || answer.code === 404;
}

/** Whether the answer says that the path is not served, rather than that an object does not exist. */
export function isUnknownResource(answer: HttpsAnswer): boolean {
  return answer.code === 404 && at(statusOf(answer), 'details', 'name') === undefined;
}

/** The error for an answer that is not a success; without one the kind is not served. */
export function failureOf(answer: HttpsAnswer | undefined, { what, kind, writes }: Attempt): PetraError {
  if (answer === undefined) {
    const fix = 'Check apiVersion and kind; if a component brings the kind, wait until it is installed.';
    return new PetraError('ObjectRefused', `cannot ${what}: the cluster does not serve this kind`, { fix });
  }
  const status = statusOf(answer);
  const message = typeof status.message === 'string' ? status.message : `HTTP status ${answer.code}`;
  const causes = causesOf(status, message);
  const code = codeOf(answer.code, message, causes, writes);
  // An answer about a Secret may quote what is in it.
  const isSecret = kind === 'Secret';
  const shown = isSecret ? `${status.reason ?? answer.code}` : oneLine(message);
  return new PetraError(code, `cannot ${what}: ${shown}`, {
    evidence: isSecret ? causes.map(({ field }) => field) : causes.map(lineOf),
    details: {
      status: answer.code,
      ...(typeof status.reason === 'string' ? { reason: status.reason } : {}),
      ...webhookOf(message),
    },
  });
}

interface Cause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

function codeOf(code: number, message: string, causes: readonly Cause[], writes: boolean): ErrorCode {
  // The API server's own words when a webhook cannot be called; the code depends on how it failed.
  if (/failed calling webhook|conversion webhook for .* failed/.test(message)) return 'WebhookUnavailable';
  if (/admission webhook ".*" denied the request/.test(message)) return 'ObjectRefused';
  switch (code) {
    case 401:
      return 'KubernetesUnauthorized';
    case 403:
      // The namespace or the kind is on its way out; once it is gone it can be made anew.
      if (causes.some(({ reason }) => reason === 'NamespaceTerminating')) return 'ObjectConflict';
      if (/ while custom resource definition is terminating/.test(message)) return 'ObjectConflict';
      // Quotas and policies refuse the object, RBAC the user.
      return writes && / is forbidden: (?!User )/.test(message) ? 'ObjectRefused' : 'KubernetesUnauthorized';
    case 409:
      return 'ObjectConflict';
    case 429:
      return 'KubernetesThrottled';
    case 500:
      return isMisfit(message) ? 'ObjectRefused' : 'KubernetesUnreachable';
    default:
      return code >= 400 && code < 500 && code !== 408 && code !== 410
        ? 'ObjectRefused'
        : 'KubernetesUnreachable';
  }
}

/**
 * Whether server-side apply says that the object does not fit its schema, or cannot be decoded: a fault of the
 * object, although the code is 500 (k8s.io/apimachinery/pkg/util/managedfields/internal/structuredmerge.go).
 */
function isMisfit(message: string): boolean {
  return /^failed to (create typed patch|create typed new|convert new) object \(/.test(message);
}

/** What is wrong, field by field: as the status lists it, else as the message of a misfit does. */
function causesOf(status: Fields, message: string): readonly Cause[] {
  const listed = listedCauses(status);
  if (listed.length > 0 || !isMisfit(message)) return listed;
  return message.split(/(?:\): |\n\s*)(?=\.)/).flatMap((line) => {
    const [, field, problem] = /^\.(\S.*?): (.+)$/s.exec(line) ?? [];
    return field === undefined || problem === undefined
      ? []
      : [{ reason: '', field, message: oneLine(problem) }];
  });
}

function listedCauses(status: Fields): readonly Cause[] {
  return listAt(status, 'details', 'causes').map((cause) => {
    const { reason, field, message } = recordAt(cause);
    return {
      reason: String(reason ?? ''),
      field: String(field ?? ''),
      message: oneLine(String(message ?? '')),
    };
  });
}

function lineOf({ field, message }: Cause): string {
  return field === '' ? message : `${field}: ${message}`;
}

function webhookOf(message: string): { readonly webhook?: string } {
  const [, name] = /(?:admission|calling) webhook "([^"]+)"/.exec(message) ?? [];
  return name === undefined ? {} : { webhook: name };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ');
}
