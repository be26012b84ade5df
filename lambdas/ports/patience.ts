// How long one call may take here, where that differs from what adapters do by themselves. A function has 5 s less than
// its state, or 29 s where API Gateway waits for it, which it does for 30:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html

/** How patient a client of an AWS service is; without it, as `adapters/aws-calls.ts` says. */
export interface Calls {
  readonly maxAttempts?: number;
}

/** AWS services, asked by a route: who waits at a terminal repeats the command sooner than the state machine would. */
export const routeCalls: Calls = { maxAttempts: 2 };

/**
 * One request to Kubernetes may be sent twice, over a connection that had been closed and over a fresh one. An API
 * server gives its own webhooks at most 10 s each.
 */
export const taskKubernetes = { timeoutMilliseconds: 20_000 } as const;

/** A route that finds its cluster silent still has to answer. */
export const routeKubernetes = { timeoutMilliseconds: 5_000, throttleRetries: 0 } as const;
