// What may follow from a change of a spec, and nothing else: for each, the fields of a cluster's objects that change
// and the machines that are replaced.

import { renderClusterClass } from '../../core/capi/render-cluster-class.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { workloadSpec } from './generated-specs.ts';
import type { Stage } from './planned-cluster.ts';

export interface SpecChange {
  readonly name: string;
  readonly spec: ClusterSpec;
  readonly uid?: string;
  /** Another ClusterClass than Petra's. */
  readonly clusterClass?: readonly KubernetesObject[];
  readonly stages: readonly Stage[];
}

/** From which each change starts. */
export const unchanged = workloadSpec({});

const large = 'm5a.large';

function nodes({ servers = 1, serverType = large, workers = 2, workerType = large } = {}) {
  return {
    controlPlane: { count: servers, instanceType: serverType },
    workers: { count: workers, instanceType: workerType },
  };
}

const newServerType: Stage = {
  changes: [
    'AWSMachineTemplate: created',
    'AWSMachineTemplate: deleted',
    'KThreesControlPlane: spec.machineTemplate.infrastructureRef.name',
  ],
  rollouts: ['control plane'],
};
const newWorkerType: Stage = {
  changes: ['AWSMachineTemplate: created', 'MachineDeployment: spec.template.spec.infrastructureRef.name'],
  rollouts: ['workers'],
};

export const specChanges: readonly SpecChange[] = [
  { name: 'nothing', spec: unchanged, stages: [] },
  {
    name: 'the number of workers',
    spec: workloadSpec({ nodes: nodes({ workers: 5 }) }),
    stages: [{ changes: ['MachineDeployment: spec.replicas'], rollouts: [] }],
  },
  {
    name: 'the number of workers to none',
    spec: workloadSpec({ nodes: nodes({ workers: 0 }) }),
    stages: [{ changes: ['MachineDeployment: spec.replicas'], rollouts: [] }],
  },
  {
    // The default of zones follows the number of servers.
    name: 'the number of servers',
    spec: workloadSpec({ nodes: nodes({ servers: 3 }) }),
    stages: [
      {
        changes: [
          'AWSCluster: spec.network.vpc.availabilityZoneUsageLimit',
          'KThreesControlPlane: spec.replicas',
        ],
        rollouts: [],
      },
    ],
  },
  {
    name: 'the number of zones',
    spec: workloadSpec({ network: { availabilityZones: 2 } }),
    stages: [{ changes: ['AWSCluster: spec.network.vpc.availabilityZoneUsageLimit'], rollouts: [] }],
  },
  {
    name: "the servers' instance type",
    spec: workloadSpec({ nodes: nodes({ serverType: 'm5a.xlarge' }) }),
    stages: [newServerType],
  },
  {
    name: "the servers' architecture",
    spec: workloadSpec({ nodes: nodes({ serverType: 'm7g.large' }) }),
    stages: [newServerType],
  },
  {
    name: "the workers' instance type",
    spec: workloadSpec({ nodes: nodes({ workerType: 'm5a.xlarge' }) }),
    stages: [newWorkerType],
  },
  {
    name: "the workers' architecture",
    spec: workloadSpec({ nodes: nodes({ workerType: 'c7gn.xlarge' }) }),
    stages: [newWorkerType],
  },
  {
    name: 'the version of Kubernetes',
    spec: workloadSpec({ version: 'v1.35.4+k3s1' }),
    stages: [
      { changes: ['KThreesControlPlane: spec.version'], rollouts: ['control plane'] },
      { changes: ['MachineDeployment: spec.template.spec.version'], rollouts: ['workers'] },
    ],
  },
  {
    name: 'cilium to flannel',
    spec: workloadSpec({ addons: { cilium: { enabled: false } } }),
    stages: [
      {
        changes: [
          'AWSCluster: spec.network.cni.cniIngressRules',
          'KThreesControlPlane: spec.kthreesConfigSpec.files',
        ],
        rollouts: ['control plane'],
      },
    ],
  },
  {
    name: 'flux to none',
    spec: workloadSpec({ addons: { flux: { enabled: false } } }),
    stages: [{ changes: ['KThreesControlPlane: spec.kthreesConfigSpec.files'], rollouts: ['control plane'] }],
  },
  { name: 'deletion protection', spec: workloadSpec({ deletionProtection: true }), stages: [] },
  {
    name: 'the uid in the fleet',
    spec: unchanged,
    uid: '00000000-0000-4000-8000-000000000000',
    stages: [{ changes: ['AWSCluster: spec.additionalTags.petra.sh/uid'], rollouts: [] }],
  },
  {
    name: 'the region, which CAPA then refuses',
    spec: workloadSpec({ region: 'us-east-2' }),
    stages: [{ changes: ['AWSCluster: spec.region'], rollouts: [] }],
  },
  {
    name: "the ClusterClass, in the workers' disk",
    spec: unchanged,
    clusterClass: withTemplate('petra-worker', { rootVolume: { size: 80, type: 'gp3', encrypted: true } }),
    stages: [newWorkerType],
  },
  {
    name: 'the ClusterClass, in the names of its templates alone',
    spec: unchanged,
    clusterClass: withTemplate('petra-worker', {}),
    stages: [],
  },
];

/** Petra's ClusterClass with another content of one AWSMachineTemplate, under another name as Petra would give it. */
function withTemplate(
  prefix: string,
  change: Readonly<Record<string, unknown>>,
): readonly KubernetesObject[] {
  const objects = renderClusterClass();
  const old = objects.find(
    ({ kind, metadata }) => kind === 'AWSMachineTemplate' && metadata.name.startsWith(prefix),
  );
  if (!old) throw new Error(`no AWSMachineTemplate ${prefix}`);
  const text = JSON.stringify(objects).replaceAll(`"${old.metadata.name}"`, `"${prefix}-changed"`);
  const renamed: readonly KubernetesObject[] = JSON.parse(text);
  return renamed.map((object) =>
    object.metadata.name === `${prefix}-changed`
      ? {
          ...object,
          spec: { template: { spec: { ...recordAt(object, 'spec', 'template', 'spec'), ...change } } },
        }
      : object,
  );
}
