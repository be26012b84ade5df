// A stand-in for what a cluster has to run controllers: kubelet, and the controllers of Deployments and EndpointSlices.
// Each Deployment whose image has a program here becomes one process, under the Deployment's own ServiceAccount and with
// its own command, arguments, environment, files, network and probes. It differs from the real ones in this:
// - there are no ReplicaSet, Pod and Event objects, and one Pod whatever the number of replicas
// - containers without a program are left out; a Deployment with none of its containers stays unavailable
// - a changed template stops the old Pod before it starts the new one, whatever the strategy
// - Pods ask the API server at its own address and have a file of hosts for a DNS; Services have no addresses
// - where the script is not root, only root exists in the sandbox, and the Pod's user is that root
// - probes need not keep the Pod's periods while it is not ready yet (`eagerProbes`)

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { programOf } from './controller-images.ts';
import { type Deployment, deploymentStatusOf } from './deployment-status.ts';
import { endpointSliceOf, type Service } from './endpoint-slices.ts';
import { KubeletApi } from './kubelet-api.ts';
import { type Outside, Pod, type PodDescription, type PodOptions } from './pod.ts';
import type { PodNetwork } from './pod-network.ts';
import type { Processes } from './processes.ts';

export interface KubeletOptions {
  readonly kubeconfig: string;
  readonly processes: Processes;
  readonly binaries: Parameters<typeof programOf>[1];
  /** For the file systems of Pods. */
  readonly folder: string;
  readonly network: PodNetwork;
  /** Of Pods on the host's network: an address of the sandbox that is not of the loopback range. */
  readonly nodeAddress: string;
  /** Whom Pods find besides the API server; nobody when absent. */
  readonly outside?: Outside;
  /** Of restarts; without it the real kubelet's. */
  readonly backOff?: { readonly firstSeconds: number; readonly longestSeconds: number };
  /** Whether readiness is seen at once, rather than when the Pod's own periods come round. */
  readonly eagerProbes?: boolean;
  readonly say?: (text: string) => void;
}

export interface PodState {
  readonly namespace: string;
  readonly name: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly isReady: boolean;
}

const pauseMilliseconds = 200;

export class StandInKubelet {
  readonly #options: KubeletOptions;
  readonly #api: KubeletApi;
  readonly #podOptions: PodOptions;
  readonly #say: (text: string) => void;
  /** By the uid of the Deployment. */
  readonly #pods = new Map<string, Pod>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #slices = new Map<string, string>();
  readonly #said = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #life: Promise<void>;

