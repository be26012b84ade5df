// Where the simulated controllers are meant to differ from the real ones that were recorded, and why.

import type { TraceDifference } from '../conformance/trace-compare.ts';

export interface MeantDifference {
  readonly why: string;
  /** Chance decides whether it is there. */
  readonly sometimes?: true;
  readonly covers: (difference: TraceDifference) => boolean;
}

/** Moments that real controllers reach in another order, by what comes later and what comes earlier. */
function order(later: RegExp, earlier: RegExp): MeantDifference['covers'] {
  return ({ object, facet, expected }) => object === 'order' && later.test(facet) && earlier.test(expected);
}

export const meantDifferences: readonly MeantDifference[] = [
  {
    why: 'a Secret stands in as owner while the topology controller makes the Cluster’s first objects',
    covers: ({ object, facet }) => /^(AWSCluster|KThreesControlPlane)$/.test(object) && facet === 'owners',
  },
  {
    why: 'the ConfigMap by which the bootstrap provider lets one first server begin is not simulated',
    covers: ({ object }) => object === 'ConfigMap',
  },
  {
    why: 'MachineHealthChecks are not simulated',
    covers: ({ facet }) => facet === 'condition HealthCheckSucceeded',
  },
  {
    why: 'the real provider asks the etcd of its last server once more when that is going, the simulated one does not',
    covers: ({ facet, expected, found }) =>
      /^condition Etcd(ClusterHealthyCondition|MemberHealthy)$/.test(facet) &&
      expected.startsWith(`${found} → Unknown`) &&
      expected.endsWith('InspectionFailed'),
  },
  {
    why: 'the simulated controllers look at every change of a Machine, the real ones may skip some',
    sometimes: true,
    covers: ({ facet }) => facet === 'condition MachinesReady',
  },
  {
    why: 'the simulated Cluster may not hear of the moment between a VPC and its NAT gateways',
    sometimes: true,
    covers: ({ object, facet }) => object === 'Cluster' && facet === 'condition InfrastructureReady',
  },
  {
    why: 'the kubeconfig names an API that a simulated cluster has only when its first server runs',
    covers: order(/./, /"Secret kubeconfig: appears"/),
  },
  {
    why: 'the recorded Nodes are Ready as soon as they register, the simulated ones a moment later',
    sometimes: true,
    covers: order(/^Cluster: ControlPlaneInitialized=True$/, /"KThreesControlPlane: ready"/),
  },
  {
    why: 'one reconciliation stores conditions, then the spec, then the status; a simulated one may store the spec first',
    covers: ({ object, facet, expected }) =>
      object === 'order' && expected.startsWith(`after "${facet.slice(0, facet.indexOf(': '))}: `),
  },
  {
    why: 'two controllers see the same change, and either may be faster',
    sometimes: true,
    covers: ({ object, facet, expected }) =>
      object === 'order' &&
      [
        ['AWSCluster: has its finalizer', 'AWSMachineTemplate of workers: appears'],
        ['AWSCluster: appears', 'Cluster: has its finalizer'],
        ['AWSMachine of a server: has its finalizer', 'Machine of a server: is Provisioning'],
        ['AWSMachine of a new worker: has its finalizer', 'Machine of a new worker: is Provisioning'],
        ['KThreesConfig of a server: ready', 'Machine of a server: is Pending'],
      ].some(([later, earlier]) => facet === later && expected === `after "${earlier}"`),
  },
  {
    why: 'what nobody owns any more goes when the garbage collector comes by',
    sometimes: true,
    covers: order(/: gone$/, /"Secret of .*: gone"/),
  },
];
