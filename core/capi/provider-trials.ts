// What proves that a provider works, without leaving anything behind: an object that its webhook must accept, and what
// its controller must be allowed. An available Deployment proves neither.

import type { AccessQuestion, KubernetesObject } from '../ports.ts';
import { classTemplates } from './class-templates.ts';
import type { Provider, ProviderKey } from './providers.ts';
import { renderClusterClass } from './render-cluster-class.ts';
import { clusterNamespace } from './translate-cluster.ts';

/** An object to apply by dry run, which a webhook of the provider's own must see and accept. */
export function trialObject(provider: ProviderKey, kubernetesVersion: string): KubernetesObject {
  const { cluster, worker, controlPlaneMachine } = classTemplates();
  switch (provider) {
    case 'cluster-api':
      // Not a Cluster: that needs the class to be there.
      return renderClusterClass().at(-1) ?? cluster;
    case 'bootstrap-k3s':
      return worker;
    case 'control-plane-k3s':
      // The template in the class has no webhook (v0.3.1).
      return trialControlPlane(controlPlaneMachine, kubernetesVersion);
    case 'infrastructure-aws':
      return cluster;
  }
}

function trialControlPlane(machine: KubernetesObject, version: string): KubernetesObject {
  const { apiVersion, kind, metadata } = machine;
  return {
    apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2',
    kind: 'KThreesControlPlane',
    metadata: { name: 'petra-trial', namespace: clusterNamespace },
    spec: {
      version,
      replicas: 1,
      machineTemplate: {
        infrastructureRef: { apiVersion, kind, name: metadata.name, namespace: clusterNamespace },
      },
    },
  };
}

const clusters = ['cluster.x-k8s.io', 'clusters'] as const;
const machines = ['cluster.x-k8s.io', 'machines'] as const;
const configs = ['bootstrap.cluster.x-k8s.io', 'kthreesconfigs'] as const;
const controlPlanes = ['controlplane.cluster.x-k8s.io', 'kthreescontrolplanes'] as const;
const awsClusters = ['infrastructure.cluster.x-k8s.io', 'awsclusters'] as const;
const awsMachines = ['infrastructure.cluster.x-k8s.io', 'awsmachines'] as const;

/** What a controller watches. Without one of them its caches never fill, and it does nothing at all, silently. */
const watched: Readonly<Record<ProviderKey, readonly (readonly [group: string, resource: string])[]>> = {
  // The others' through its aggregated role, which is empty until Kubernetes has gathered it.
  'cluster-api': [clusters, machines, configs, controlPlanes, awsClusters, awsMachines],
  'bootstrap-k3s': [clusters, machines, configs],
  'control-plane-k3s': [clusters, machines, controlPlanes],
  'infrastructure-aws': [clusters, machines, awsClusters, awsMachines],
};

/** What the provider's controller, with this ServiceAccount, must be allowed to do. */
export function neededAccess(provider: Provider, serviceAccount: string): readonly AccessQuestion[] {
  return watched[provider.key].map(([group, resource]) => ({
    serviceAccount: { namespace: provider.namespace, name: serviceAccount },
    verb: 'list',
    group,
    resource,
  }));
}
