// Node objects of a simulated cluster, as a kubelet registers them and a cloud controller manager completes them.

import { architectureOf } from '../../core/capi/instance-architecture.ts';
import { listAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { timestamp } from './conditions.ts';
import { contains } from './contains.ts';
import { kinds } from './kinds.ts';
import { changeObject, ensureObject, isNotFound, setStatus } from './writes.ts';

export interface SimulatedNode {
  readonly name: string;
  readonly role: 'server' | 'agent';
  readonly address: string;
  /** `aws:///<zone>/<instance id>`; absent while no cloud controller manager has set it. */
  readonly providerId?: string;
  /** The version of k3s, with its suffix: what the kubelet reports. */
  readonly version: string;
  readonly instanceType: string;
  readonly zone: string;
  /** Why the kubelet says that it is not Ready; absent: it is. */
  readonly notReady?: string;
}

/** Registers a Node, or brings it up to date. Safe to repeat. */
export async function addNode(store: ObjectStore, node: SimulatedNode): Promise<KubernetesObject> {
  const isServer = node.role === 'server';
  const labels = {
    'beta.kubernetes.io/arch': architectureOf(node.instanceType),
    'kubernetes.io/arch': architectureOf(node.instanceType),
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': node.name,
    'node.kubernetes.io/instance-type': node.instanceType,
    ...(node.providerId === undefined
      ? {}
      : {
          'topology.kubernetes.io/region': node.zone.replace(/[a-z]$/, ''),
          'topology.kubernetes.io/zone': node.zone,
        }),
    // `master` too: the k3s control-plane provider counts Nodes by it.
    ...(isServer
      ? {
          'node-role.kubernetes.io/control-plane': 'true',
          'node-role.kubernetes.io/etcd': 'true',
          'node-role.kubernetes.io/master': 'true',
        }
      : {}),
  };
  const taints = [
    ...(node.providerId === undefined
      ? [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' }]
      : []),
    ...(node.notReady === undefined ? [] : [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]),
  ];
  const spec = {
    podCIDR: '10.42.0.0/24',
    ...(node.providerId === undefined ? {} : { providerID: node.providerId }),
    ...(taints.length > 0 ? { taints } : {}),
  };
  // Created with its taints, as the kubelet registers it: without, Pods would be put on it at once.
  const created = await ensureObject(store, { ...kinds.node, metadata: { name: node.name, labels }, spec });
  const registered = await changeObject(store, created, (present) => ({
    ...present,
    metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...labels } },
    spec,
  }));
  return setStatus(store, registered, (status) => ({
    ...status,
    addresses: [
      { type: 'InternalIP', address: node.address },
      { type: 'Hostname', address: node.name },
    ],
    conditions: conditions(status.conditions, node.notReady),
    capacity,
    allocatable: capacity,
    nodeInfo: {
      architecture: architectureOf(node.instanceType),
      containerRuntimeVersion: 'containerd://2.1.5-k3s1',
      kernelVersion: '6.8.0-simulated',
      kubeProxyVersion: node.version,
      kubeletVersion: node.version,
      machineID: '',
      bootID: '',
      systemUUID: '',
      operatingSystem: 'linux',
      osImage: 'Simulated Linux',
    },
  }));
}

/** Removes a Node; one already gone is success. */
export async function removeNode(store: ObjectStore, name: string): Promise<void> {
  try {
    await store.remove({ ...kinds.node, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

const capacity = {
  cpu: '2',
  memory: '8Gi',
  'ephemeral-storage': '40Gi',
  pods: '110',
};

function conditions(present: unknown, notReady: string | undefined) {
  const now = timestamp(Date.now());
  const make = (type: string, status: string, reason: string, message: string) => {
    const made = { type, status, reason, message };
    const same = listAt(present).find((old) => contains(old, made));
    return same ?? { ...made, lastHeartbeatTime: now, lastTransitionTime: now };
  };
  return [
    make('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    make('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    make('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    notReady === undefined
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', notReady),
  ];
}
