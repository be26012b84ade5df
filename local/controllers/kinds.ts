// The kinds that the simulated controllers write, in the versions that CAPI 1.9, CAPA 2.7 and the k3s providers 0.3
// serve, and the labels and finalizers that tie them together.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

const core = 'cluster.x-k8s.io/v1beta1';
const aws = 'infrastructure.cluster.x-k8s.io/v1beta2';

export const kinds = {
  cluster: { apiVersion: core, kind: 'Cluster' },
  clusterClass: { apiVersion: core, kind: 'ClusterClass' },
  machineDeployment: { apiVersion: core, kind: 'MachineDeployment' },
  machineSet: { apiVersion: core, kind: 'MachineSet' },
  machine: { apiVersion: core, kind: 'Machine' },
  awsCluster: { apiVersion: aws, kind: 'AWSCluster' },
  awsMachine: { apiVersion: aws, kind: 'AWSMachine' },
  awsMachineTemplate: { apiVersion: aws, kind: 'AWSMachineTemplate' },
  controlPlane: { apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' },
  k3sConfig: { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfig' },
  k3sConfigTemplate: { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfigTemplate' },
  secret: { apiVersion: 'v1', kind: 'Secret' },
  node: { apiVersion: 'v1', kind: 'Node' },
  pod: { apiVersion: 'v1', kind: 'Pod' },
  service: { apiVersion: 'v1', kind: 'Service' },
  namespace: { apiVersion: 'v1', kind: 'Namespace' },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  replicaSet: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  daemonSet: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  endpointSlice: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  clusterIssuer: { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer' },
  certificate: { apiVersion: 'cert-manager.io/v1', kind: 'Certificate' },
  issuer: { apiVersion: 'cert-manager.io/v1', kind: 'Issuer' },
  mutatingWebhooks: { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
  validatingWebhooks: {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
  },
  crd: { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
} as const satisfies Record<string, Kind>;

export const labels = {
  clusterName: 'cluster.x-k8s.io/cluster-name',
  controlPlane: 'cluster.x-k8s.io/control-plane',
  controlPlaneName: 'cluster.x-k8s.io/control-plane-name',
  deploymentName: 'cluster.x-k8s.io/deployment-name',
  setName: 'cluster.x-k8s.io/set-name',
  templateHash: 'machine-template-hash',
  topologyOwned: 'topology.cluster.x-k8s.io/owned',
  topologyDeploymentName: 'topology.cluster.x-k8s.io/deployment-name',
} as const;

export const finalizers = {
  cluster: 'cluster.cluster.x-k8s.io',
  machineDeployment: 'cluster.x-k8s.io/machinedeployment',
  machineSet: 'cluster.x-k8s.io/machineset',
  /** Of the topology controllers, which remove templates that nothing uses any more. */
  topologyMachineDeployment: 'machinedeployment.topology.cluster.x-k8s.io',
  topologyMachineSet: 'machineset.topology.cluster.x-k8s.io',
  machine: 'machine.cluster.x-k8s.io',
  controlPlane: 'kthrees.controlplane.cluster.x-k8s.io',
  awsCluster: 'awscluster.infrastructure.cluster.x-k8s.io',
  awsMachine: 'awsmachine.infrastructure.cluster.x-k8s.io',
} as const;

/** Type of the secrets of a cluster: kubeconfig, CAs, token. */
export const clusterSecretType = 'cluster.x-k8s.io/secret';

/** Whether the object is of this kind, in whatever version. */
export function isKind(object: Kind, kind: Kind): boolean {
  return object.kind === kind.kind && groupOf(object) === groupOf(kind);
}

export function groupOf({ apiVersion }: Pick<Kind, 'apiVersion'>): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** What is needed to read the object again. */
export function referenceTo(object: KubernetesObject): ObjectReference {
  const { name, namespace } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Annotations of what was made from a template. */
export function clonedFrom(template: KubernetesObject): Readonly<Record<string, string>> {
  return {
    'cluster.x-k8s.io/cloned-from-name': template.metadata.name,
    'cluster.x-k8s.io/cloned-from-groupkind': `${template.kind}.${groupOf(template)}`,
  };
}

/** An entry for `metadata.ownerReferences`; `controller` for the one owner that is in charge. */
export function ownerReference(owner: KubernetesObject, controller = false) {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    ...(controller ? { controller: true, blockOwnerDeletion: true } : {}),
  };
}

export function isOwnedBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;
}

export function isDeleting(object: KubernetesObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}
