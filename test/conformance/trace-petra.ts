// What Petra makes of a cluster's objects in each of their states: its one line of progress, and whether it takes the
// cluster as ready.

import type { KubernetesObject } from '../../core/ports.ts';
import { assessCluster, type ClusterState } from '../../core/steps/cluster-state.ts';
import type { ObservedEvent } from './object-watch.ts';
import { belongsTo } from './trace-roles.ts';

/** What Petra says of the objects; undefined when the Cluster is not among them. */
export function assessObjects(
  objects: readonly KubernetesObject[],
  cluster: string,
): ClusterState | undefined {
  const ofKind = (kind: string) => objects.filter((one) => one.kind === kind && belongsTo(one, cluster));
  const [found] = ofKind('Cluster');
  return (
    found &&
    assessCluster(
      found,
      {
        controlPlanes: ofKind('KThreesControlPlane'),
        deployments: ofKind('MachineDeployment'),
        machines: ofKind('AWSMachine'),
        infrastructure: ofKind('AWSCluster'),
      },
      new Date(0),
    )
  );
}

export interface PetraMoment {
  readonly version: number;
  readonly state: ClusterState;
}

/** What Petra would have said after each change. */
export function petraMoments(events: readonly ObservedEvent[], cluster: string): readonly PetraMoment[] {
  const objects = new Map<string, KubernetesObject>();
  return events.flatMap(({ type, object }) => {
    const uid = object.metadata.uid ?? '';
    if (type === 'DELETED') objects.delete(uid);
    else objects.set(uid, object);
    if (!belongsTo(object, cluster)) return [];
    const state = assessObjects([...objects.values()], cluster);
    return state ? [{ version: Number(object.metadata.resourceVersion), state }] : [];
  });
}
