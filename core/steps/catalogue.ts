// Every state of every state machine that does work: its step, and how people read it. Both composition roots and
// the display of progress start from here; a test holds it to the state machines.

import type { Verb } from '../fleet.ts';
import * as create from './create.ts';
import * as remove from './delete.ts';
import * as destroy from './destroy.ts';
import { diagnoseMachines } from './diagnose.ts';
import * as clusterClass from './init-class.ts';
import * as machines from './init-machines.ts';
import * as preflight from './init-preflight.ts';
import * as providers from './init-providers.ts';
import { checkResidue, recordRemoved } from './residue.ts';
import type { Step } from './run-step.ts';
import { stepTitles } from './step-titles.ts';

/** Steps by verb and state, in the order in which a successful operation goes through them. */
export const steps: Readonly<Record<Verb, Readonly<Record<string, Step>>>> = {
  init: {
    Preflight: { ...stepTitles.init.Preflight, run: preflight.preflight },
    ReserveAddresses: { ...stepTitles.init.ReserveAddresses, run: machines.reserveAddresses },
    FetchComponents: { ...stepTitles.init.FetchComponents, run: preflight.fetchComponents },
    MakeSecrets: { ...stepTitles.init.MakeSecrets, run: machines.makeSecrets },
    LaunchServers: { ...stepTitles.init.LaunchServers, run: machines.launchServers },
    CheckServers: { ...stepTitles.init.CheckServers, run: machines.checkServers },
    CheckApi: { ...stepTitles.init.CheckApi, run: machines.checkApi },
    LaunchWorkers: { ...stepTitles.init.LaunchWorkers, run: machines.launchWorkers },
    CheckInstances: { ...stepTitles.init.CheckInstances, run: machines.checkInstances },
    CheckNodes: { ...stepTitles.init.CheckNodes, run: machines.checkNodes },
    InstallComponents: { ...stepTitles.init.InstallComponents, run: providers.installComponents },
    CheckCertManager: { ...stepTitles.init.CheckCertManager, run: providers.checkCertManager },
    StartProviders: { ...stepTitles.init.StartProviders, run: providers.startProviders },
    RecordProviders: { ...stepTitles.init.RecordProviders, run: providers.recordProviders },
    ApplyClusterClass: { ...stepTitles.init.ApplyClusterClass, run: clusterClass.applyClusterClass },
    CheckWebhooks: { ...stepTitles.init.CheckWebhooks, run: clusterClass.checkWebhooks },
    RecordReady: { ...stepTitles.init.RecordReady, run: create.recordReady },
    DiagnoseMachines: { ...stepTitles.init.DiagnoseMachines, run: diagnoseMachines },
  },
  create: {
    Preflight: { ...stepTitles.create.Preflight, run: create.preflight },
    ApplyCluster: { ...stepTitles.create.ApplyCluster, run: create.applyCluster },
    CheckCluster: { ...stepTitles.create.CheckCluster, run: create.checkCluster },
    StoreKubeconfig: { ...stepTitles.create.StoreKubeconfig, run: create.storeKubeconfig },
    RecordReady: { ...stepTitles.create.RecordReady, run: create.recordReady },
  },
  delete: {
    DeleteCluster: { ...stepTitles.delete.DeleteCluster, run: remove.deleteCluster },
    CheckDeleted: { ...stepTitles.delete.CheckDeleted, run: remove.checkDeleted },
    RemoveSecrets: { ...stepTitles.delete.RemoveSecrets, run: remove.removeSecrets },
    CheckResidue: { ...stepTitles.delete.CheckResidue, run: checkResidue },
    RecordRemoved: { ...stepTitles.delete.RecordRemoved, run: recordRemoved },
  },
  destroy: {
    CheckServers: { ...stepTitles.destroy.CheckServers, run: destroy.checkServers },
    CheckWorkloads: { ...stepTitles.destroy.CheckWorkloads, run: destroy.checkWorkloads },
    DeleteWorkloads: { ...stepTitles.destroy.DeleteWorkloads, run: destroy.deleteWorkloads },
    CheckWorkloadsDeleted: {
      ...stepTitles.destroy.CheckWorkloadsDeleted,
      run: destroy.checkWorkloadsDeleted,
    },
    CheckLateClusters: { ...stepTitles.destroy.CheckLateClusters, run: destroy.checkLateClusters },
    TerminateMachines: { ...stepTitles.destroy.TerminateMachines, run: destroy.terminateMachines },
    CheckMachines: { ...stepTitles.destroy.CheckMachines, run: destroy.checkMachines },
    ReleaseAddresses: { ...stepTitles.destroy.ReleaseAddresses, run: destroy.releaseAddresses },
    RemoveSecrets: { ...stepTitles.destroy.RemoveSecrets, run: remove.removeSecrets },
    CheckResidue: { ...stepTitles.destroy.CheckResidue, run: checkResidue },
    RecordRemoved: { ...stepTitles.destroy.RecordRemoved, run: recordRemoved },
  },
};
