// The columns of `kubectl get` for built-in kinds, as k8s.io/kubernetes/pkg/printers/internalversion prints them.

import type { KubernetesObject } from '../../core/ports.ts';
import { ageOf } from './api-age.ts';
import { at, isObject, type JsonObject, listOr, objectOr, stringOr } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';

export interface BuiltInColumn {
  readonly name: string;
  readonly type: string;
  readonly priority?: number;
  cell(object: KubernetesObject, now: number): unknown;
}

export function builtInColumns(type: ResourceType): readonly BuiltInColumn[] {
  return columns[type.kind] ?? [age];
}

const age: BuiltInColumn = {
  name: 'Age',
  type: 'string',
  cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
};
const createdAt: BuiltInColumn = {
  name: 'Created At',
  type: 'date',
  cell: ({ metadata }) => metadata.creationTimestamp,
};

function text(name: string, cell: (object: KubernetesObject) => unknown, priority = 0): BuiltInColumn {
  return { name, type: 'string', priority, cell: (object) => orNone(cell(object)) };
}

function count(name: string, ...path: readonly string[]): BuiltInColumn {
  return { name, type: 'integer', cell: (object) => numberAt(object, ...path) };
}

/** A text column that `kubectl` shows only with `-o wide`. */
function wide(name: string, cell: (object: KubernetesObject) => unknown): BuiltInColumn {
  return text(name, cell, 1);
}

function orNone(value: unknown): string {
  return value === undefined || value === null || value === '' ? '<none>' : String(value);
}

