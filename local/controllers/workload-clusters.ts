// The workload clusters' simulated APIs, open while this process runs, with the controllers that live inside them.

import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import type { Pace } from '../pace.ts';
import { type RunningControllers, runControllers } from './controller.ts';
import { daemonSetController, deploymentController } from './deployments.ts';
import type { ActiveFaults, Workloads } from './environment.ts';
import { isKind, kinds } from './kinds.ts';
import { endpointSliceController } from './services.ts';

export interface WorkloadCluster {
  readonly store: ObjectStore;
  readonly kubeconfig: string;
}

interface Open extends WorkloadCluster {
  readonly controllers: RunningControllers;
  readonly stopWatching: () => void;
}

export class WorkloadClusters {
  readonly #workloads: Workloads;
  readonly #pace: Pace;
  readonly #log: (line: string) => void;
  readonly #onChange: (cluster: KubernetesObject) => void;
  readonly #open = new Map<string, Promise<Open>>();
  readonly #ready = new Map<string, Open>();

  constructor(parts: {
    readonly workloads: Workloads;
    readonly pace: Pace;
    readonly log: (line: string) => void;
    /** Called when the cluster's API opened or one of its Nodes changed: Machines may have waited for that. */
    readonly onChange: (cluster: KubernetesObject) => void;
  }) {
    this.#workloads = parts.workloads;
    this.#pace = parts.pace;
    this.#log = parts.log;
    this.#onChange = parts.onChange;
  }

  /** The cluster's API, made when there is none. Safe to repeat. */
  async open(cluster: KubernetesObject, version: string): Promise<WorkloadCluster> {
    const uid = cluster.metadata.uid ?? '';
    let opening = this.#open.get(uid);
    if (!opening) {
      opening = this.#start(cluster, version);
      this.#open.set(uid, opening);
    }
    try {
      return await opening;
    } catch (error) {
      this.#open.delete(uid);
      throw error;
    }
  }

  /** The cluster's API when this process has opened it. */
  find(uid: string | undefined): WorkloadCluster | undefined {
    return this.#ready.get(uid ?? '');
  }

  /** Ends the cluster's API for good; one already gone is success. */
  async close(uid: string): Promise<void> {
    await this.#stopOne(uid);
    await this.#workloads.remove(uid);
  }

  /** Stops the controllers inside; the clusters stay. */
  async stop(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((uid) => this.#stopOne(uid)));
  }

  async #start(cluster: KubernetesObject, version: string): Promise<Open> {
    const { name, uid = '' } = cluster.metadata;
    const { store, kubeconfig } = await this.#workloads.ensure(uid, { name, version });
    const stopWatching = store.watch(({ object }) => {
      if (isKind(object, kinds.node)) this.#onChange(cluster);
    });
    // Faults are about the management cluster's providers, not about what runs in a workload cluster.
    const faults: ActiveFaults = { active: () => undefined };
    const environment = { store, pace: this.#pace, faults };
    const controllers = runControllers(
      store,
      [deploymentController(environment), daemonSetController(environment), endpointSliceController(store)],
      (line) => this.#log(`${name}: ${line}`),
    );
    const open = { store, kubeconfig, controllers, stopWatching };
    this.#ready.set(uid, open);
    this.#onChange(cluster);
    return open;
  }

  async #stopOne(uid: string): Promise<void> {
    const opening = this.#open.get(uid);
    this.#open.delete(uid);
    this.#ready.delete(uid);
    const open = await opening?.catch(() => undefined);
    if (!open) return;
    open.stopWatching();
    await open.controllers.stop();
  }
}
