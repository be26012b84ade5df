import type { Machine } from '../../core/ports.ts';
import type { SimulatedKubernetes } from '../../local/cloud/boot-stages.ts';
import { openSimulatedCloud, type SimulatedCloud } from '../../local/cloud/simulated-cloud.ts';
import { Disk } from '../../local/disk.ts';
import { Faults, parseFault } from '../../local/faults.ts';
import { Pace } from '../../local/pace.ts';

type ClusterOptions = Parameters<SimulatedKubernetes['ensureCluster']>[1];
type Node = Parameters<SimulatedKubernetes['addNode']>[1];

/** The Kubernetes clusters of a test: what the machines asked for, and whether they answer. */
export class RecordedKubernetes implements SimulatedKubernetes {
  readonly clusters = new Map<string, ClusterOptions & { nodes: Map<string, Node> }>();
  /** The address in the kubeconfigs; moves when a process starts again. */
  port = 6443;
  /** While set, every call fails with it. */
  failure: string | undefined;
  /** The cluster of this id cannot be made. */
  failingCluster: string | undefined;

  async ensureCluster(id: string, options: ClusterOptions): Promise<void> {
    this.#answer();
    if (id === this.failingCluster) throw new Error('no room');
    if (!this.clusters.has(id)) this.clusters.set(id, { ...options, nodes: new Map() });
  }

  async kubeconfig(id: string): Promise<string> {
    this.#answer();
    return `server: https://127.0.0.1:${this.port}/${id}`;
  }

  async addNode(id: string, node: Node): Promise<void> {
    this.#answer();
    this.clusters.get(id)?.nodes.set(node.name, node);
  }

  async removeNode(id: string, name: string): Promise<void> {
    this.#answer();
    this.clusters.get(id)?.nodes.delete(name);
  }

  async removeCluster(id: string): Promise<void> {
    this.#answer();
    this.clusters.delete(id);
  }

  nodesOf(id: string): string[] {
    return [...(this.clusters.get(id)?.nodes.keys() ?? [])].sort();
  }

  #answer(): void {
    if (this.failure !== undefined) throw new Error(this.failure);
  }
}

/** A simulated cloud for a test; by default fast, in memory, and not booting its machines. */
export function cloudOf(
  parts: {
    readonly disk?: Disk;
    readonly speed?: number;
    readonly faults?: readonly string[];
    readonly kubernetes?: SimulatedKubernetes;
    readonly vcpuQuota?: number;
  } = {},
): SimulatedCloud {
  const disk = parts.disk ?? Disk.inMemory();
  return openSimulatedCloud({
    disk,
    pace: new Pace(parts.speed ?? 1000),
    faults: new Faults(disk, (parts.faults ?? []).map(parseFault)),
    kubernetes: parts.kubernetes ?? new RecordedKubernetes(),
    log: () => undefined,
    ...(parts.vcpuQuota === undefined ? {} : { vcpuQuota: parts.vcpuQuota }),
  });
}

/** The secrets that init makes before it launches machines. */
export async function makeSecrets(cloud: SimulatedCloud, uid: string): Promise<void> {
  await cloud.secrets.put({ name: `petra/${uid}/join-token`, cluster: 'mgmt', uid, value: 'token' });
  await cloud.secrets.put({ name: `petra/${uid}/kubeconfig`, cluster: 'mgmt', uid, value: '' });
}

/** Launches a node of the management cluster `mgmt`, with user data like that of a real one. */
export function launchNode(
  cloud: SimulatedCloud,
  uid: string,
  node: {
    readonly name: string;
    readonly first?: boolean;
    readonly serverAddress?: string;
    readonly interfaceId?: string;
    readonly userData?: string;
  },
): Promise<Machine> {
  const role = node.name.startsWith('server') ? 'server' : 'agent';
  const environment = {
    PETRA_CLUSTER: 'mgmt',
    PETRA_UID: uid,
    PETRA_REGION: 'us-west-1',
    PETRA_NODE_NAME: `mgmt-${node.name}`,
    PETRA_NODE_ROLE: role,
    PETRA_NODE_FIRST: String(node.first === true),
    PETRA_K3S_VERSION: 'v1.35.3+k3s1',
    PETRA_TOKEN_SECRET: `petra/${uid}/join-token`,
    PETRA_KUBECONFIG_SECRET: `petra/${uid}/kubeconfig`,
    PETRA_SERVER_ADDRESS: node.serverAddress ?? '',
  };
  const lines = Object.entries(environment).map(([name, value]) => `      ${name}=${value}\n`);
  const file = `  - path: /etc/petra/node.env\n    content: |\n${lines.join('')}`;
  return cloud.machines.launch({
    cluster: 'mgmt',
    uid,
    region: 'us-west-1',
    name: node.name,
    role,
    instanceType: 'm5a.large',
    userData: node.userData ?? `#cloud-config\nwrite_files:\n${file}`,
    ...(node.interfaceId === undefined ? {} : { interfaceId: node.interfaceId }),
  });
}
