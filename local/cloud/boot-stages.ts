// What a management node does from power-on until it is a node of its cluster, one stage after the other. Each may be
// cut off anywhere and run again.

import type { Clock, Secrets } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import type { Faults } from '../faults.ts';
import { type Ec2Records, isAlive, type MachineRecord, stateOf } from './ec2-records.ts';
import { type NodeEnvironment, readNodeEnvironment } from './node-environment.ts';

/** The Kubernetes clusters that simulated machines make up; `id` is the cluster's uid. Every call is safe to repeat. */
export interface SimulatedKubernetes {
  ensureCluster(
    id: string,
    options: { readonly name: string; readonly version: string; readonly region: string },
  ): Promise<void>;
  kubeconfig(id: string): Promise<string>;
  addNode(
    id: string,
    node: {
      readonly name: string;
      readonly role: 'server' | 'agent';
      readonly address: string;
      readonly providerId: string;
      readonly version: string;
      readonly instanceType: string;
      readonly zone: string;
    },
  ): Promise<void>;
  removeNode(id: string, name: string): Promise<void>;
  removeCluster(id: string): Promise<void>;
}

/** A cluster's API that a first server started. */
interface ApiRecord {
  readonly kubeconfigSecret: string;
  readonly name: string;
  readonly version: string;
  readonly region: string;
  /** It answers, and its kubeconfig is in the secret. */
  readonly up: boolean;
}

/** How a stage ended: with lines for the console, or not yet, or never. */
export type StageOutcome =
  | { readonly say: readonly string[] }
  | { readonly waitFor: string }
  | { readonly halt: string };

export interface BootStage {
  /** Simulated seconds after the machine began to run. */
  readonly atSeconds: number;
  readonly run: (machine: MachineRecord) => Promise<StageOutcome> | StageOutcome;
}

