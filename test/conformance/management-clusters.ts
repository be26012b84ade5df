// Stands in for k3s on management machines: where user data would start k3s, a real kube-apiserver with etcd answers at
// the machine's address, with the arguments for it that k3s gets, and what the user data lays into k3s' manifests folder
// is applied, as k3s does it. A machine is a Node in it and nothing more: kubelet.ts runs the Pods of all of them.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { manifestsFolder } from '../../core/capi/addon-charts.ts';
import { parseManifest } from '../../core/capi/manifest-yaml.ts';
import { listAt } from '../../core/json-fields.ts';
import type { Kubernetes } from '../../core/ports.ts';
import type { NodeKubernetes, NodeMachine } from '../virtual-account/management-nodes.ts';
import { ApiRequests } from './api-requests.ts';
import { type RealApiServer, startApiServer } from './api-server.ts';
import { settleOn } from './api-server-settings.ts';
import type { Binaries } from './binaries.ts';
import { readCloudConfig } from './cloud-config.ts';
import type { Processes } from './processes.ts';
import { addAddress, removeAddress } from './sandbox.ts';

/** Where every Kubernetes API of Petra's clusters listens. */
export const apiPort = 6443;

const k3sConfigFile = '/etc/rancher/k3s/config.yaml';

const retryMilliseconds = 500;

export interface ManagementCluster {
  readonly uid: string;
  readonly name: string;
  readonly region: string;
  /** The machine that started it. */
  readonly machine: NodeMachine;
  /** For an administrator. */
  readonly kubeconfig: string;
}

/** Something that runs beside a cluster's API as long as it does. */
export interface Companion {
  stop(): Promise<unknown>;
}

interface Running extends ManagementCluster {
  readonly api: RealApiServer;
  readonly requests: ApiRequests;
  /** Nodes that stand for machines, by the machines' names. */
  readonly nodes: Map<string, string>;
  stop(): Promise<void>;
}

export interface ManagementClustersParts {
  readonly processes: Processes;
  readonly binaries: Binaries;
  /** Keys, data and working files of the clusters. */
  readonly folder: string;
  /** Begins what a cluster needs besides its API. */
  readonly companions: (cluster: ManagementCluster) => Promise<readonly Companion[]>;
  readonly log: (line: string) => void;
}

export class ManagementClusters implements NodeKubernetes {
  readonly #parts: ManagementClustersParts;
  readonly #clusters = new Map<string, Promise<Running>>();

  constructor(parts: ManagementClustersParts) {
    this.#parts = parts;
  }

  async ensureCluster(
    uid: string,
    { name, region }: { readonly name: string; readonly region: string },
    machine: NodeMachine,
  ): Promise<void> {
    const starting = this.#clusters.get(uid) ?? this.#start({ uid, name, region, machine });
    this.#clusters.set(uid, starting);
    try {
      await starting;
    } catch (error) {
      this.#clusters.delete(uid);
      throw error;
    }
  }

  /** The API server of a cluster that runs, by the cluster's name: to take it away and bring it back. */
  async api(name: string): Promise<RealApiServer> {
    for (const running of await Promise.all(this.#clusters.values()))
      if (running.name === name) return running.api;
    throw new Error(`no management cluster ${name} runs`);
  }

  async kubeconfig(uid: string): Promise<string> {
    return (await this.#running(uid)).kubeconfig;
  }

  async addNode(uid: string, node: Parameters<NodeKubernetes['addNode']>[1]): Promise<void> {
    const { requests, nodes } = await this.#running(uid);
    // As `with-node-id` of the user data makes k3s name it: an id that is new for each machine.
    const id = createHash('sha256').update(node.providerId).digest('hex').slice(0, 8);
    const name = `${node.name}-${id}`;
    const isServer = node.role === 'server';
    const metadata = { name };
    const own = `/api/v1/nodes/${name}`;
    await requests.apply(own, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        ...metadata,
        labels: {
          'kubernetes.io/hostname': name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'node.kubernetes.io/instance-type': node.instanceType,
          'topology.kubernetes.io/zone': node.zone,
          'petra.sh/node': node.name,
          ...(isServer && { 'node-role.kubernetes.io/control-plane': 'true' }),
        },
      },
      spec: { providerID: node.providerId },
    });
    await requests.apply(`${own}/status`, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata,
      status: {
        addresses: [{ type: 'InternalIP', address: node.address }],
        conditions: [{ type: 'Ready', status: 'True', reason: 'StandInNode', message: 'no k3s runs here' }],
        nodeInfo: {
          architecture: 'amd64',
          bootID: '',
          containerRuntimeVersion: '',
          kernelVersion: '',
          kubeProxyVersion: node.version,
          kubeletVersion: node.version,
          machineID: '',
          operatingSystem: 'linux',
          osImage: '',
          systemUUID: '',
        },
      },
    });
    nodes.set(node.name, name);
  }