  /** Begins at once. */
  constructor(options: KubeletOptions) {
    const { processes, network, folder, nodeAddress, backOff, eagerProbes = true, say = () => {} } = options;
    this.#options = options;
    this.#say = say;
    this.#api = new KubeletApi(options.kubeconfig);
    this.#podOptions = {
      api: this.#api,
      processes,
      network,
      folder: path.resolve(folder),
      nodeAddress,
      outside: options.outside,
      eagerProbes,
      say,
      ...(backOff === undefined ? {} : { backOff }),
    };
    this.#life = this.#live();
  }

  pods(): readonly PodState[] {
    return [...this.#pods.values()].map(({ description, pid, restarts, isReady }) => {
      const { namespace, name } = description;
      return { namespace, name, pid, restarts, isReady };
    });
  }

  /** Ends the program of a Deployment, which is started again like any that ends. */
  kill(
    deployment: { readonly namespace: string; readonly name: string },
    signal: NodeJS.Signals = 'SIGKILL',
  ): void {
    const { namespace, name } = deployment;
    const pod = [...this.#pods.values()].find(
      ({ description }) => description.namespace === namespace && description.name === name,
    );
    if (pod?.pid === undefined) throw new Error(`no program of ${namespace}/${name} runs`);
    pod.kill(signal);
  }

  /** Stops all Pods; the objects stay as they are. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
    await Promise.all(this.#busy.values());
    await Promise.all([...this.#pods.values()].map((pod) => pod.stop()));
    this.#pods.clear();
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const [deployments, services] = await Promise.all([this.#api.deployments(), this.#api.services()]);
        this.#sayOnce('the API', 'answers');
        this.#tend(deployments, services);
      } catch (error) {
        // What runs goes on running.
        this.#sayOnce('the API', `does not answer: ${messageOf(error)}`);
      }
      await sleep(pauseMilliseconds, undefined, { signal }).catch(() => {});
    }
  }

  #tend(deployments: readonly Deployment[], services: readonly Service[]): void {
    const living = deployments.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (const deployment of living) {
      const { uid, namespace, name } = deployment.metadata;
      this.#inTurn(uid, `${namespace}/${name}`, () => this.#tendOne(deployment, services));
    }
    for (const [uid, pod] of this.#pods) {
      if (living.some(({ metadata }) => metadata.uid === uid)) continue;
      const { namespace, name } = pod.description;
      this.#inTurn(uid, `${namespace}/${name}`, () => this.#stopPod(uid));
    }
  }

  /** One thing at a time for each Deployment; the next round comes soon enough. */
  #inTurn(uid: string, name: string, act: () => Promise<void>): void {
    if (this.#busy.has(uid)) return;
    const acted = act().then(
      () => this.#said.delete(name),
      (error: unknown) => this.#sayOnce(name, messageOf(error)),
    );
    this.#busy.set(
      uid,
      acted.then(() => void this.#busy.delete(uid)),
    );
  }

  async #tendOne(deployment: Deployment, services: readonly Service[]): Promise<void> {
    const { uid } = deployment.metadata;
    const wanted = deployment.spec.replicas === 0 ? undefined : this.#describe(deployment);
    const present = this.#pods.get(uid);
    if (present && !(wanted && isSameTemplate(present.description, wanted))) await this.#stopPod(uid);
    if (wanted && !this.#pods.has(uid)) this.#pods.set(uid, new Pod(wanted, this.#podOptions));
    const pod = this.#pods.get(uid);
    if (pod) await this.#tellServices(pod, services);
    if (!pod && deployment.spec.replicas !== 0) return;
    const status = deploymentStatusOf(deployment, pod, new Date());
    if (status) await this.#api.patchDeploymentStatus(deployment, status);
  }

  async #stopPod(uid: string): Promise<void> {
    const pod = this.#pods.get(uid);
    if (!pod) return;
    await pod.stop();
    this.#pods.delete(uid);
    const { namespace, name } = pod.description;
    this.#say(`${namespace}/${name} is stopped`);
  }

  async #tellServices({ description, address, isReady }: Pod, services: readonly Service[]): Promise<void> {
    if (address === undefined) return;
    const { namespace, template } = description;
    const labels = template.metadata?.labels ?? {};
    const pod = { namespace, labels, containers: template.spec.containers, address, isReady };
    for (const service of services) {
      const slice = endpointSliceOf(service, pod);
      if (!slice) continue;
      const { uid } = service.metadata;
      const text = JSON.stringify(slice);
      if (this.#slices.get(uid) === text) continue;
      await this.#api.applyEndpointSlice(slice);
      this.#slices.set(uid, text);
    }
  }

  /** What a Deployment runs; undefined when none of its containers has a program here. */
  #describe({ metadata, spec }: Deployment): PodDescription | undefined {
    const { namespace, name } = metadata;
    const programs = spec.template.spec.containers.map((container) => ({
      container,
      program: programOf(container.image, this.#options.binaries),
    }));
    const missing = programs.filter(({ program }) => !program).map(({ container }) => container.image);
    if (missing.length > 0)
      this.#sayOnce(`${namespace}/${name} containers`, `left out: ${missing.join(', ')}`);
    const { container, program } = programs.find((one) => one.program) ?? {};
    if (!container || !program) return undefined;
    return {
      namespace,
      name,
      uid: metadata.uid,
      template: spec.template,
      container,
      program,
    };
  }

  #sayOnce(about: string, text: string): void {
    if (this.#said.get(about) === text) return;
    this.#said.set(about, text);
    this.#say(`${about}: ${text}`);
  }
}

function isSameTemplate(one: PodDescription, other: PodDescription): boolean {
  return JSON.stringify(one.template) === JSON.stringify(other.template);
}
