// What the simulated controllers of a management cluster need from outside.

import type { ObjectStore } from '../kubernetes/object-store.ts';
import type { Pace } from '../pace.ts';
import type { WorkloadClusters } from './workload-clusters.ts';

/** The APIs of workload clusters. */
export interface Workloads {
  /** The cluster's API, made when it does not exist. Safe to repeat. */
  ensure(
    id: string,
    cluster: { readonly name: string; readonly version: string },
  ): Promise<{ readonly store: ObjectStore; readonly kubeconfig: string }>;
  /** Ends the cluster's API; one already gone is success. */
  remove(id: string): Promise<void>;
}

/** What exists on the simulated AWS, so that it can be found by its tags. */
export interface CloudInventory {
  /** Adds a resource, or replaces its tags. Types as the tagging API prints them: `ec2:vpc`, `ec2:instance` … */
  add(region: string, type: string, id: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Removes a resource; one already gone is success. */
  remove(region: string, id: string): Promise<void>;
}

/**
 * Faults that were asked for. Targets of these controllers:
 * `provider:<Deployment or provider label>` its Pods crash, so that it never becomes available;
 * `webhook:<kind>` the admission webhook refuses objects of the kind;
 * `cluster:infrastructure` the VPC of an AWSCluster cannot be made;
 * `machine:capacity` EC2 has no capacity for a machine;
 * `cluster:failed` a control plane reports a terminal failure;
 * `cluster:stuck-deleting` the VPC of a deleted AWSCluster cannot be removed.
 */
export interface ActiveFaults {
  /** Text that came with the fault, possibly empty; undefined when it was not asked for. */
  active(target: string): string | undefined;
}

export interface Environment {
  readonly store: ObjectStore;
  /** The management cluster. */
  readonly cluster: { readonly id: string; readonly name: string; readonly region: string };
  readonly pace: Pace;
  readonly workloads: WorkloadClusters;
  readonly cloud: CloudInventory;
  readonly faults: ActiveFaults;
  readonly log: (line: string) => void;
}
