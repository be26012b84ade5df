import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { KubernetesAccess } from '../../core/ports.ts';

/**
 * One request may be sent twice, over a connection that had been closed and over a fresh one: both fit into the time of
 * any Task state. An API server gives its own webhooks at most 10 s each.
 */
export const taskTimeoutMilliseconds = 20_000;

/** API Gateway waits at most 30 s, and a route that finds its cluster silent still has to answer. */
export const routeTimeoutMilliseconds = 5_000;

export function kubernetesForTasks(): KubernetesAccess {
  return new HttpKubernetesAccess({ timeoutMilliseconds: taskTimeoutMilliseconds });
}

export function kubernetesForRoutes(): KubernetesAccess {
  return new HttpKubernetesAccess({ timeoutMilliseconds: routeTimeoutMilliseconds, throttleRetries: 0 });
}
