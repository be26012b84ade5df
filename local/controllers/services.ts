// The EndpointSlice controller: which Pods answer for a Service.

import { at, listAt, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import type { Controller } from './controller.ts';
import { isDeleting, kinds, ownerReference } from './kinds.ts';
import { suffix } from './naming.ts';
import { isPodReady } from './pods.ts';
import { changeObject, ensureObject } from './writes.ts';

/** Gives each Service with a selector an EndpointSlice of its Pods. */
export function endpointSliceController(store: ObjectStore): Controller {
  return {
    name: 'endpointslice',
    kind: kinds.service,
    wakes: [{ kind: kinds.pod, wakes: () => 'all' }],
    async reconcile(service) {
      if (isDeleting(service) || Object.keys(recordAt(service, 'spec', 'selector')).length === 0)
        return undefined;
      const pods = podsOf(store, service);
      const endpoints = pods.map((pod) => ({
        addresses: [textAt(pod, 'status', 'podIP') ?? ''],
        conditions: { ready: isPodReady(pod), serving: isPodReady(pod), terminating: isDeleting(pod) },
        targetRef: {
          kind: 'Pod',
          name: pod.metadata.name,
          namespace: pod.metadata.namespace,
          uid: pod.metadata.uid,
        },
        ...(textAt(pod, 'spec', 'nodeName') === undefined
          ? {}
          : { nodeName: textAt(pod, 'spec', 'nodeName') }),
      }));
      const { name, namespace = '', uid } = service.metadata;
      const slice = await ensureObject(store, {
        ...kinds.endpointSlice,
        metadata: {
          name: `${name}-${suffix(uid ?? name)}`,
          namespace,
          labels: {
            'kubernetes.io/service-name': name,
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
          ownerReferences: [ownerReference(service, true)],
        },
        addressType: 'IPv4',
      });
      const ports = listAt(service, 'spec', 'ports').map((port) => endpointPort(port, pods));
      await changeObject(store, slice, (present) => ({ ...present, endpoints, ports }));
      return undefined;
    },
  };
}

function podsOf(store: ObjectStore, service: KubernetesObject): readonly KubernetesObject[] {
  const labelSelector = Object.entries(textsAt(service, 'spec', 'selector'))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return store
    .list('v1', 'Pod', { namespace: service.metadata.namespace, labelSelector })
    .filter((pod) => textAt(pod, 'status', 'podIP') !== undefined);
}

/** A Service may name a port of its Pods; an EndpointSlice has the number. */
function endpointPort(port: unknown, pods: readonly KubernetesObject[]) {
  const target = at(port, 'targetPort') ?? at(port, 'port');
  const containerPorts = pods.flatMap((pod) =>
    listAt(pod, 'spec', 'containers').flatMap((container) => listAt(container, 'ports')),
  );
  const named = containerPorts.find((candidate) => at(candidate, 'name') === target);
  return {
    name: textAt(port, 'name') ?? '',
    port: typeof target === 'number' ? target : (numberAt(named, 'containerPort') ?? numberAt(port, 'port')),
    protocol: textAt(port, 'protocol') ?? 'TCP',
  };
}
