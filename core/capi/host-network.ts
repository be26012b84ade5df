// CAPA on the network of its node. Only there can it reach the instance's metadata, from which it takes its credentials:
// core/management/instance-credentials.ts keeps the pod network away from them.

import { recordAt } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';

/**
 * The object of CAPA's release as it must be for its Pods to be on the host's network; what has nothing to do with Pods
 * passes as it is. None of CAPA's ports (9443 webhooks, 9440 health, 8443 diagnostics) is used by k3s or cilium.
 */
export function onHostNetwork(object: KubernetesObject): KubernetesObject {
  if (object.kind === 'Namespace') return admittingHostNetwork(object);
  if (object.kind !== 'Deployment') return object;
  const spec = recordAt(object, 'spec');
  const template = recordAt(spec, 'template');
  const podSpec = recordAt(template, 'spec');
  return {
    ...object,
    spec: {
      ...spec,
      // A second Pod on the same node would wait for the first one's ports for ever. `Recreate` would say it shorter, but
      // the API server refuses that for a Deployment that has once got the default's settings.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: {
        ...template,
        // Without the second, names of Services would be asked from the VPC's resolver.
        spec: { ...podSpec, hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
      },
    },
  };
}

/** The profile `standard` refuses Pods on the host's network elsewhere. */
function admittingHostNetwork(namespace: KubernetesObject): KubernetesObject {
  const label = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  const labels = { ...namespace.metadata.labels, ...label };
  return { ...namespace, metadata: { ...namespace.metadata, labels } };
}