  async removeNode(uid: string, name: string): Promise<void> {
    const running = await this.#clusters.get(uid);
    const node = running?.nodes.get(name);
    if (!running || node === undefined) return;
    await running.requests.remove(`/api/v1/nodes/${node}`);
    running.nodes.delete(name);
  }

  async removeCluster(uid: string): Promise<void> {
    const starting = this.#clusters.get(uid);
    this.#clusters.delete(uid);
    const running = await starting?.catch(() => undefined);
    await running?.stop();
  }

  /** Ends all that still run. */
  async stop(): Promise<void> {
    await Promise.all([...this.#clusters.keys()].map((uid) => this.removeCluster(uid)));
  }

  async #running(uid: string): Promise<Running> {
    const running = await this.#clusters.get(uid);
    if (!running) throw new Error(`no management cluster ${uid} runs`);
    return running;
  }

  async #start(cluster: Omit<ManagementCluster, 'kubeconfig'>): Promise<Running> {
    const { processes, binaries, companions, folder, log } = this.#parts;
    const { name, region, machine } = cluster;
    const { files, problems } = readCloudConfig(machine.userData, {
      instanceId: machine.instanceId,
      localHostName: `ip-${machine.address.replaceAll('.', '-')}`,
      region,
      availabilityZone: machine.availabilityZone,
    });
    for (const problem of problems) log(`nodes: ${machine.instanceId}: ${problem}`);
    await addAddress(machine.address);
    const home = path.join(folder, name);
    const args = listAt(parse(files.get(k3sConfigFile) ?? ''), 'kube-apiserver-arg').map(String);
    const api = await startApiServer({
      processes,
      binaries,
      folder: home,
      address: machine.address,
      port: apiPort,
      name,
      args: await settleOn(path.join(home, 'disk'), { args, files }),
    });
    const { kubeconfig } = api;
    const started = await companions({ ...cluster, kubeconfig });
    const ending = new AbortController();
    const manifests = [...files].filter(([file]) => file.startsWith(`${manifestsFolder}/`));
    const client = new HttpKubernetesAccess().connect(kubeconfig);
    const deploying = Promise.all(
      manifests.map(([file, text]) =>
        deploy({ client, file, text, log, signal: ending.signal }).catch((error: unknown) => {
          if (!ending.signal.aborted) log(`nodes: ${file}: ${String(error)}`);
        }),
      ),
    );
    log(`nodes: the Kubernetes API of ${name} answers at ${api.server}`);
    return {
      ...cluster,
      kubeconfig,
      api,
      requests: ApiRequests.of(kubeconfig, 'stand-in-node'),
      nodes: new Map(),
      stop: async () => {
        ending.abort();
        await deploying;
        for (const companion of started.toReversed()) await companion.stop();
        await api.end();
        await removeAddress(machine.address);
        log(`nodes: the Kubernetes API of ${name} is gone`);
      },
    };
  }
}

/** Applies a file of the manifests folder, again and again until the API takes it: its kinds may not be served yet. */
async function deploy({
  client,
  file,
  text,
  log,
  signal,
}: {
  readonly client: Kubernetes;
  readonly file: string;
  readonly text: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const objects = parseManifest(text, file);
  let said = '';
  for (;;) {
    try {
      for (const object of objects) await client.apply(object);
      return log(`nodes: applied ${file}`);
    } catch (error) {
      const message = String(error);
      if (message !== said) log(`nodes: ${file} cannot be applied yet: ${message}`);
      said = message;
    }
    await sleep(retryMilliseconds, undefined, { signal });
  }
}
