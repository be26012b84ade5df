// How people read the steps of an operation. Apart from the steps themselves, so that who only tells of them does not
// carry what they do.

import type { PlannedStep } from '../api/contract.ts';
import type { Verb } from '../fleet.ts';

/** How a person reads one Task state. */
export interface StepTitle {
  /** For example `launch the control plane`. */
  readonly title: string;
  /** Groups steps in a display of progress. */
  readonly phase: string;
  /** Ends the operation: gives the lock back. */
  readonly final?: boolean;
  /** Only gone through after a failure, to find out more about it. */
  readonly diagnoses?: boolean;
}

/** By verb and state, in the order in which a successful operation goes through them. */
export const stepTitles = {
  init: {
    Preflight: { title: 'check releases, instance types and quotas', phase: 'prepare' },
    ReserveAddresses: { title: 'reserve addresses', phase: 'prepare' },
    FetchComponents: { title: 'fetch the components', phase: 'prepare' },
    MakeSecrets: { title: 'make the secrets', phase: 'prepare' },
    LaunchServers: { title: 'launch the control plane', phase: 'machines' },
    CheckServers: { title: 'wait for the control plane', phase: 'machines' },
    CheckApi: { title: 'wait for the Kubernetes API', phase: 'machines' },
    LaunchWorkers: { title: 'launch the workers', phase: 'machines' },
    CheckInstances: { title: 'wait for the machines', phase: 'machines' },
    CheckNodes: { title: 'wait for the nodes', phase: 'machines' },
    InstallComponents: { title: 'install cert-manager and the providers', phase: 'providers' },
    CheckCertManager: { title: 'wait for cert-manager', phase: 'providers' },
    StartProviders: { title: 'wait for the providers', phase: 'providers' },
    RecordProviders: { title: 'record the providers', phase: 'providers' },
    ApplyClusterClass: { title: 'apply the ClusterClass', phase: 'ClusterClass' },
    CheckWebhooks: { title: 'try a Cluster by dry run', phase: 'ClusterClass' },
    RecordReady: { title: 'record that it is ready', phase: 'finish', final: true },
    DiagnoseMachines: { title: 'ask the machines what happened', phase: 'machines', diagnoses: true },
  },
  create: {
    Preflight: { title: 'check the name, types and quotas', phase: 'prepare' },
    ApplyCluster: { title: 'apply the Cluster', phase: 'provision' },
    CheckCluster: { title: 'wait for the cluster', phase: 'provision' },
    StoreKubeconfig: { title: 'store the kubeconfig', phase: 'finish' },
    RecordReady: { title: 'record that it is ready', phase: 'finish', final: true },
  },
  delete: {
    DeleteCluster: { title: 'delete the Cluster', phase: 'delete' },
    CheckDeleted: { title: 'wait for its removal', phase: 'delete' },
    RemoveSecrets: { title: 'remove the secrets', phase: 'clean up' },
    CheckResidue: { title: 'look for what is left', phase: 'clean up' },
    RecordRemoved: { title: 'record that it is gone', phase: 'clean up', final: true },
  },
  destroy: {
    CheckServers: { title: 'look for running servers', phase: 'workloads' },
    CheckWorkloads: { title: 'look for workload clusters', phase: 'workloads' },
    DeleteWorkloads: { title: 'delete the workload clusters', phase: 'workloads' },
    CheckWorkloadsDeleted: { title: 'wait for their removal', phase: 'workloads' },
    CheckLateClusters: { title: 'look once more for clusters', phase: 'workloads' },
    TerminateMachines: { title: 'terminate the machines', phase: 'machines' },
    CheckMachines: { title: 'wait for the machines', phase: 'machines' },
    ReleaseAddresses: { title: 'release the addresses', phase: 'machines' },
    RemoveSecrets: { title: 'remove the secrets', phase: 'clean up' },
    CheckResidue: { title: 'look for what is left', phase: 'clean up' },
    RecordRemoved: { title: 'record that it is gone', phase: 'clean up', final: true },
  },
} as const satisfies Readonly<Record<Verb, Readonly<Record<string, StepTitle>>>>;

/** Steps that only happen when a destroy cascades. */
const cascading = new Set(['DeleteWorkloads', 'CheckWorkloadsDeleted']);

/** What an operation will go through when all goes well. */
export function plannedSteps(verb: Verb, options: { readonly cascade?: boolean }): readonly PlannedStep[] {
  const titles: Readonly<Record<string, StepTitle>> = stepTitles[verb];
  return Object.entries(titles)
    .filter(([name, step]) => !step.diagnoses && (options.cascade === true || !cascading.has(name)))
    .map(([name, { title, phase }]) => ({ name, title, phase }));
}
