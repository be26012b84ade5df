import { type ErrorCode, PetraError } from '../../core/errors.ts';

/**
 * How long a preflight waits for one answer, in milliseconds. The longest way is two answers of AWS one after the other (what an
 * instance type is, then quotas), or one release, whose files are asked for all at once: with reading the manifests less than the
 * 20 s that a person waits, and than the 29 s that API Gateway does. An adapter alone would try for longer.
 */
export const preflightLimits = { aws: 8_000, releases: 16_000 } as const;

/** The port, of which each call that takes longer is given up. What it does goes on: only for calls that look. */
export function within<T extends object>(
  port: T,
  milliseconds: number,
  code: ErrorCode = 'AwsUnavailable',
): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        const answer: unknown = Reflect.apply(member, target, given);
        return answer instanceof Promise ? limited(answer, milliseconds, code) : answer;
      };
    },
  });
}

async function limited<T>(answer: Promise<T>, milliseconds: number, code: ErrorCode): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new PetraError(code, `no answer within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
