/**
 * How Petra calls AWS services, except DynamoDB, which answers faster: the part of a client's configuration that all
 * share.
 *
 * `adaptive` is the SDK's standard mode (random waits of at most 50, 100 and 200 ms between four attempts, or 0.5 to
 * 2 s when throttled) which in addition slows down a client that was throttled. Longer trouble is for the state
 * machines' own `Retry`, which waits without holding a Lambda.
 *
 * Without the timeouts a lost packet would hang a call until its Lambda dies. Control planes answer in well under a
 * second, but a launch of instances or a large page can take several. Four attempts that all run into them end before
 * the shortest Task does, after 60 s, so that the error is the service's and not a timeout of the step.
 */
export const awsCalls = {
  retryMode: 'adaptive',
  maxAttempts: 4,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    socketTimeout: 10_000,
    throwOnRequestTimeout: true,
  },
} as const;
