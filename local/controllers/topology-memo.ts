// Remembers computed topologies: a Cluster's status changes dozens of times while it is provisioned, what its
// topology is made of hardly ever.

import type { KubernetesObject } from '../../core/ports.ts';
import type { FindTemplate } from './class-patches.ts';
import { computeTopology, type DesiredTopology } from './topology.ts';

interface Memory {
  readonly generation: number | undefined;
  readonly classVersion: string | undefined;
  /** The templates it was computed from, each by its reference, in the version it had. */
  readonly templates: ReadonlyMap<unknown, string | undefined>;
  readonly desired: DesiredTopology;
}

export class TopologyMemo {
  readonly #byCluster = new Map<string, Memory>();

  /** The topology of the Cluster as it is now. @throws TopologyError */
  topologyOf(
    cluster: KubernetesObject,
    clusterClass: KubernetesObject,
    findTemplate: FindTemplate,
  ): DesiredTopology {
    const { uid = '', generation } = cluster.metadata;
    const classVersion = clusterClass.metadata.resourceVersion;
    const versionOf = (reference: unknown) => findTemplate(reference)?.metadata.resourceVersion;
    const known = this.#byCluster.get(uid);
    if (
      known !== undefined &&
      known.generation === generation &&
      known.classVersion === classVersion &&
      [...known.templates].every(([reference, version]) => versionOf(reference) === version)
    ) {
      return known.desired;
    }
    const templates = new Map<unknown, string | undefined>();
    const desired = computeTopology(cluster, clusterClass, (reference) => {
      templates.set(reference, versionOf(reference));
      return findTemplate(reference);
    });
    this.#byCluster.set(uid, { generation, classVersion, templates, desired });
    return desired;
  }

  forget({ metadata }: KubernetesObject): void {
    this.#byCluster.delete(metadata.uid ?? '');
  }
}
