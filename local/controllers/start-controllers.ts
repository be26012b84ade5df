// The controllers that a management cluster runs, in this process, against its simulated API.

import type { ObjectStore } from '../kubernetes/object-store.ts';
import type { Pace } from '../pace.ts';
import { admission } from './admission.ts';
import { awsClusterController } from './aws-cluster.ts';
import { awsMachineController } from './aws-machine.ts';
import { certManagerControllers } from './cert-manager.ts';
import { clusterClassController } from './cluster-class.ts';
import { clusterTopologyController } from './cluster-topology.ts';
import { clusterController } from './clusters.ts';
import { controlPlaneController } from './control-planes.ts';
import { type RunningControllers, runControllers } from './controller.ts';
import { daemonSetController, deploymentController } from './deployments.ts';
import type { ActiveFaults, CloudInventory, Environment, Workloads } from './environment.ts';
import { k3sConfigController } from './k3s-config.ts';
import { kinds } from './kinds.ts';
import { ofCluster } from './lookups.ts';
import { machineBootController } from './machine-boot.ts';
import { machineDeploymentController, machineSetController } from './machine-sets.ts';
import { machineController } from './machines.ts';
import { endpointSliceController } from './services.ts';
import { WorkloadClusters } from './workload-clusters.ts';

/** Starts them all, and the admission webhooks. What a killed process left unfinished goes on. */
export function startControllers(parts: {
  readonly store: ObjectStore;
  /** The management cluster. */
  readonly cluster: { readonly id: string; readonly name: string; readonly region: string };
  readonly pace: Pace;
  readonly workloads: Workloads;
  readonly cloud: CloudInventory;
  readonly faults: ActiveFaults;
  /** Takes what went wrong more than once, one line each. */
  readonly log: (line: string) => void;
}): { stop(): Promise<void> } {
  const { store, pace, faults, log } = parts;
  let running: RunningControllers | undefined;
  const workloads = new WorkloadClusters({
    workloads: parts.workloads,
    pace,
    log,
    onChange: (cluster) => {
      for (const kind of [kinds.machine, kinds.controlPlane]) {
        for (const { metadata } of ofCluster(store, kind, cluster)) running?.wake(kind, metadata);
      }
    },
  });
  const environment: Environment = { ...parts, workloads };
  store.admit = admission(store, faults);
  running = runControllers(
    store,
    [
      deploymentController(environment),
      daemonSetController(environment),
      endpointSliceController(store),
      ...certManagerControllers(environment),
      clusterClassController(environment),
      clusterTopologyController(environment),
      clusterController(environment),
      machineDeploymentController(environment),
      machineSetController(environment),
      machineController(environment),
      k3sConfigController(environment),
      controlPlaneController(environment),
      awsClusterController(environment),
      awsMachineController(environment),
      machineBootController(environment),
    ],
    log,
  );
  return {
    stop: async () => {
      await running.stop();
      await workloads.stop();
      store.admit = undefined;
    },
  };
}
