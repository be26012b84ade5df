// What the machines of a workload cluster say to its API: their kubelet, k3s itself, and the cloud controller manager.
// Over the wire and with a certificate of the cluster, so that it is the same for a simulated and a real API server.

import { issueCertificate } from '../../local/kubernetes/certificates.ts';
import { ApiRequests } from './api-requests.ts';
import type { ClusterAuthorities, K3sMachine, Taint } from './k3s-machine.ts';

/** The instance under a machine, as EC2 knows it. */
export interface MachineInstance {
  readonly id: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly privateAddress: string;
  /** EC2's private DNS name. */
  readonly hostName: string;
  readonly instanceType: string;
  readonly architecture: 'amd64' | 'arm64';
}

/** What the cluster's first server has deployed, for all of its machines. */
export interface ClusterParts {
  readonly hasNetwork: boolean;
  readonly hasCloudController: boolean;
}

const uninitialized = 'node.cloudprovider.kubernetes.io/uninitialized';
const callLimitMilliseconds = 10_000;

export class WorkloadNodes {
  readonly #requests: ApiRequests;

  private constructor(requests: ApiRequests) {
    this.#requests = requests;
  }

  static async connect(server: string, authorities: ClusterAuthorities): Promise<WorkloadNodes> {
    const holder = { subject: 'CN=stand-in-machine, O=system:masters' };
    const identity = await issueCertificate(holder, authorities.client);
    const credentials = {
      server: new URL(server),
      authority: authorities.server.certificate,
      skipVerification: false,
      ...identity,
    };
    return new WorkloadNodes(
      new ApiRequests(credentials, {
        fieldManager: 'stand-in-machine',
        timeoutMilliseconds: callLimitMilliseconds,
      }),
    );
  }

  /** k3s keeps its serving certificate there; the control-plane provider only looks whether the Secret exists. */
  async tellInitialized(): Promise<void> {
    const name = 'k3s-serving';
    await this.#requests.apply(`/api/v1/namespaces/kube-system/secrets/${name}`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'kube-system' },
    });
  }

  /** The machine as a Node, Ready where the cluster has a network. Safe to repeat. */
  async join(machine: K3sMachine, instance: MachineInstance, parts: ClusterParts): Promise<void> {
    const path = `/api/v1/nodes/${machine.nodeName}`;
    const node = nodeOf(machine, instance, parts);
    await this.#requests.apply(path, node);
    await this.#requests.merge(`${path}/status`, { status: statusOf(machine, instance, parts) });
    // A real API server adds a taint to a new Node, which a kubelet's controller manager would take off when it is Ready.
    await this.#requests.apply(path, node);
  }

  async leave(nodeName: string): Promise<void> {
    await this.#requests.remove(`/api/v1/nodes/${nodeName}`);
  }
}

function nodeOf(machine: K3sMachine, instance: MachineInstance, parts: ClusterParts): object {
  const cloud = cloudOf(machine, instance, parts);
  const roles: Readonly<Record<string, string>> =
    machine.role === 'server'
      ? { 'node-role.kubernetes.io/control-plane': 'true', 'node-role.kubernetes.io/etcd': 'true' }
      : {};
  const waiting: readonly Taint[] = cloud.isInitialized
    ? []
    : [{ key: uninitialized, value: 'true', effect: 'NoSchedule' }];
  const taints = [...machine.taints, ...waiting];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: machine.nodeName,
      // The control-plane provider v0.3.1 cannot add an annotation to a Node that has none.
      annotations: { 'k3s.io/hostname': machine.nodeName, 'k3s.io/internal-ip': instance.privateAddress },
      labels: {
        'kubernetes.io/hostname': machine.nodeName,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': instance.architecture,
        ...roles,
        ...machine.labels,
        ...(cloud.isKnown && {
          'node.kubernetes.io/instance-type': instance.instanceType,
          'topology.kubernetes.io/region': instance.region,
          'topology.kubernetes.io/zone': instance.availabilityZone,
        }),
      },
    },
    spec: {
      ...(cloud.providerId === undefined ? {} : { providerID: cloud.providerId }),
      taints,
    },
  };
}

interface Cloud {
  readonly providerId: string | undefined;
  readonly isInitialized: boolean;
  /** Whether a cloud controller manager found the instance. */
  readonly isKnown: boolean;
}

function cloudOf(machine: K3sMachine, instance: MachineInstance, parts: ClusterParts): Cloud {
  // k3s' own cloud controller, which knows no cloud.
  if (!machine.waitsForCloud)
    return { providerId: `k3s://${machine.nodeName}`, isInitialized: true, isKnown: false };
  // It looks the instance up by the Node's name.
  const isKnown = parts.hasCloudController && machine.nodeName === instance.hostName;
  const providerId = isKnown ? `aws:///${instance.availabilityZone}/${instance.id}` : undefined;
  return { providerId, isInitialized: isKnown, isKnown };
}

function statusOf(machine: K3sMachine, instance: MachineInstance, { hasNetwork }: ClusterParts): unknown {
  const since = `${new Date().toISOString().slice(0, 19)}Z`;
  const times = { lastHeartbeatTime: since, lastTransitionTime: since };
  const quiet = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
    type,
    status: 'False',
    reason: 'KubeletIsFine',
    message: '',
    ...times,
  }));
  const ready = hasNetwork
    ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'a stand-in for a kubelet' }
    : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'cni plugin not initialized' };
  const capacity = { cpu: '2', memory: '8Gi', pods: '110' };
  return {
    addresses: [
      { type: 'InternalIP', address: instance.privateAddress },
      { type: 'Hostname', address: machine.nodeName },
    ],
    capacity,
    allocatable: capacity,
    conditions: [...quiet, { ...ready, ...times }],
    nodeInfo: {
      kubeletVersion: machine.version,
      kubeProxyVersion: machine.version,
      operatingSystem: 'linux',
      architecture: instance.architecture,
      osImage: 'Ubuntu 24.04 LTS (stand-in)',
      kernelVersion: '6.8.0-aws',
      containerRuntimeVersion: 'containerd://2.1.5-k3s1',
      machineID: instance.id,
      systemUUID: instance.id,
      bootID: instance.id,
    },
  };
}
