// Every state of every state machine that does work: its step, and how people read it. Both composition roots and
// the display of progress start from here; a test holds it to the state machines.

import type { PlannedStep } from '../api/contract.ts';
import type { Verb } from '../fleet.ts';
import * as create from './create.ts';
import * as remove from './delete.ts';
import * as destroy from './destroy.ts';
import { diagnoseMachines } from './diagnose.ts';
import * as machines from './init-machines.ts';
import * as preflight from './init-preflight.ts';
import * as providers from './init-providers.ts';
import { checkResidue, recordRemoved } from './residue.ts';
import type { Step } from './run-step.ts';

/** Steps by verb and state, in the order in which a successful operation goes through them. */
export const steps: Readonly<Record<Verb, Readonly<Record<string, Step>>>> = {
  init: {
    Preflight: {
      title: 'check versions, instance types and region',
      phase: 'prepare',
      run: preflight.preflight,
    },
    ReserveAddresses: { title: 'reserve addresses', phase: 'prepare', run: machines.reserveAddresses },
    FetchComponents: { title: 'fetch the components', phase: 'prepare', run: preflight.fetchComponents },
    MakeSecrets: { title: 'make the secrets', phase: 'prepare', run: machines.makeSecrets },
    LaunchServers: { title: 'launch the control plane', phase: 'machines', run: machines.launchServers },
    CheckServers: { title: 'wait for the control plane', phase: 'machines', run: machines.checkServers },
    CheckApi: { title: 'wait for the Kubernetes API', phase: 'machines', run: machines.checkApi },
    LaunchWorkers: { title: 'launch the workers', phase: 'machines', run: machines.launchWorkers },
    CheckInstances: { title: 'wait for the machines', phase: 'machines', run: machines.checkInstances },
    CheckNodes: { title: 'wait for the nodes', phase: 'machines', run: machines.checkNodes },
    InstallCertManager: {
      title: 'install cert-manager',
      phase: 'cert-manager',
      run: providers.installCertManager,
    },
    CheckCertManager: {
      title: 'wait for cert-manager',
      phase: 'cert-manager',
      run: providers.checkCertManager,
    },
    SelectProvider: { title: 'choose the next provider', phase: 'providers', run: providers.selectProvider },
    InstallProvider: { title: 'install the provider', phase: 'providers', run: providers.installProvider },
    StartProvider: { title: 'wait for the provider', phase: 'providers', run: providers.startProvider },
    RecordProvider: { title: 'record the provider', phase: 'providers', run: providers.recordProvider },
    ApplyClusterClass: {
      title: 'apply the ClusterClass',
      phase: 'ClusterClass',
      run: providers.applyClusterClass,
    },
    CheckWebhooks: { title: 'try a Cluster by dry run', phase: 'ClusterClass', run: providers.checkWebhooks },
    RecordReady: { title: 'record that it is ready', phase: 'finish', final: true, run: create.recordReady },
    DiagnoseMachines: {
      title: 'ask the machines what happened',
      phase: 'machines',
      diagnoses: true,
      run: diagnoseMachines,
    },
  },
  create: {
    Preflight: {
      title: 'check names, types and management cluster',
      phase: 'prepare',
      run: create.preflight,
    },
    ApplyCluster: { title: 'apply the Cluster', phase: 'provision', run: create.applyCluster },
    CheckCluster: { title: 'wait for the cluster', phase: 'provision', run: create.checkCluster },
    StoreKubeconfig: { title: 'store the kubeconfig', phase: 'finish', run: create.storeKubeconfig },
    RecordReady: { title: 'record that it is ready', phase: 'finish', final: true, run: create.recordReady },
  },
  delete: {
    DeleteCluster: { title: 'delete the Cluster', phase: 'delete', run: remove.deleteCluster },
    CheckDeleted: { title: 'wait for its removal', phase: 'delete', run: remove.checkDeleted },
    RemoveSecrets: { title: 'remove the secrets', phase: 'clean up', run: remove.removeSecrets },
    CheckResidue: { title: 'look for what is left', phase: 'clean up', run: checkResidue },
    RecordRemoved: { title: 'record that it is gone', phase: 'clean up', final: true, run: recordRemoved },
  },
  destroy: {
    CheckServers: { title: 'look for running servers', phase: 'workloads', run: destroy.checkServers },
    CheckWorkloads: { title: 'look for workload clusters', phase: 'workloads', run: destroy.checkWorkloads },
    DeleteWorkloads: {
      title: 'delete the workload clusters',
      phase: 'workloads',
      run: destroy.deleteWorkloads,
    },
    CheckWorkloadsDeleted: {
      title: 'wait for their removal',
      phase: 'workloads',
      run: destroy.checkWorkloadsDeleted,
    },
    CheckLateClusters: {
      title: 'look once more for clusters',
      phase: 'workloads',
      run: destroy.checkLateClusters,
    },
    TerminateMachines: { title: 'terminate the machines', phase: 'machines', run: destroy.terminateMachines },
    CheckMachines: { title: 'wait for the machines', phase: 'machines', run: destroy.checkMachines },
    ReleaseAddresses: { title: 'release the addresses', phase: 'machines', run: destroy.releaseAddresses },
    RemoveSecrets: { title: 'remove the secrets', phase: 'clean up', run: remove.removeSecrets },
    CheckResidue: { title: 'look for what is left', phase: 'clean up', run: checkResidue },
    RecordRemoved: { title: 'record that it is gone', phase: 'clean up', final: true, run: recordRemoved },
  },
};

/** Steps that only happen when a destroy cascades. */
const cascading = new Set(['DeleteWorkloads', 'CheckWorkloadsDeleted']);

/** What an operation will go through when all goes well. */
export function plannedSteps(verb: Verb, options: { readonly cascade?: boolean }): readonly PlannedStep[] {
  return Object.entries(steps[verb])
    .filter(([name, step]) => !step.diagnoses && (options.cascade === true || !cascading.has(name)))
    .map(([name, { title, phase }]) => ({ name, title, phase }));
}
