import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { KubernetesAccess } from '../../core/ports.ts';
import { routeKubernetes, taskKubernetes } from './patience.ts';

export function kubernetesForTasks(): KubernetesAccess {
  return new HttpKubernetesAccess(taskKubernetes);
}

export function kubernetesForRoutes(): KubernetesAccess {
  return new HttpKubernetesAccess(routeKubernetes);
}
