// The Kubernetes side of simulated machines: an API for each management cluster, and the controllers that live on it.

import type { SimulatedKubernetes as BootKubernetes } from './cloud/boot-stages.ts';
import type { CloudInventory } from './controllers/environment.ts';
import { addNode, removeNode } from './controllers/nodes.ts';
import { startControllers } from './controllers/start-controllers.ts';
import type { Collection, Disk } from './disk.ts';
import type { Faults } from './faults.ts';
import type { ObjectStore } from './kubernetes/object-store.ts';
import type { Log } from './log.ts';
import type { Pace } from './pace.ts';

/** The simulated Kubernetes APIs, of management and workload clusters alike. */
export interface ClusterApis {
  /** Safe to repeat. */
  ensureCluster(
    id: string,
    cluster: { readonly name: string; readonly version: string },
  ): Promise<ObjectStore>;
  /** The objects of a cluster that exists. */
  store(id: string): ObjectStore;
  kubeconfig(id: string): Promise<string>;
  /** One already gone is success. */
  removeCluster(id: string): Promise<void>;
}

interface Known {
  readonly name: string;
  readonly version: string;
  readonly region: string;
}

/** Management clusters by uid. Remembers them, so that a restarted process runs their controllers again. */
export class ManagementClusters implements BootKubernetes {
  readonly #known: Collection<Known>;
  readonly #controllers = new Map<string, { stop(): Promise<void> }>();
  readonly #parts: {
    readonly kubernetes: ClusterApis;
    readonly pace: Pace;
    readonly faults: Faults;
    readonly log: Log;
  };
  #cloud: CloudInventory | undefined;

  constructor(parts: {
    readonly disk: Disk;
    readonly kubernetes: ClusterApis;
    readonly pace: Pace;
    readonly faults: Faults;
    readonly log: Log;
  }) {
    this.#parts = parts;
    this.#known = parts.disk.collection('management-clusters');
  }

  /** Begins to run the controllers of every known cluster; what they make on AWS goes to `cloud`. */
  start(cloud: CloudInventory): void {
    this.#cloud = cloud;
    for (const [id, known] of this.#known.entries()) this.#run(id, known);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#controllers.values()].map((controllers) => controllers.stop()));
    this.#controllers.clear();
  }

  async ensureCluster(id: string, options: Known): Promise<void> {
    await this.#parts.kubernetes.ensureCluster(id, { name: options.name, version: options.version });
    if (!this.#known.get(id)) await this.#known.put(id, options);
    this.#run(id, options);
  }

  kubeconfig(id: string): Promise<string> {
    return this.#parts.kubernetes.kubeconfig(id);
  }

  async addNode(id: string, node: Parameters<BootKubernetes['addNode']>[1]): Promise<void> {
    await addNode(this.#parts.kubernetes.store(id), node);
  }

  async removeNode(id: string, name: string): Promise<void> {
    if (this.#known.get(id)) await removeNode(this.#parts.kubernetes.store(id), name);
  }

  async removeCluster(id: string): Promise<void> {
    await this.#controllers.get(id)?.stop();
    this.#controllers.delete(id);
    await this.#parts.kubernetes.removeCluster(id);
    await this.#known.delete(id);
  }

  #run(id: string, { name, region }: Known): void {
    if (!this.#cloud || this.#controllers.has(id)) return;
    const { kubernetes, pace, faults, log } = this.#parts;
    const controllers = startControllers({
      store: kubernetes.store(id),
      cluster: { id, name, region },
      pace,
      cloud: this.#cloud,
      faults,
      log: (line) => log('controller', { cluster: name, line }),
      workloads: {
        ensure: async (workload, cluster) => {
          const store = await kubernetes.ensureCluster(workload, cluster);
          return { store, kubeconfig: await kubernetes.kubeconfig(workload) };
        },
        remove: (workload) => kubernetes.removeCluster(workload),
      },
    });
    this.#controllers.set(id, controllers);
  }
}
