// Since when each cluster of a management cluster is ready, by what its objects say afterwards.

import type { Kubernetes, KubernetesObject } from '../../core/ports.ts';
import { conditionsOf } from '../../core/steps/conditions.ts';

const kinds = [
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineDeployment' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine' },
  { apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' },
];

/** Milliseconds since 1970, by the cluster's name: when the last of its conditions became true. */
export async function readySince(api: Kubernetes, namespace: string): Promise<ReadonlyMap<string, number>> {
  const lists = await Promise.all(kinds.map((kind) => api.list(kind, { namespace })));
  return lastBecameTrue(lists.flat());
}

export function lastBecameTrue(objects: readonly KubernetesObject[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const object of objects) {
    const { labels = {}, name } = object.metadata;
    const cluster = object.kind === 'Cluster' ? name : labels['cluster.x-k8s.io/cluster-name'];
    if (cluster === undefined) continue;
    for (const { status, lastTransitionTime } of conditionsOf(object)) {
      if (status !== 'True' || lastTransitionTime === undefined) continue;
      last.set(cluster, Math.max(last.get(cluster) ?? 0, Date.parse(lastTransitionTime)));
    }
  }
  return last;
}