function numberAt(object: KubernetesObject, ...path: readonly string[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : 0;
}

const containersOf = (object: KubernetesObject) =>
  listOr(at(object, 'spec', 'template', 'spec', 'containers') ?? at(object, 'spec', 'containers'));
const containerNames = wide('Containers', (object) =>
  containersOf(object)
    .map((container) => at(container, 'name'))
    .join(','),
);
const images = wide('Images', (object) =>
  containersOf(object)
    .map((container) => at(container, 'image'))
    .join(','),
);
const selector = wide('Selector', (object) =>
  labelList(at(object, 'spec', 'selector', 'matchLabels') ?? at(object, 'spec', 'selector')),
);
const data = {
  name: 'Data',
  type: 'string',
  cell: (object: KubernetesObject) =>
    Object.keys(objectOr(object.data)).length + Object.keys(objectOr(object.binaryData)).length,
};
const webhooks = {
  name: 'Webhooks',
  type: 'integer',
  cell: (object: KubernetesObject) => listOr(object.webhooks).length,
};
const role = text('Role', (object) => `${at(object, 'roleRef', 'kind')}/${at(object, 'roleRef', 'name')}`);

const columns: Readonly<Record<string, readonly BuiltInColumn[]>> = {
  Namespace: [text('Status', (object) => at(object, 'status', 'phase')), age],
  Node: [
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    age,
    text('Version', (object) => at(object, 'status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', (object) => nodeAddress(object, 'InternalIP')),
    wide('External-IP', (object) => nodeAddress(object, 'ExternalIP')),
    wide('OS-Image', (object) => at(object, 'status', 'nodeInfo', 'osImage') ?? '<unknown>'),
    wide('Kernel-Version', (object) => at(object, 'status', 'nodeInfo', 'kernelVersion') ?? '<unknown>'),
    wide(
      'Container-Runtime',
      (object) => at(object, 'status', 'nodeInfo', 'containerRuntimeVersion') ?? '<unknown>',
    ),
  ],
  Pod: [
    text('Ready', (object) => {
      const states = listOr(at(object, 'status', 'containerStatuses'));
      const ready = states.filter((state) => at(state, 'ready') === true).length;
      return `${ready}/${containersOf(object).length}`;
    }),
    text('Status', podStatus),
    text('Restarts', (object) =>
      listOr(at(object, 'status', 'containerStatuses')).reduce<number>(
        (sum, state) => sum + Number(at(state, 'restartCount') ?? 0),
        0,
      ),
    ),
    age,
    wide('IP', (object) => at(object, 'status', 'podIP')),
    wide('Node', (object) => at(object, 'spec', 'nodeName')),
    wide('Nominated Node', (object) => at(object, 'status', 'nominatedNodeName')),
    wide('Readiness Gates', () => undefined),
  ],
  Service: [
    text('Type', (object) => at(object, 'spec', 'type')),
    text('Cluster-IP', (object) => at(object, 'spec', 'clusterIP')),
    text('External-IP', (object) => {
      const ingress = objectOr(listOr(at(object, 'status', 'loadBalancer', 'ingress'))[0]);
      const isPending = at(object, 'spec', 'type') === 'LoadBalancer';
      return ingress.ip ?? ingress.hostname ?? (isPending ? '<pending>' : undefined);
    }),
    text('Port(s)', (object) =>
      listOr(at(object, 'spec', 'ports'))
        .map((port) => `${at(port, 'port')}/${at(port, 'protocol')}`)
        .join(','),
    ),
    age,
    selector,
  ],
  Endpoints: [
    text('Endpoints', (object) =>
      listOr(object.subsets)
        .flatMap((subset) =>
          listOr(at(subset, 'addresses')).flatMap((address) =>
            listOr(at(subset, 'ports')).map((port) => `${at(address, 'ip')}:${at(port, 'port')}`),
          ),
        )
        .join(','),
    ),
    age,
  ],
  ConfigMap: [data, age],
  Secret: [text('Type', (object) => object.type), data, age],
  ServiceAccount: [{ name: 'Secrets', type: 'string', cell: (object) => listOr(object.secrets).length }, age],
  Event: [
    {
      name: 'Last Seen',
      type: 'string',
      cell: (object, now) =>
        ageOf(object.lastTimestamp ?? object.eventTime ?? object.metadata.creationTimestamp, now),
    },
    text('Type', (object) => object.type),
    text('Reason', (object) => object.reason),
    text('Object', (object) => {
      const { kind, name } = objectOr(object.involvedObject);
      return `${stringOr(kind, '').toLowerCase()}/${stringOr(name, '')}`;
    }),
    text('Message', (object) => stringOr(object.message, '').trim()),
  ],
  Deployment: [
    text(
      'Ready',
      (object) => `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`,
    ),
    count('Up-to-date', 'status', 'updatedReplicas'),
    count('Available', 'status', 'availableReplicas'),
    age,
    containerNames,
    images,
    selector,
  ],
  ReplicaSet: [
    count('Desired', 'spec', 'replicas'),
    count('Current', 'status', 'replicas'),
    count('Ready', 'status', 'readyReplicas'),
    age,
    containerNames,
    images,
    selector,
  ],
  StatefulSet: [
    text(
      'Ready',
      (object) => `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`,
    ),
    age,
    containerNames,
    images,
  ],
  DaemonSet: [
    count('Desired', 'status', 'desiredNumberScheduled'),
    count('Current', 'status', 'currentNumberScheduled'),
    count('Ready', 'status', 'numberReady'),
    count('Up-to-date', 'status', 'updatedNumberScheduled'),
    count('Available', 'status', 'numberAvailable'),
    text('Node Selector', (object) => labelList(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
    age,
    containerNames,
    images,
    selector,
  ],
  Job: [
    text('Status', jobStatus),
    text(
      'Completions',
      (object) => `${numberAt(object, 'status', 'succeeded')}/${numberAt(object, 'spec', 'completions')}`,
    ),
    age,
    containerNames,
    images,
  ],
  CustomResourceDefinition: [createdAt],
  ClusterRole: [createdAt],
  Role: [createdAt],
  ClusterRoleBinding: [role, age],
  RoleBinding: [role, age],
  MutatingWebhookConfiguration: [webhooks, age],
  ValidatingWebhookConfiguration: [webhooks, age],
  Lease: [text('Holder', (object) => at(object, 'spec', 'holderIdentity')), age],
  EndpointSlice: [
    text('AddressType', (object) => object.addressType),
    text('Ports', (object) =>
      listOr(object.ports)
        .map((port) => at(port, 'port'))
        .join(','),
    ),
    text('Endpoints', (object) =>
      listOr(object.endpoints)
        .flatMap((endpoint) => listOr(at(endpoint, 'addresses')))
        .join(','),
    ),
    age,
  ],
  StorageClass: [
    text('Provisioner', (object) => object.provisioner),
    text('ReclaimPolicy', (object) => object.reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', (object) => object.volumeBindingMode ?? 'Immediate'),
    age,
  ],
};

function labelList(labels: unknown): string {
  return Object.entries(objectOr(labels))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

function conditionOf(object: KubernetesObject, type: string): JsonObject | undefined {
  return listOr(at(object, 'status', 'conditions'))
    .filter(isObject)
    .find((condition) => condition.type === type);
}

function nodeStatus(object: KubernetesObject): string {
  const ready = conditionOf(object, 'Ready');
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return at(object, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(object: KubernetesObject): string {
  const prefix = 'node-role.kubernetes.io/';
  return Object.keys(object.metadata.labels ?? {})
    .filter((label) => label.startsWith(prefix) && label.length > prefix.length)
    .map((label) => label.slice(prefix.length))
    .sort()
    .join(',');
}

function nodeAddress(object: KubernetesObject, type: string): unknown {
  const address = listOr(at(object, 'status', 'addresses')).find((entry) => at(entry, 'type') === type);
  return at(address, 'address');
}

function podStatus(object: KubernetesObject): unknown {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const waiting = listOr(at(object, 'status', 'containerStatuses'))
    .map((state) => at(state, 'state', 'waiting', 'reason'))
    .find((reason) => reason !== undefined);
  return waiting ?? at(object, 'status', 'reason') ?? at(object, 'status', 'phase');
}

function jobStatus(object: KubernetesObject): string {
  if (conditionOf(object, 'Complete')?.status === 'True') return 'Complete';
  return conditionOf(object, 'Failed')?.status === 'True' ? 'Failed' : 'Running';
}
