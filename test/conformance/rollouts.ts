// What a change of a Cluster's objects means for its machines.

import { at, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { differingPaths, differs } from './object-difference.ts';
import { sameObject, type TopologyPlan } from './topology-plan.ts';

/** Fields of a Cluster's objects whose change replaces machines, all others are changed in place or need no machine. */
const rolling: Readonly<Record<string, readonly (readonly string[])[]>> = {
  // cluster-api-k3s v0.3.1, pkg/machinefilters: version, configuration, the template that machines were cloned from.
  KThreesControlPlane: [
    ['spec', 'version'],
    ['spec', 'kthreesConfigSpec'],
    ['spec', 'machineTemplate', 'infrastructureRef'],
  ],
  // Cluster API 1.9, internal/controllers/machinedeployment: all of the machine template but what is propagated in place.
  MachineDeployment: [
    ['spec', 'template', 'spec', 'version'],
    ['spec', 'template', 'spec', 'bootstrap'],
    ['spec', 'template', 'spec', 'infrastructureRef'],
  ],
};

/** Whose machines are replaced: `control plane`, or `workers` for those of a MachineDeployment. */
export function rolloutsOf(changes: TopologyPlan['modified']): readonly string[] {
  return changes
    .filter(({ before, after }) =>
      (rolling[after.kind] ?? []).some((path) => differs(at(before, ...path), at(after, ...path))),
    )
    .map(({ after }) => (after.kind === 'MachineDeployment' ? 'workers' : 'control plane'))
    .toSorted();
}

/** Every field of `spec` that differs, as `Kind: path`; what is made anew or goes, as `Kind: created` and `Kind: deleted`. */
export function changesOf({ created, modified, deleted }: TopologyPlan): readonly string[] {
  return [
    ...created.map(({ kind }) => `${kind}: created`),
    ...modified.flatMap(({ before, after }) =>
      differingPaths(at(before, 'spec'), at(after, 'spec'), 'spec').map(
        ({ path }) => `${after.kind}: ${path}`,
      ),
    ),
    ...deleted.map((name) => `${name.split('/')[0]}: deleted`),
  ].toSorted();
}

/** The objects of a cluster after a plan was carried out. */
export function carriedOut(
  live: readonly KubernetesObject[],
  { created, modified, deleted }: TopologyPlan,
): readonly KubernetesObject[] {
  const changed = modified.map(({ after }) => after);
  const kept = live.filter(
    (object) =>
      !changed.some((after) => sameObject(after, object)) &&
      !deleted.includes(`${object.kind}/${object.metadata.name}`),
  );
  return [...kept, ...created, ...changed].map(settled);
}

/** As its controllers leave an object once all of its machines run, which is when the topology goes on. */
function settled(object: KubernetesObject): KubernetesObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  if (object.kind !== 'KThreesControlPlane') return { ...object, metadata };
  const replicas = at(object, 'spec', 'replicas');
  return {
    ...object,
    metadata,
    status: {
      version: textAt(object, 'spec', 'version'),
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      unavailableReplicas: 0,
      initialized: true,
      ready: true,
    },
  };
}
