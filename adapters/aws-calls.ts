/**
 * How Petra calls AWS services, except DynamoDB, which answers faster: the part of a client's configuration that all
 * share.
 *
 * `adaptive` is the SDK's standard mode (random waits of at most 50, 100, 200, 400 ms between five attempts, or 0.5 to
 * 8 s when throttled) which in addition slows down a client that was throttled. Longer trouble is for the state
 * machines' own `Retry`, which waits without holding a Lambda.
 *
 * Without the timeouts a lost packet would hang a call until its Lambda dies. Control planes answer in well under a
 * second, but a launch of instances or a large page can take several.
 */
export const awsCalls = {
  retryMode: 'adaptive',
  maxAttempts: 5,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    socketTimeout: 10_000,
    throwOnRequestTimeout: true,
  },
} as const;
