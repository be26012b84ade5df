// In place of the EndpointSlice controller: where a Service leads.

import type { Container } from './pod-template.ts';
import { portOf } from './pod-template.ts';

export interface Service {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly protocol?: string;
      readonly port: number;
      readonly targetPort?: number | string;
    }[];
  };
}

export interface ServedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
  readonly address: string;
  readonly isReady: boolean;
}

/** The slice of a Service that selects the Pod; undefined for other Services. */
export function endpointSliceOf({ metadata, spec }: Service, pod: ServedPod) {
  const selector = Object.entries(spec.selector ?? {});
  if (metadata.namespace !== pod.namespace || selector.length === 0) return undefined;
  if (!selector.every(([label, value]) => pod.labels[label] === value)) return undefined;
  const ports = (spec.ports ?? []).flatMap(({ name = '', protocol = 'TCP', port, targetPort }) => {
    const number = portOf(pod.containers, targetPort ?? port);
    return number === undefined ? [] : [{ name, protocol, port: number }];
  });
  const { uid, name, namespace } = metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-stand-in`,
      namespace,
      labels: {
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'petra-stand-in-kubelet',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid }],
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [pod.address], conditions: { ready: pod.isReady } }],
    ports,
  };
}
