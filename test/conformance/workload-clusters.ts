// Stand-in machines of workload clusters: looks at the instances that Cluster API's provider for AWS launched in moto,
// and does for each what its user data would make a real machine do, as far as others can see it. No script runs.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeInstanceAttributeCommand,
  type EC2Client,
  type Instance,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { readCloudConfig } from './cloud-config.ts';
import { type Balancer, balancersByCluster, leadsTo, ownerOf } from './cluster-balancers.ts';
import { type ClusterAuthorities, type K3sMachine, readK3sMachine } from './k3s-machine.ts';
import type { StartWorkloadApi, WorkloadApi } from './workload-api.ts';
import { type MachineInstance, WorkloadNodes } from './workload-nodes.ts';

const lookMilliseconds = 500;
const apiPort = 6443;
const roleTag = 'sigs.k8s.io/cluster-api-provider-aws/role';

export interface Addresses {
  add(ip: string): Promise<void>;
  remove(ip: string): Promise<void>;
}

interface Machine {
  readonly instance: MachineInstance;
  readonly k3s: K3sMachine;
  /** Of its user data, as it was sent. */
  readonly userDataBytes: number;
  hasJoined: boolean;
}

interface RunningApi {
  readonly address: string;
  readonly first: K3sMachine;
  readonly api: WorkloadApi;
  readonly nodes: WorkloadNodes;
}

interface Cluster {
  readonly name: string;
  readonly region: string;
  readonly machines: Map<string, Machine>;
  running: RunningApi | undefined;
}

/** What a test may want to know of a machine. */
export interface SeenMachine {
  readonly cluster: string;
  readonly instanceId: string;
  readonly nodeName: string;
  readonly role: K3sMachine['role'];
  readonly userDataBytes: number;
  readonly hasJoined: boolean;
}

export interface WorkloadClustersParts {
  readonly ec2: (region: string) => EC2Client;
  readonly balancing: (region: string) => ElasticLoadBalancingV2Client;
  readonly regions: readonly string[];
  readonly startApi: StartWorkloadApi;
  /** Makes a load balancer's address one of this machine, and gives it up again. */
  readonly addresses: Addresses;
  readonly log: (line: string) => void;
}

