// The hardware of management nodes: looks at moto's instances, and does for each what its user data would make a real
// machine do, as far as others can see it: it reads the join token and writes the kubeconfig with the node's own role,
// says in a tag how far it is, and appears as a Node of its Kubernetes. No script runs: that is tried elsewhere.

import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  CreateTagsCommand,
  DescribeInstanceAttributeCommand,
  type EC2Client,
  type Instance,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { progressTag } from '../../core/management/node-script.ts';
import type { SimulatedKubernetes as BootKubernetes } from '../../local/cloud/boot-stages.ts';
import { type NodeEnvironment, readNodeEnvironment } from '../../local/cloud/node-environment.ts';

const lookMilliseconds = 250;
const retryMilliseconds = 500;

/** The clusters that machines make up; `id` is the cluster's uid. Every call is safe to repeat. */
export interface NodeKubernetes extends Omit<BootKubernetes, 'ensureCluster'> {
  ensureCluster(
    id: string,
    cluster: { readonly name: string; readonly version: string; readonly region: string },
    first: NodeMachine,
  ): Promise<void>;
}

/** A machine, as the cloud that runs it sees it. */
export interface NodeMachine {
  readonly instanceId: string;
  readonly address: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  /** As it was sent. */
  readonly userData: Buffer;
}

export interface NodeClients {
  readonly ec2: EC2Client;
  readonly secrets: SecretsManagerClient;
}

interface Booted {
  readonly id: string;
  readonly environment: NodeEnvironment;
  readonly stop: AbortController;
  readonly boot: Promise<void>;
  ready: boolean;
}

export interface ManagementNodesParts {
  /** Sees instances as the cloud that runs them does. */
  readonly hardware: EC2Client;
  /** What a node itself calls with, under its role. */
  readonly node: (instanceId: string) => NodeClients;
  readonly kubernetes: NodeKubernetes;
  readonly log: (line: string) => void;
}

export class ManagementNodes {
  readonly #parts: ManagementNodesParts;
  readonly #machines = new Map<string, Booted>();
  readonly #ignored = new Set<string>();
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: ManagementNodesParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const { stop } of this.#machines.values()) stop.abort();
    await Promise.allSettled([this.#loop, ...[...this.#machines.values()].map(({ boot }) => boot)]);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#parts.log(`nodes: ${String(error)}`);
      }
      await sleep(lookMilliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const running = new Map<string, Instance>();
    const query = {
      Filters: [
        { Name: 'tag-key', Values: ['petra.sh/node'] },
        { Name: 'instance-state-name', Values: ['pending', 'running'] },
      ],
    };
    for await (const page of paginateDescribeInstances({ client: this.#parts.hardware }, query)) {
      for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances))
        if (instance.InstanceId) running.set(instance.InstanceId, instance);
    }
    for (const [id, machine] of [...this.#machines]) if (!running.has(id)) await this.#end(machine);
    for (const [id, instance] of running)
      if (!this.#machines.has(id) && !this.#ignored.has(id)) await this.#powerOn(id, instance);
  }

  async #powerOn(id: string, instance: Instance): Promise<void> {
    const userData = await this.#userData(id);
    const environment = readNodeEnvironment(unpacked(userData).toString('utf8'));
    if ('problem' in environment) {
      this.#parts.log(`nodes: ${id} joins nothing: ${environment.problem}`);
      this.#ignored.add(id);
      return;
    }
    const stop = new AbortController();
    const machine = {
      instanceId: id,
      address: instance.PrivateIpAddress ?? '',
      instanceType: instance.InstanceType ?? '',
      availabilityZone: instance.Placement?.AvailabilityZone ?? `${environment.region}a`,
      userData,
    };
    const boot = this.#boot(machine, environment, stop.signal).then(
      () => {
        const booted = this.#machines.get(id);
        if (booted) booted.ready = true;
      },
      (error: unknown) => {
        if (!stop.signal.aborted) this.#parts.log(`nodes: ${id} does not boot: ${String(error)}`);
      },
    );
    this.#machines.set(id, { id, environment, stop, boot, ready: false });
  }

  async #userData(id: string): Promise<Buffer> {
    const request = { InstanceId: id, Attribute: 'userData' } as const;
    const { UserData } = await this.#parts.hardware.send(new DescribeInstanceAttributeCommand(request));
    return Buffer.from(UserData?.Value ?? '', 'base64');
  }

  async #boot(machine: NodeMachine, node: NodeEnvironment, signal: AbortSignal): Promise<void> {
    const { kubernetes } = this.#parts;
    const { instanceId: id, address, instanceType, availabilityZone: zone } = machine;
    const clients = this.#parts.node(id);
    const { uid, cluster: name, region, k3sVersion: version, nodeName, role } = node;
    await this.#say(clients, id, `${nodeName} of ${name} starts`);
    await until(signal, () => this.#secret(clients, node.tokenSecret));
    await this.#say(clients, id, 'has the join token');
    if (node.first) {
      await kubernetes.ensureCluster(uid, { name, version, region }, machine);
      const kubeconfig = await kubernetes.kubeconfig(uid);
      await until(signal, () => this.#store(clients, node.kubeconfigSecret, kubeconfig));
      await this.#say(clients, id, 'the kubeconfig is stored');
    } else {
      await until(signal, async () => this.#serverRuns(uid));
    }
    await until(signal, async () => {
      await kubernetes.addNode(uid, {
        name: nodeName,
        role,
        address,
        providerId: `aws:///${zone}/${id}`,
        version,
        instanceType,
        zone,
      });
      return true;
    });
    await this.#say(clients, id, `${nodeName} has joined`);
  }

  /** With the last server goes the cluster. */
  async #end({ id, environment, stop, boot }: Booted): Promise<void> {
    stop.abort();
    await boot;
    this.#machines.delete(id);
    const { uid, nodeName } = environment;
    const others = [...this.#machines.values()].filter((machine) => machine.environment.uid === uid);
    if (!others.some((machine) => machine.environment.role === 'server'))
      await this.#parts.kubernetes.removeCluster(uid);
    else if (!others.some((machine) => machine.environment.nodeName === nodeName))
      await this.#parts.kubernetes.removeNode(uid, nodeName);
  }

  #serverRuns(uid: string): boolean {
    return [...this.#machines.values()].some(
      ({ environment, ready }) => environment.uid === uid && environment.first && ready,
    );
  }

  async #secret({ secrets }: NodeClients, name: string): Promise<boolean> {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));
    return SecretString !== undefined && SecretString !== '';
  }

  async #store({ secrets }: NodeClients, name: string, value: string): Promise<boolean> {
    await secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
    return true;
  }

  /** A courtesy, as on a real node: nothing waits for it. */
  async #say({ ec2 }: NodeClients, id: string, words: string): Promise<void> {
    const Tags = [{ Key: progressTag, Value: words }];
    await ec2.send(new CreateTagsCommand({ Resources: [id], Tags })).catch((error) => {
      this.#parts.log(`nodes: ${id} cannot tag itself: ${String(error)}`);
    });
  }
}

/** cloud-init, too, unpacks what is compressed. */
function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/** Tries again until it works, as the units on a node do. */
async function until(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const done = await work().catch(() => false);
    if (done) return;
    await sleep(retryMilliseconds, undefined, { signal });
  }
}
