// A cluster that only plans have made: how it is after creation, and what a change of its spec would do to it.

import path from 'node:path';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { translateCluster } from '../../core/capi/translate-cluster.ts';
import { recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { carriedOut, changesOf, rolloutsOf } from './rollouts.ts';
import { planTopology, type TopologyPlan } from './topology-plan.ts';

/** A Cluster as its user wants it, and the ClusterClass with its templates. */
export interface WantedCluster {
  readonly cluster: KubernetesObject;
  readonly clusterClass: readonly KubernetesObject[];
}

export function wantedCluster(
  spec: ClusterSpec,
  clusterClass: readonly KubernetesObject[],
  uid?: string,
): WantedCluster {
  return { cluster: translateCluster({ spec, ...(uid !== undefined && { uid }) }), clusterClass };
}

/** One time that the topology controller does something, until all machines run again. */
export interface Stage {
  readonly changes: readonly string[];
  readonly rollouts: readonly string[];
}

/** More would mean that the topology never comes to rest. */
const mostStages = 4;

export class PlannedCluster {
  readonly #tool: { readonly clusterctl: string; readonly folder: string };
  #live: readonly KubernetesObject[] = [];
  #plans = 0;

  /** Each plan's files stay in a folder of their own in `folder`. */
  constructor(tool: { readonly clusterctl: string; readonly folder: string }) {
    this.#tool = tool;
  }

  /** What making the cluster makes, carried out. @throws PlanRefused */
  async create(wanted: WantedCluster): Promise<TopologyPlan> {
    this.#live = [wanted.cluster];
    const plan = await this.#plan(wanted);
    this.#live = carriedOut(this.#live, plan);
    return plan;
  }

  /** What happens one after the other until nothing more does, carried out. @throws PlanRefused */
  async change(wanted: WantedCluster): Promise<readonly Stage[]> {
    const stages: Stage[] = [];
    for (;;) {
      const plan = await this.#plan(wanted);
      const changes = changesOf(plan);
      if (changes.length === 0) return stages;
      if (stages.length === mostStages)
        throw new Error(`the topology does not come to rest: ${changes.join(', ')}`);
      stages.push({ changes, rollouts: rolloutsOf(plan.modified) });
      this.#live = carriedOut(this.#live, plan);
    }
  }

  #plan({ cluster, clusterClass }: WantedCluster): Promise<TopologyPlan> {
    this.#plans += 1;
    const present = this.#live.find(({ kind }) => kind === 'Cluster');
    const others = this.#live.filter(({ kind }) => kind !== 'Cluster');
    // As server-side apply leaves it: the topology is the applier's, the references are Cluster API's.
    const merged = {
      ...cluster,
      metadata: { ...cluster.metadata, labels: { ...present?.metadata.labels, ...cluster.metadata.labels } },
      spec: { ...recordAt(present, 'spec'), ...recordAt(cluster, 'spec') },
    };
    return planTopology({ ...this.#tool, folder: path.join(this.#tool.folder, String(this.#plans)) }, [
      ...clusterClass,
      ...others,
      merged,
    ]);
  }
}
