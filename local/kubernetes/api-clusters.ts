// Which simulated clusters there are, and what each holds from the beginning.

import type { KubernetesObject } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import type { ServedCluster } from './api-exchange.ts';
import { Paging } from './api-paging.ts';
import { ApiStatusError } from './api-status.ts';
import { WatchHistory } from './api-watch.ts';
import { ObjectStore } from './object-store.ts';

export interface ClusterRecord {
  readonly id: string;
  /** Of the kubeconfig's context. */
  readonly name: string;
  readonly version: string;
}

export const defaultVersion = 'v1.35.3+k3s1';

/** The clusters of one simulation, opened when they are first needed. */
export class Clusters {
  readonly #disk: Disk;
  readonly #records: Collection<ClusterRecord>;
  readonly #open = new Map<string, ServedCluster>();

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#records = disk.collection('kubernetes-clusters');
  }

  records(): readonly ClusterRecord[] {
    return [...this.#records.entries()].map(([, record]) => record);
  }

  record(id: string): ClusterRecord | undefined {
    return this.#records.get(id);
  }

  find(id: string): ServedCluster | undefined {
    const record = this.#records.get(id);
    if (!record) return undefined;
    const open = this.#open.get(id);
    if (open) return open;
    const store = ObjectStore.open(this.#disk, id);
    const { version } = record;
    const cluster = { id, version, store, history: new WatchHistory(store), paging: new Paging() };
    this.#open.set(id, cluster);
    return cluster;
  }

  /** The cluster, made with what every cluster has. Safe to repeat: what is missing is added. */
  async ensure(record: ClusterRecord): Promise<ServedCluster> {
    const known = this.#records.get(record.id);
    // Someone who asks again does not rename or upgrade what exists.
    if (!known) await this.#records.put(record.id, record);
    const cluster = this.find(record.id);
    if (!cluster) throw new Error(`the cluster ${record.id} was removed while it was made`);
    for (const object of initialObjects()) await createMissing(cluster.store, object);
    return cluster;
  }

  async remove(id: string): Promise<void> {
    this.close(id);
    await this.#records.delete(id);
    const objects = this.#disk.collection(`kubernetes/${id}`);
    await Promise.all([...objects.entries()].map(([key]) => objects.delete(key)));
  }

  close(id: string): void {
    const cluster = this.#open.get(id);
    cluster?.store.close();
    cluster?.history.close();
    this.#open.delete(id);
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }
}

function initialObjects(): readonly KubernetesObject[] {
  const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
  return [
    ...namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...namespaces.map((namespace) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    })),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        // The first address of k3s's default service range.
        clusterIP: '10.43.0.1',
        clusterIPs: ['10.43.0.1'],
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      },
    },
  ];
}

async function createMissing(store: ObjectStore, object: KubernetesObject): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  if (store.get(apiVersion, kind, metadata.namespace, metadata.name)) return;
  try {
    await store.create(object, { fieldManager: 'kube-apiserver' });
  } catch (error) {
    // Two callers at once: one of them made it.
    if (!(error instanceof ApiStatusError) || error.reason !== 'AlreadyExists') throw error;
  }
}
