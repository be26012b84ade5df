import { describe, expect, it } from 'vitest';
import { codeOfAwsError, translateAwsError } from '../../adapters/aws-errors.ts';
import { PetraError } from '../../core/errors.ts';

function awsError(name: string, message: string, extra: object = {}): Error {
  return Object.assign(new Error(message), { name }, extra);
}

describe('AWS errors', () => {
  it.each([
    ['InsufficientInstanceCapacity', 'CapacityUnavailable'],
    ['Unsupported', 'CapacityUnavailable'],
    ['RequestLimitExceeded', 'Throttled'],
    ['ThrottlingException', 'Throttled'],
    ['SlowDown', 'Throttled'],
    ['VcpuLimitExceeded', 'QuotaExceeded'],
    ['AddressLimitExceeded', 'QuotaExceeded'],
    ['LimitExceededException', 'QuotaExceeded'],
    ['ServiceQuotaExceededException', 'QuotaExceeded'],
    ['InternalError', 'AwsUnavailable'],
    ['InternalException', 'AwsUnavailable'],
    ['InternalServiceException', 'AwsUnavailable'],
    ['ServiceFailureException', 'AwsUnavailable'],
    ['KmsThrottlingException', 'Throttled'],
    ['KmsAccessDeniedException', 'AwsAccessDenied'],
    ['ExecutionLimitExceeded', 'QuotaExceeded'],
    ['ConditionalRequestConflict', 'AwsUnavailable'],
    ['DependencyViolation', 'AwsUnavailable'],
    ['InvalidInstanceID.NotFound', 'AwsUnavailable'],
    ['InvalidIPAddress.InUse', 'AwsUnavailable'],
    ['UnauthorizedOperation', 'AwsAccessDenied'],
    ['InvalidParameterValue', undefined],
  ])('are called by what can be done about them: %s is %s', (name, code) => {
    expect(codeOfAwsError(name)).toBe(code);
  });

  it('of an unknown name are told apart by their HTTP status', () => {
    expect(codeOfAwsError('Strange', 503)).toBe('AwsUnavailable');
    expect(codeOfAwsError('Strange', 429)).toBe('Throttled');
    expect(codeOfAwsError('Strange', 400)).toBeUndefined();
  });

  it('keep their name, text and cause', () => {
    const cause = awsError('InsufficientInstanceCapacity', 'no m5a.large in us-west-1a');
    const translated = translateAwsError(cause, 'launch server-0');
    expect(translated).toMatchObject({
      code: 'CapacityUnavailable',
      message: 'cannot launch server-0: InsufficientInstanceCapacity: no m5a.large in us-west-1a',
      cause,
    });
  });

  it('about a quota name the quota to raise', () => {
    const translated = translateAwsError(awsError('VcpuLimitExceeded', 'limit of 32'), 'launch server-0');
    expect(translated).toMatchObject({ code: 'QuotaExceeded', details: { quotaCode: 'L-1216C47A' } });
    expect(translated instanceof PetraError && translated.fix).toContain('L-1216C47A');
  });

  it('of a faulty service are known by the status the SDK attaches', () => {
    const error = awsError('Strange', 'oops', { $metadata: { httpStatusCode: 502 } });
    expect(translateAwsError(error, 'read a secret')).toMatchObject({ code: 'AwsUnavailable' });
  });

  it('of the network are known by the code Node attaches', () => {
    const error = awsError('Error', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' });
    expect(translateAwsError(error, 'read a secret')).toMatchObject({ code: 'AwsUnavailable' });
  });

  it('that say nothing to Petra pass through unchanged, as do its own', () => {
    const strange = awsError('InvalidParameterValue', 'bad');
    const own = new PetraError('Throttled', 'slow');
    expect(translateAwsError(strange, 'launch')).toBe(strange);
    expect(translateAwsError(own, 'launch')).toBe(own);
    expect(translateAwsError('text', 'launch')).toBe('text');
  });
});
