// The local Petra's simulated topology controller beside the real one: the same spec must become the same objects.

import { recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { computeTopology } from '../../local/controllers/topology.ts';
import { differenceBetween } from './object-difference.ts';
import type { WantedCluster } from './planned-cluster.ts';
import { rolloutsOf } from './rollouts.ts';
import { sameObject, type TopologyPlan } from './topology-plan.ts';

/** Where the simulated objects of a new cluster differ from those that Cluster API would make. */
export function simulationProblems(wanted: WantedCluster, plan: TopologyPlan): readonly string[] {
  const simulated = simulatedObjects(wanted);
  const left = [...simulated];
  return [
    ...plan.created.flatMap((object) => {
      if (notSimulated.includes(object.kind)) return [];
      const index = left.findIndex((other) => describe(other) === describe(object));
      const [twin] = index < 0 ? [] : left.splice(index, 1);
      if (!twin) return [`the simulation makes no ${describe(object)}`];
      return differenceBetween(comparable(object), comparable(twin)).map(
        (difference) => `${describe(object)}: ${difference}`,
      );
    }),
    ...left.map((object) => `only the simulation makes a ${describe(object)}`),
  ];
}

/** Whose machines the simulated controllers would replace, sooner or later, when a spec changes. */
export function simulatedRollouts(before: WantedCluster, after: WantedCluster): readonly string[] {
  const old = simulatedObjects(before);
  return rolloutsOf(
    simulatedObjects(after).flatMap((object) => {
      const present = old.find((other) => sameObject(other, object));
      return present ? [{ before: present, after: object }] : [];
    }),
  );
}

/** local/controllers/topology.ts names them. */
const notSimulated = ['MachineHealthCheck'];

export function simulatedObjects({ cluster, clusterClass }: WantedCluster): readonly KubernetesObject[] {
  const theClass = clusterClass.find(({ kind }) => kind === 'ClusterClass');
  if (!theClass) throw new Error('there is no ClusterClass');
  const desired = computeTopology(
    { ...cluster, metadata: { ...cluster.metadata, uid: 'simulated' } },
    theClass,
    (reference) =>
      clusterClass.find(
        ({ kind, metadata }) =>
          kind === textAt(reference, 'kind') && metadata.name === textAt(reference, 'name'),
      ),
  );
  return [
    desired.infrastructureCluster,
    desired.controlPlaneMachineTemplate,
    desired.controlPlane,
    ...desired.workers.flatMap((worker) => [
      worker.bootstrapTemplate,
      worker.machineTemplate,
      worker.machineDeployment,
    ]),
  ];
}

/** A kind and what it was cloned from: a cluster has two AWSMachineTemplates. */
function describe({ kind, metadata }: KubernetesObject): string {
  const origin = metadata.annotations?.['cluster.x-k8s.io/cloned-from-name'];
  return origin === undefined ? kind : `${kind} from ${origin}`;
}

/** All but generated parts of names. */
function comparable(object: KubernetesObject) {
  const text = JSON.stringify({
    name: object.metadata.name,
    labels: textsAt(object, 'metadata', 'labels'),
    annotations: textsAt(object, 'metadata', 'annotations'),
    spec: recordAt(object, 'spec'),
  });
  return JSON.parse(text, (key, value: unknown) =>
    key === 'name' && typeof value === 'string' ? value.replace(/-[a-z0-9]{5}$/, '-xxxxx') : value,
  );
}
