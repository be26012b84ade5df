// The Kubernetes port straight onto the object stores of simulated clusters, without HTTP: for tests of whole workflows
// that need no API server. A kubeconfig is just the id of its cluster.

import { PetraError } from '../../core/errors.ts';
import type { Kubernetes, KubernetesAccess, KubernetesObject } from '../../core/ports.ts';
import type { Disk } from '../../local/disk.ts';
import { ApiStatusError } from '../../local/kubernetes/api-status.ts';
import { ObjectStore } from '../../local/kubernetes/object-store.ts';
import type { ClusterApis } from '../../local/management-clusters.ts';

export class InProcessApis implements ClusterApis, KubernetesAccess {
  readonly #disk: Disk;
  readonly #stores = new Map<string, ObjectStore>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async ensureCluster(id: string): Promise<ObjectStore> {
    const known = this.#stores.get(id);
    if (known) return known;
    const store = ObjectStore.open(this.#disk, id);
    this.#stores.set(id, store);
    for (const name of ['default', 'kube-system']) {
      await store.apply(
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        { fieldManager: 'test', force: true },
      );
    }
    return store;
  }

  store(id: string): ObjectStore {
    const store = this.#stores.get(id);
    if (!store) throw new Error(`there is no cluster ${id}`);
    return store;
  }

  async kubeconfig(id: string): Promise<string> {
    return id;
  }

  async removeCluster(id: string): Promise<void> {
    this.#stores.get(id)?.close();
    this.#stores.delete(id);
  }

  connect(kubeconfig: string): Kubernetes {
    const open = () => {
      const store = this.#stores.get(kubeconfig);
      if (!store) throw new PetraError('KubernetesUnreachable', 'the simulated API is gone');
      return store;
    };
    return {
      apply: (object, { dryRun = false } = {}) =>
        translated(async () => open().apply(object, { fieldManager: 'petra', force: true, dryRun })),
      read: ({ apiVersion, kind, namespace, name }) =>
        translated(async () => open().get(apiVersion, kind, namespace, name)),
      list: ({ apiVersion, kind }, query) =>
        translated(async (): Promise<readonly KubernetesObject[]> => {
          const store = open();
          return store.resourceFor(apiVersion, kind) ? store.list(apiVersion, kind, query ?? {}) : [];
        }),
      remove: (reference, options) =>
        translated(async () => {
          await open().remove(reference, options ?? {});
        }),
    };
  }
}

async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    if (error.reason === 'NotFound') return undefined as T;
    const code =
      error.code === 409 ? 'ObjectConflict' : error.code >= 500 ? 'WebhookUnavailable' : 'ObjectRefused';
    throw new PetraError(code, error.message, { cause: error });
  }
}
