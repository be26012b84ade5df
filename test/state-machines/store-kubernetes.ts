// The Kubernetes port straight onto the object stores of simulated clusters, without HTTP: for tests of whole workflows
// that need no API server. A kubeconfig is just the id of its cluster.

import { type ErrorCode, PetraError } from '../../core/errors.ts';
import type { Kubernetes, KubernetesAccess } from '../../core/ports.ts';
import type { Disk } from '../../local/disk.ts';
import { subjectAccess } from '../../local/kubernetes/access-review.ts';
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
    const objects = this.#disk.collection(`kubernetes/${id}`);
    for (const [key] of [...objects.entries()]) await objects.delete(key);
  }

  connect(kubeconfig: string): Kubernetes {
    const open = () => {
      const store = this.#stores.get(kubeconfig);
      if (!store) throw new PetraError('KubernetesUnreachable', 'the simulated API is gone');
      return store;
    };
    return {
      apply: (object, { dryRun = false } = {}) =>
        translated(() => open().apply(object, { fieldManager: 'petra', force: true, dryRun })),
      read: async ({ apiVersion, kind, namespace, name }) => open().get(apiVersion, kind, namespace, name),
      list: async ({ apiVersion, kind }, query) => open().list(apiVersion, kind, query ?? {}),
      remove: async (reference, options) => {
        const store = open();
        if (!store.get(reference.apiVersion, reference.kind, reference.namespace, reference.name)) return;
        await translated(() => store.remove(reference, options ?? {}));
      },
      allows: async ({ serviceAccount: { namespace, name }, ...resourceAttributes }) => {
        const user = `system:serviceaccount:${namespace}:${name}`;
        return subjectAccess(open(), { user, resourceAttributes }).allowed === true;
      },
    };
  }
}

/** As adapters/kubernetes-errors.ts names what an API server refuses. */
async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    throw new PetraError(codeOf(error), error.message, { cause: error });
  }
}

function codeOf({ code, details }: ApiStatusError): ErrorCode {
  const terminating = (details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
  if (code === 409 || terminating) return 'ObjectConflict';
  return code >= 500 ? 'WebhookUnavailable' : 'ObjectRefused';
}
