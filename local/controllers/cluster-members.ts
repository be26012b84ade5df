// Which objects belong to which Cluster. A store's list looks at every object of a kind; with a fleet of hundreds of
// clusters that was most of the controllers' work, so the label is indexed.

import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { groupOf, type Kind, labels } from './kinds.ts';

const indexes = new WeakMap<ObjectStore, ClusterMembers>();

/** The index of a store; lives as long as the store. */
export function clusterMembers(store: ObjectStore): ClusterMembers {
  let index = indexes.get(store);
  if (!index) {
    index = new ClusterMembers(store);
    indexes.set(store, index);
  }
  return index;
}

class ClusterMembers {
  readonly #store: ObjectStore;
  /** Kind, namespace and Cluster → names, in the order of their creation. */
  readonly #names = new Map<string, Set<string>>();

  constructor(store: ObjectStore) {
    this.#store = store;
    for (const object of store.all()) this.#add(object);
    store.watch(({ type, object, previous }) => {
      if (type === 'DELETED') this.#remove(object);
      else if (!previous || clusterNameIn(previous) !== clusterNameIn(object)) {
        if (previous) this.#remove(previous);
        this.#add(object);
      }
    });
  }

  /** The objects of a kind that carry the Cluster's name, as they are now. */
  list({ apiVersion, kind }: Kind, cluster: KubernetesObject): readonly KubernetesObject[] {
    const { name, namespace } = cluster.metadata;
    const names = this.#names.get(keyOf({ apiVersion, kind }, namespace, name)) ?? [];
    return [...names]
      .map((member) => this.#store.get(apiVersion, kind, namespace, member))
      .filter((member) => member !== undefined);
  }

  #add(object: KubernetesObject): void {
    const cluster = clusterNameIn(object);
    if (cluster === undefined) return;
    const key = keyOf(object, object.metadata.namespace, cluster);
    const names = this.#names.get(key) ?? new Set();
    this.#names.set(key, names.add(object.metadata.name));
  }

  #remove(object: KubernetesObject): void {
    const key = keyOf(object, object.metadata.namespace, clusterNameIn(object));
    const names = this.#names.get(key);
    names?.delete(object.metadata.name);
    if (names?.size === 0) this.#names.delete(key);
  }
}

function clusterNameIn({ metadata }: KubernetesObject): string | undefined {
  return metadata.labels?.[labels.clusterName];
}

function keyOf(kind: Kind, namespace: string | undefined, cluster: string | undefined): string {
  return `${groupOf(kind)}/${kind.kind}/${namespace}/${cluster}`;
}
