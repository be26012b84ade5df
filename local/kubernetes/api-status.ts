// Failures as the Kubernetes API words them, so that kubectl and clients react as they do to a real server.
// Formats: k8s.io/apimachinery/pkg/api/errors/errors.go.

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A failed answer of the API: what is sent is its `status()`. */
export class ApiStatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'ApiStatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object that is sent. */
  status(): Readonly<Record<string, unknown>> {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

/** What the wording of a failure needs to know of a resource type. */
export interface Named {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
}

function qualified(name: string, group: string): string {
  return group ? `${name}.${group}` : name;
}

function detailsOf(type: Named, name: string): StatusDetails {
  return { name, ...(type.group ? { group: type.group } : {}), kind: type.plural };
}

export function notFound(type: Named, name: string): ApiStatusError {
  const message = `${qualified(type.plural, type.group)} "${name}" not found`;
  return new ApiStatusError(404, 'NotFound', message, detailsOf(type, name));
}

/** The answer for a path or kind that is not served. */
export function notServed(): ApiStatusError {
  return new ApiStatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(type: Named, name: string): ApiStatusError {
  const message = `${qualified(type.plural, type.group)} "${name}" already exists`;
  return new ApiStatusError(409, 'AlreadyExists', message, detailsOf(type, name));
}

export function conflict(type: Named, name: string, why: string): ApiStatusError {
  const message = `Operation cannot be fulfilled on ${qualified(type.plural, type.group)} "${name}": ${why}`;
  return new ApiStatusError(409, 'Conflict', message, detailsOf(type, name));
}

export const modifiedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(
  type: Named,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): ApiStatusError {
  const message = `${qualified(type.plural, type.group)} "${name}" is forbidden: ${why}`;
  const details = detailsOf(type, name);
  return new ApiStatusError(403, 'Forbidden', message, causes ? { ...details, causes } : details);
}

export function badRequest(message: string): ApiStatusError {
  return new ApiStatusError(400, 'BadRequest', message);
}

export function invalid(type: Named, name: string, causes: readonly StatusCause[]): ApiStatusError {
  const lines = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  const problems = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiStatusError(
    422,
    'Invalid',
    `${qualified(type.kind, type.group)} "${name}" is invalid: ${problems}`,
    { ...(name ? { name } : {}), ...(type.group ? { group: type.group } : {}), kind: type.kind, causes },
  );
}

/** A cause for `invalid`: `field: Invalid value: …`. */
export function invalidValue(field: string, value: unknown, why: string): StatusCause {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value) ?? 'null'}: ${why}`,
    field,
  };
}

export function requiredValue(field: string, why = ''): StatusCause {
  return { reason: 'FieldValueRequired', message: why ? `Required value: ${why}` : 'Required value', field };
}