export class WorkloadClusters {
  readonly #parts: WorkloadClustersParts;
  readonly #clusters = new Map<string, Cluster>();
  readonly #problems = new Set<string>();
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: WorkloadClustersParts) {
    this.#parts = parts;
  }

  /** What a real machine would have failed at or skipped, of all machines so far: a test of Petra wants none. */
  get problems(): readonly string[] {
    return [...this.#problems];
  }

  get machines(): readonly SeenMachine[] {
    return [...this.#clusters.values()].flatMap(({ name, machines }) =>
      [...machines.values()].map(({ instance, k3s, userDataBytes, hasJoined }) => ({
        cluster: name,
        instanceId: instance.id,
        nodeName: k3s.nodeName,
        role: k3s.role,
        userDataBytes,
        hasJoined,
      })),
    );
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    for (const cluster of this.#clusters.values()) await this.#stopApi(cluster);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const begun = performance.now();
      for (const region of this.#parts.regions) {
        // One region that does not answer must not stop the others.
        await this.#look(region).catch((error: unknown) => this.#parts.log(`machines: ${String(error)}`));
      }
      // Of many machines moto tells slowly, and meanwhile tells nobody else anything.
      const pause = Math.max(lookMilliseconds, 3 * (performance.now() - begun));
      await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(region: string): Promise<void> {
    const running = await this.#instances(region);
    for (const [id, { cluster, instance }] of running) await this.#notice(region, cluster, id, instance);
    const clusters = [...this.#clusters.values()].filter((cluster) => cluster.region === region);
    const starting = clusters.some((cluster) => !cluster.running);
    const balancers = starting ? await balancersByCluster(this.#parts.balancing(region)) : new Map();
    await Promise.all(
      clusters.map(async (cluster) => {
        try {
          await this.#bringUpToDate(cluster, running, balancers);
        } catch (error) {
          this.#parts.log(`machines of ${cluster.name}: ${String(error)}`);
        }
      }),
    );
  }

  async #instances(
    region: string,
  ): Promise<Map<string, { readonly cluster: string; readonly instance: Instance }>> {
    const found = new Map<string, { readonly cluster: string; readonly instance: Instance }>();
    const query = {
      Filters: [
        { Name: `tag:${roleTag}`, Values: ['control-plane', 'node'] },
        { Name: 'instance-state-name', Values: ['running'] },
      ],
    };
    for await (const page of paginateDescribeInstances({ client: this.#parts.ec2(region) }, query)) {
      for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances)) {
        const cluster = ownerOf(instance.Tags);
        if (cluster === undefined || instance.InstanceId === undefined) continue;
        found.set(instance.InstanceId, { cluster, instance });
      }
    }
    return found;
  }

  async #notice(region: string, name: string, id: string, instance: Instance): Promise<void> {
    const key = `${region}/${name}`;
    const cluster = this.#clusters.get(key) ?? { name, region, machines: new Map(), running: undefined };
    this.#clusters.set(key, cluster);
    if (cluster.machines.has(id)) return;
    const described = describedInstance(region, id, instance);
    const sent = await this.#userData(region, id);
    const config = readCloudConfig(sent, { ...described, instanceId: id, localHostName: described.hostName });
    const k3s = readK3sMachine(config);
    for (const problem of k3s.problems) this.#report(name, id, problem);
    const userDataBytes = sent.length;
    cluster.machines.set(id, { instance: described, k3s, userDataBytes, hasJoined: false });
    this.#parts.log(
      `machines of ${name}: ${k3s.role} ${k3s.nodeName} is ${id}, ${userDataBytes} bytes of user data`,
    );
  }

  async #userData(region: string, id: string): Promise<Buffer> {
    const request = { InstanceId: id, Attribute: 'userData' } as const;
    const { UserData } = await this.#parts.ec2(region).send(new DescribeInstanceAttributeCommand(request));
    return Buffer.from(UserData?.Value ?? '', 'base64');
  }

  async #bringUpToDate(
    cluster: Cluster,
    instances: ReadonlyMap<string, unknown>,
    balancers: ReadonlyMap<string, Balancer>,
  ): Promise<void> {
    for (const [id, machine] of [...cluster.machines]) {
      if (instances.has(id)) continue;
      // As the cloud controller manager does when an instance is gone.
      if (machine.hasJoined && cluster.running) await left(cluster.running, machine.k3s);
      cluster.machines.delete(id);
      this.#parts.log(`machines of ${cluster.name}: ${id} is gone`);
    }
    const machines = [...cluster.machines.values()];
    if (!machines.some(({ k3s }) => k3s.role === 'server')) await this.#stopApi(cluster);
    if (machines.length === 0) this.#clusters.delete(`${cluster.region}/${cluster.name}`);
    cluster.running ??= await this.#startApi(cluster, machines, balancers.get(cluster.name));
    const { running } = cluster;
    if (!running) return;
    await Promise.all(machines.map((machine) => this.#join(cluster, running, machine)));
  }

  /** The first server starts the cluster, once clients of the load balancer would get to it. */
  async #startApi(
    { name, region }: Cluster,
    machines: readonly Machine[],
    balancer: Balancer | undefined,
  ): Promise<RunningApi | undefined> {
    const first = machines.find(({ k3s }) => k3s.isFirst);
    const authorities = first?.k3s.authorities;
    if (!first || !authorities || !balancer) return undefined;
    if (!(await leadsTo(this.#parts.balancing(region), balancer, first.instance.id))) return undefined;
    const { address } = balancer;
    const { k3s } = first;
    if (!k3s.apiNames.includes(address))
      this.#report(name, first.instance.id, `tls-san lacks ${address}, where clients find the API`);
    await this.#parts.addresses.add(address);
    const api = await this.#parts.startApi({
      cluster: name,
      address,
      port: apiPort,
      version: k3s.version,
      settings: k3s.apiServer,
      authorities,
      // k3s itself is also asked by its own machine.
      names: [...k3s.apiNames, first.instance.privateAddress, '127.0.0.1', 'localhost', 'kubernetes'],
    });
    const nodes = await connected(api, authorities);
    this.#parts.log(`machines of ${name}: the API listens at ${api.url}`);
    return { address, first: k3s, api, nodes };
  }

  async #stopApi(cluster: Cluster): Promise<void> {
    const { running } = cluster;
    if (!running) return;
    cluster.running = undefined;
    await running.api.stop();
    await this.#parts.addresses.remove(running.address);
  }

  async #join(cluster: Cluster, running: RunningApi, machine: Machine): Promise<void> {
    if (machine.hasJoined) return;
    const { k3s, instance } = machine;
    const { first, api, nodes } = running;
    if (k3s !== first) {
      if (k3s.server !== api.url)
        return this.#report(cluster.name, instance.id, `joins ${k3s.server}, not ${api.url}`);
      if (k3s.token !== first.token) return this.#report(cluster.name, instance.id, 'has another join token');
    }
    await nodes.join(k3s, instance, {
      hasNetwork: first.hasFlannel || first.charts.includes('cilium'),
      hasCloudController: first.charts.includes('aws-cloud-controller-manager'),
    });
    if (k3s.role === 'server') await api.serverJoined?.(k3s.nodeName);
    machine.hasJoined = true;
    this.#parts.log(`machines of ${cluster.name}: ${k3s.nodeName} joined`);
  }

  #report(cluster: string, instanceId: string, problem: string): void {
    const text = `${cluster} ${instanceId}: ${problem}`;
    if (!this.#problems.has(text)) this.#parts.log(`machines: ${text}`);
    this.#problems.add(text);
  }
}

async function left({ nodes, api }: RunningApi, { role, nodeName }: K3sMachine): Promise<void> {
  await nodes.leave(nodeName);
  if (role === 'server') await api.serverLeft?.(nodeName);
}

async function connected(api: WorkloadApi, authorities: ClusterAuthorities): Promise<WorkloadNodes> {
  try {
    const nodes = await WorkloadNodes.connect(api.url, authorities);
    await nodes.tellInitialized();
    return nodes;
  } catch (error) {
    await api.stop();
    throw error;
  }
}

function describedInstance(region: string, id: string, instance: Instance): MachineInstance {
  return {
    id,
    region,
    availabilityZone: instance.Placement?.AvailabilityZone ?? `${region}a`,
    privateAddress: instance.PrivateIpAddress ?? '',
    hostName: instance.PrivateDnsName ?? '',
    instanceType: instance.InstanceType ?? '',
    architecture: instance.Architecture === 'arm64' ? 'arm64' : 'amd64',
  };
}