/** The stages of a boot, and the clearing up after a machine's end. */
export class BootStages {
  readonly all: readonly BootStage[] = [
    { atSeconds: 0, run: startKernel },
    { atSeconds: 4, run: (machine) => this.#readUserData(machine) },
    { atSeconds: 8, run: (machine) => this.#fetchToken(machine) },
    { atSeconds: 15, run: installK3s },
    { atSeconds: 25, run: (machine) => this.#startK3s(machine) },
    { atSeconds: 32, run: (machine) => this.#joinCluster(machine) },
  ];
  readonly #records: Ec2Records;
  readonly #apis: Collection<ApiRecord>;
  readonly #secrets: Secrets;
  readonly #kubernetes: SimulatedKubernetes;
  readonly #faults: Faults;
  readonly #clock: Clock;

  constructor(parts: {
    readonly disk: Disk;
    readonly records: Ec2Records;
    /** As the machines' own role sees them: faults asked for hit Petra's calls, not theirs. */
    readonly secrets: Secrets;
    readonly kubernetes: SimulatedKubernetes;
    readonly faults: Faults;
    readonly clock: Clock;
  }) {
    this.#records = parts.records;
    this.#apis = parts.disk.collection('cloud.apis');
    this.#secrets = parts.secrets;
    this.#kubernetes = parts.kubernetes;
    this.#faults = parts.faults;
    this.#clock = parts.clock;
  }

  /**
   * Brings back the API of a cluster that another process started, and stores its kubeconfig again when it changed:
   * on one machine, unlike on AWS, it may have moved to another port meanwhile.
   */
  async resumeApi(uid: string): Promise<void> {
    const api = this.#apis.get(uid);
    if (!api?.up) return;
    const server = this.#servers(uid)[0];
    if (!server) return;
    const { name, version, region } = api;
    await this.#kubernetes.ensureCluster(uid, { name, version, region });
    const value = await this.#kubernetes.kubeconfig(uid);
    const stored = await this.#secrets.read(api.kubeconfigSecret);
    if (stored === undefined || stored === value || !this.#isStillAlive(server)) return;
    await this.#secrets.put({ name: api.kubeconfigSecret, cluster: server.cluster, uid, value });
  }

  /** The uids of the clusters whose API was started. */
  startedApis(): readonly string[] {
    return [...this.#apis.entries()].map(([uid]) => uid);
  }

  /** Removes the Node of a machine that ends; with the last server, the cluster's API. */
  async clear(machine: MachineRecord): Promise<void> {
    const { uid } = machine;
    if (!this.#apis.get(uid)) return;
    if (this.#servers(uid).length === 0) {
      await this.#kubernetes.removeCluster(uid);
      await this.#apis.delete(uid);
      return;
    }
    const environment = readNodeEnvironment(machine.userData);
    if ('problem' in environment) return;
    // A machine of this name may have taken the place of the one that ended, and with it the Node.
    const successor = this.#living(uid).some(({ name }) => name === machine.name);
    if (!successor) await this.#kubernetes.removeNode(uid, environment.nodeName);
  }

  #readUserData(machine: MachineRecord): StageOutcome {
    if (this.#faults.active('boot:never') !== undefined)
      return { waitFor: 'cloud-init: waiting for the network (fault boot:never)' };
    const environment = readNodeEnvironment(machine.userData);
    if ('problem' in environment)
      return { halt: `petra: ${environment.problem}; this machine joins no cluster` };
    return { say: [`cloud-init: Petra node ${environment.nodeName} of cluster ${environment.cluster}`] };
  }

  async #fetchToken(machine: MachineRecord): Promise<StageOutcome> {
    const { tokenSecret } = nodeOf(machine);
    if (await this.#secrets.read(tokenSecret)) return { say: [`petra: read the join token ${tokenSecret}`] };
    return {
      halt: `petra: ResourceNotFoundException: Secrets Manager can't find ${tokenSecret}; this machine joins no cluster`,
    };
  }

  async #startK3s(machine: MachineRecord): Promise<StageOutcome> {
    const node = nodeOf(machine);
    if (node.first) return this.#startApi(machine, node);
    if (!this.#apis.get(node.uid)?.up || !this.#serves(node.uid, node.serverAddress))
      return { waitFor: `k3s: waiting for https://${node.serverAddress}:6443` };
    return { say: [`k3s: found the cluster at https://${node.serverAddress}:6443`] };
  }

  async #startApi(machine: MachineRecord, node: NodeEnvironment): Promise<StageOutcome> {
    const { uid, cluster: name, region, k3sVersion: version, kubeconfigSecret } = node;
    const api = { name, version, region, kubeconfigSecret };
    // Written before the API exists, so that whatever cuts this off, the end of the machine removes it.
    if (!this.#apis.get(uid)) await this.#apis.put(uid, { ...api, up: false });
    await this.#kubernetes.ensureCluster(uid, { name, version, region });
    const value = await this.#kubernetes.kubeconfig(uid);
    // The role of the machines may fill this secret, but not make one.
    if ((await this.#secrets.read(kubeconfigSecret)) === undefined)
      return { waitFor: `petra: ResourceNotFoundException: Secrets Manager can't find ${kubeconfigSecret}` };
    if (!this.#isStillAlive(machine)) return { waitFor: 'systemd: powering off' };
    await this.#secrets.put({ name: kubeconfigSecret, cluster: name, uid, value });
    await this.#apis.put(uid, { ...api, up: true });
    return { say: ['k3s: the Kubernetes API is up', `petra: wrote the kubeconfig to ${kubeconfigSecret}`] };
  }

  async #joinCluster(machine: MachineRecord): Promise<StageOutcome> {
    const { uid, nodeName, role, k3sVersion } = nodeOf(machine);
    const { id, zone, address, instanceType } = machine;
    await this.#kubernetes.addNode(uid, {
      name: nodeName,
      role,
      address,
      providerId: `aws:///${zone}/${id}`,
      version: k3sVersion,
      instanceType,
      zone,
    });
    return { say: [`k3s: node ${nodeName} is registered`] };
  }

  /** Whether a running server of the cluster has this address. */
  #serves(uid: string, address: string): boolean {
    const now = this.#clock.now().getTime();
    return this.#servers(uid).some(
      (server) => server.address === address && stateOf(server, now) === 'running',
    );
  }

  #servers(uid: string): MachineRecord[] {
    return this.#living(uid).filter(({ role }) => role === 'server');
  }

  #living(uid: string): MachineRecord[] {
    return [...this.#records.machines.entries()]
      .map(([, machine]) => machine)
      .filter((machine) => machine.uid === uid && isAlive(machine));
  }

  #isStillAlive({ id }: MachineRecord): boolean {
    const machine = this.#records.machines.get(id);
    return machine !== undefined && isAlive(machine);
  }
}

function startKernel({ name, address }: MachineRecord): StageOutcome {
  return {
    say: [
      'Linux version 6.12 (Amazon Linux 2023, simulated)',
      `systemd: Hostname set to <ip-${address.replaceAll('.', '-')}>, ${name}`,
    ],
  };
}

function installK3s(machine: MachineRecord): StageOutcome {
  return { say: [`petra: installed k3s ${nodeOf(machine).k3sVersion}`] };
}

/** The environment of a machine whose user data an earlier stage found to be right. */
function nodeOf(machine: MachineRecord): NodeEnvironment {
  const environment = readNodeEnvironment(machine.userData);
  if ('problem' in environment)
    throw new Error(`${machine.id} booted without an environment: ${environment.problem}`);
  return environment;
}
