// The custom resources of the k3s providers (v0.3.1) and of CAPA (v2.7.2) with their true groups, kinds, names, versions,
// columns and contract labels. CAPA's EKS and ROSA kinds are left out: Petra uses none of them.

import { age, type Definition, text, whole } from './custom-resource.ts';

const labelledCluster = text('Cluster', String.raw`.metadata.labels.cluster\.x-k8s\.io/cluster-name`);

const k3sContract = { v1beta1: 'v1beta1_v1beta2' };

export const k3sBootstrapDefinitions: readonly Definition[] = [
  { kind: 'KThreesConfig', plural: 'kthreesconfigs', subresources: 'status' as const },
  { kind: 'KThreesConfigTemplate', plural: 'kthreesconfigtemplates', subresources: 'none' as const },
].map((definition) => ({
  ...definition,
  group: 'bootstrap.cluster.x-k8s.io',
  versions: ['v1beta1', 'v1beta2'],
  categories: [],
  contract: k3sContract,
}));

export const k3sControlPlaneDefinitions: readonly Definition[] = [
  {
    group: 'controlplane.cluster.x-k8s.io',
    kind: 'KThreesControlPlane',
    plural: 'kthreescontrolplanes',
    versions: ['v1beta1', 'v1beta2'],
    categories: [],
    contract: k3sContract,
    subresources: 'status and scale',
    columns: [
      { name: 'Initialized', jsonPath: '.status.initialized', type: 'boolean' },
      { name: 'API Server Available', jsonPath: '.status.ready', type: 'boolean' },
      text('Version', '.spec.version'),
      whole('Replicas', '.status.replicas'),
      whole('Ready', '.status.readyReplicas'),
      whole('Updated', '.status.updatedReplicas'),
      whole('Unavailable', '.status.unavailableReplicas'),
    ],
  },
  {
    // The template is served at v1beta2 only, and carries the label of both all the same.
    group: 'controlplane.cluster.x-k8s.io',
    kind: 'KThreesControlPlaneTemplate',
    plural: 'kthreescontrolplanetemplates',
    versions: ['v1beta2'],
    categories: [],
    contract: k3sContract,
  },
];

export const awsDefinitions: readonly Definition[] = [
  {
    kind: 'AWSCluster',
    plural: 'awsclusters',
    shortNames: ['awsc'],
    columns: [
      labelledCluster,
      text('Ready', '.status.ready'),
      text('VPC', '.spec.network.vpc.id'),
      text('Endpoint', '.spec.controlPlaneEndpoint', 1),
      text('Bastion IP', '.status.bastion.publicIp'),
    ],
  },
  {
    kind: 'AWSClusterTemplate',
    plural: 'awsclustertemplates',
    shortNames: ['awsct'],
    subresources: 'none' as const,
    columns: [age],
  },
  {
    kind: 'AWSMachine',
    plural: 'awsmachines',
    shortNames: ['awsm'],
    columns: [
      labelledCluster,
      text('State', '.status.instanceState'),
      text('Ready', '.status.ready'),
      text('InstanceID', '.spec.providerID'),
      text('Machine', '.metadata.ownerReferences[?(@.kind=="Machine")].name'),
    ],
  },
  {
    kind: 'AWSMachineTemplate',
    plural: 'awsmachinetemplates',
    shortNames: ['awsmt'],
    subresources: 'none' as const,
  },
  {
    kind: 'AWSMachinePool',
    plural: 'awsmachinepools',
    shortNames: ['awsmp'],
    columns: [
      text('Ready', '.status.ready'),
      whole('Replicas', '.status.replicas'),
      whole('MinSize', '.spec.minSize'),
      whole('MaxSize', '.spec.maxSize'),
    ],
  },
  ...[
    { kind: 'AWSClusterControllerIdentity', plural: 'awsclustercontrolleridentities', shortNames: ['awsci'] },
    { kind: 'AWSClusterRoleIdentity', plural: 'awsclusterroleidentities', shortNames: ['awsri'] },
    { kind: 'AWSClusterStaticIdentity', plural: 'awsclusterstaticidentities', shortNames: ['awssi'] },
  ].map((identity) => ({ ...identity, scope: 'Cluster' as const, subresources: 'none' as const })),
].map((definition) => ({
  ...definition,
  group: 'infrastructure.cluster.x-k8s.io',
  versions: ['v1beta2'],
  contract: { v1alpha3: 'v1alpha3', v1alpha4: 'v1alpha4', v1beta1: 'v1beta1_v1beta2' },
}));
