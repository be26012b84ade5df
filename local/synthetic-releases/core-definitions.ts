// Cluster API's custom resources with their true groups, kinds, names, versions and columns (config/crd/bases of v1.9.5,
// v1.11.3 and v1.14.2). Columns read the v1beta1 places in every version, because the simulated controllers write those.

import { age, type Definition, text, whole } from './custom-resource.ts';

const cluster = text('Cluster', '.spec.clusterName');
const phase = text('Phase', '.status.phase');

/** `v<major>.<minor>`. */
export interface Line {
  readonly major: number;
  readonly minor: number;
}

/** Cluster API from 1.11 on: it stores v1beta2, still serves v1beta1, and v1beta2 is its contract. */
export function storesV1beta2({ major, minor }: Line): boolean {
  return major > 1 || (major === 1 && minor >= 11);
}

/** Cluster API's own custom resources. */
export function coreDefinitions(line: Line): readonly Definition[] {
  const isLater = storesV1beta2(line);
  const versions = isLater ? ['v1beta1', 'v1beta2'] : ['v1beta1'];
  const core = { group: 'cluster.x-k8s.io', versions };
  const addons = { group: 'addons.cluster.x-k8s.io', versions, columns: [age] };
  const ipam = { group: 'ipam.cluster.x-k8s.io', versions: ['v1alpha1', ...versions] };
  const pool = [text('Pool Name', '.spec.poolRef.name'), text('Pool Kind', '.spec.poolRef.kind'), age];
  const desired = whole('Desired', '.spec.replicas', 10);
  const replicas = whole('Replicas', '.status.replicas');
  const templateVersion = text('Version', '.spec.template.spec.version');
  return [
    { ...core, kind: 'ClusterClass', plural: 'clusterclasses', shortNames: ['cc'], columns: [age] },
    {
      ...core,
      kind: 'Cluster',
      plural: 'clusters',
      shortNames: ['cl'],
      columns: [
        text('ClusterClass', '.spec.topology.class'),
        phase,
        age,
        text('Version', '.spec.topology.version'),
      ],
    },
    {
      ...core,
      kind: 'MachineDeployment',
      plural: 'machinedeployments',
      shortNames: ['md'],
      subresources: 'status and scale',
      columns: [
        cluster,
        desired,
        replicas,
        whole('Ready', '.status.readyReplicas'),
        whole('Updated', '.status.updatedReplicas'),
        whole('Unavailable', '.status.unavailableReplicas'),
        phase,
        age,
        templateVersion,
      ],
    },
    {
      ...core,
      kind: 'MachineSet',
      plural: 'machinesets',
      shortNames: ['ms'],
      subresources: 'status and scale',
      columns: [
        cluster,
        desired,
        replicas,
        whole('Ready', '.status.readyReplicas'),
        whole('Available', '.status.availableReplicas'),
        age,
        templateVersion,
      ],
    },
    {
      ...core,
      kind: 'Machine',
      plural: 'machines',
      shortNames: ['ma'],
      columns: [
        cluster,
        text('NodeName', '.status.nodeRef.name'),
        text('ProviderID', '.spec.providerID'),
        phase,
        age,
        text('Version', '.spec.version'),
      ],
    },
    {
      ...core,
      kind: 'MachinePool',
      plural: 'machinepools',
      shortNames: ['mp'],
      subresources: 'status and scale',
      columns: [cluster, desired, replicas, phase, age, templateVersion],
    },
    {
      ...core,
      kind: 'MachineHealthCheck',
      plural: 'machinehealthchecks',
      shortNames: ['mhc', 'mhcs'],
      columns: [
        cluster,
        whole('ExpectedMachines', '.status.expectedMachines'),
        text('MaxUnhealthy', '.spec.maxUnhealthy'),
        whole('CurrentHealthy', '.status.currentHealthy'),
        age,
      ],
    },
    {
      ...core,
      kind: 'MachineDrainRule',
      plural: 'machinedrainrules',
      subresources: 'none',
      columns: [text('Behavior', '.spec.drain.behavior'), text('Order', '.spec.drain.order'), age],
    },
    { ...addons, kind: 'ClusterResourceSet', plural: 'clusterresourcesets' },
    { ...addons, kind: 'ClusterResourceSetBinding', plural: 'clusterresourcesetbindings' },
    { ...ipam, kind: 'IPAddressClaim', plural: 'ipaddressclaims', columns: pool },
    {
      ...ipam,
      kind: 'IPAddress',
      plural: 'ipaddresses',
      subresources: 'none',
      columns: [text('Address', '.spec.address'), ...pool],
    },
    {
      group: 'runtime.cluster.x-k8s.io',
      versions: isLater ? ['v1alpha1', 'v1beta2'] : ['v1alpha1'],
      kind: 'ExtensionConfig',
      plural: 'extensionconfigs',
      shortNames: ['ext'],
      scope: 'Cluster',
      columns: [age],
    },
  ];
}
