import type { KubernetesObject } from '../ports.ts';
import { renderClusterClass } from './render-cluster-class.ts';
import type { ClusterSpec } from './spec-schema.ts';
import { translateCluster } from './translate-cluster.ts';
import { yamlText } from './yaml-text.ts';

/**
 * Everything that a spec becomes on the management cluster, in the order in which it can be applied: the ClusterClass with
 * its templates, and for a workload cluster its Cluster object. A management cluster itself is no Cluster API object.
 */
export function renderAll(spec: ClusterSpec): readonly KubernetesObject[] {
  const clusterClass = renderClusterClass();
  return spec.spec.management === undefined ? [...clusterClass, translateCluster({ spec })] : clusterClass;
}

/** Objects as one YAML stream for kubectl, git or clusterctl. The same objects always give the same text. */
export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map(yamlText).join('---\n');
}
