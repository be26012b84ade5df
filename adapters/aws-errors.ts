// What Petra calls the errors of AWS, by their names. Pure: the real adapters and the simulated cloud share it, so that
// a fault asked for on one machine fails like the real one.

import { type ErrorCode, PetraError } from '../core/errors.ts';

// The names on which the SDK itself retries as throttling, without `LimitExceededException`: for the services
// Petra uses it means a quota.
const throttling = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'KmsThrottlingException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

const capacity = new Set([
  'InsufficientCapacity',
  'InsufficientFreeAddressesInSubnet',
  'InsufficientHostCapacity',
  'InsufficientInstanceCapacity',
  // EC2 says this of an instance type which the chosen zone does not have.
  'Unsupported',
]);

const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'KmsAccessDeniedException',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnauthorizedOperation',
  'UnrecognizedClientException',
]);

const unavailable = new Set([
  // S3: something else happens to the same key. The SDK does not repeat it.
  'ConditionalRequestConflict',
  'DependencyViolation',
  'InternalError',
  'InternalException',
  'InternalFailure',
  'InternalServerError',
  'InternalServiceError',
  'InternalServiceErrorException',
  'InternalServiceException',
  'InvalidIPAddress.InUse',
  'InvalidNetworkInterface.InUse',
  'NetworkingError',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServerInternal',
  'ServiceFailure',
  'ServiceFailureException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
  'Unavailable',
  // Node's own codes for a service that cannot be reached.
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** The quota in Service Quotas behind a `…LimitExceeded`, where it is always the same one. */
const quotas: Readonly<Record<string, { readonly code: string; readonly title: string }>> = {
  AddressLimitExceeded: { code: 'L-0263D0A3', title: 'EC2-VPC Elastic IPs' },
  InternetGatewayLimitExceeded: { code: 'L-A4707A72', title: 'Internet gateways per Region' },
  NatGatewayLimitExceeded: { code: 'L-FE5A380F', title: 'NAT gateways per Availability Zone' },
  NetworkInterfaceLimitExceeded: { code: 'L-DF5E4CA3', title: 'Network interfaces per Region' },
  VcpuLimitExceeded: {
    code: 'L-1216C47A',
    title: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
  },
  VpcLimitExceeded: { code: 'L-F678F1CE', title: 'VPCs per Region' },
};

/** Petra's code for an AWS error of this name; undefined when only the caller can know what it means. */
export function codeOfAwsError(name: string, httpStatus?: number): ErrorCode | undefined {
  if (throttling.has(name)) return 'Throttled';
  if (capacity.has(name)) return 'CapacityUnavailable';
  if (denied.has(name)) return 'AwsAccessDenied';
  if (unavailable.has(name)) return 'AwsUnavailable';
  if (/LimitExceeded(Exception)?$|QuotaExceeded(Exception)?$/.test(name)) return 'QuotaExceeded';
  // EC2 is eventually consistent: what was made a moment ago may not be found yet. Where "gone" is success, the
  // adapter has returned before it asks.
  if (/^Invalid\w+\.NotFound$/.test(name)) return 'AwsUnavailable';
  if (httpStatus === 429) return 'Throttled';
  if (httpStatus !== undefined && httpStatus >= 500) return 'AwsUnavailable';
  return undefined;
}

/**
 * The PetraError for something thrown by an AWS SDK client, with the AWS name and text in its message; anything
 * else is returned as it is. Use it as `throw translateAwsError(error, 'launch server-0')`.
 */
export function translateAwsError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof PetraError) return error;
  const name = errorName(error);
  const code = codeOfAwsError(name, httpStatus(error));
  if (!code) return error;
  const message = `cannot ${doing}: ${name}: ${error.message}`;
  const quota = code === 'QuotaExceeded' ? quotas[name] : undefined;
  if (!quota) return new PetraError(code, message, { cause: error, details: { awsError: name } });
  return new PetraError(code, `${message} (quota ${quota.code}, ${quota.title})`, {
    cause: error,
    details: { awsError: name, quotaCode: quota.code },
    fix: `Raise quota ${quota.code} (${quota.title}) in the Service Quotas console, or free some of it, then repeat the command.`,
  });
}

/** What `call` answers; what it throws is translated. */
export async function translatingAwsErrors<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translateAwsError(error, doing);
  }
}

/** Whether something thrown is an error of one of these names, as the SDK gives them. */
export function isNamed(error: unknown, ...names: readonly string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}

/** The SDK names a service's error in `name`; Node names a network error in `code`. */
function errorName(error: Error): string {
  return error.name === 'Error' && 'code' in error && typeof error.code === 'string'
    ? error.code
    : error.name;
}

function httpStatus(error: Error): number | undefined {
  if (!('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
