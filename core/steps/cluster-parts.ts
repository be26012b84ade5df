// The two objects that a Cluster refers to: its network and its control plane. A Cluster names them in its spec, they
// name it in a label, and the two need not agree: when the workers of a busy Cluster API have not yet seen each other's
// work, one makes a part again and has the Cluster refer to it, and another removes it as left over
// (reconcileClusterShim and reconcileCluster in internal/controllers/topology/cluster/reconcile_state.go of v1.9.5).
// Cluster API then never goes on, and CAPA removes neither machine nor network of such a Cluster.

import { translateCluster } from '../capi/translate-cluster.ts';
import type { ClusterRecord } from '../fleet.ts';
import { recordAt, textAt } from '../json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import type { OwnedObjects } from './cluster-state.ts';

type Parts = Pick<OwnedObjects, 'controlPlanes' | 'infrastructure'>;

const fields = ['infrastructureRef', 'controlPlaneRef'] as const;

/**
 * Parts that the Cluster refers to and that do not exist, as kind and name. A part is made before it is referred to, so
 * the Cluster must have been read before the parts.
 */
export function lostParts(cluster: KubernetesObject, parts: Parts): readonly string[] {
  return fields.flatMap((field) => lostPart(cluster, field, parts) ?? []);
}

/** Parts that the Cluster does not refer to: its deletion leaves them alone. */
export function strayParts(cluster: KubernetesObject, parts: Parts): readonly KubernetesObject[] {
  const referred = fields.map((field) => referredIn(cluster, field));
  return all(parts).filter((part) => !referred.includes(titleOf(part)));
}

/**
 * Has the Cluster refer to a part that exists in place of a lost one: the oldest of its kind, which is the one that was
 * referred to first. Gives the Cluster as it is then, or undefined when nothing is lost, nothing can take its place, or the
 * Cluster is not this one. Safe to repeat. @throws ObjectConflict when the Cluster is gone
 */
export async function mendReferences(
  api: Kubernetes,
  { spec, uid }: Pick<ClusterRecord, 'spec' | 'uid'>,
  cluster: KubernetesObject,
  parts: Parts,
): Promise<KubernetesObject | undefined> {
  const mended = fields.flatMap((field) => {
    const reference = recordAt(cluster, 'spec', field);
    const [oldest] = all(parts)
      .filter(({ kind }) => kind === reference.kind)
      .toSorted((one, other) => ageOf(one).localeCompare(ageOf(other)));
    const isMendable = oldest && lostPart(cluster, field, parts) !== undefined;
    return isMendable ? [[field, { ...reference, name: oldest.metadata.name }] as const] : [];
  });
  if (mended.length === 0 || cluster.metadata.labels?.['petra.sh/uid'] !== uid) return undefined;
  const usual = translateCluster({ spec, uid });
  return api.apply({
    ...usual,
    // So that it is not made anew when it has gone meanwhile.
    metadata: { ...usual.metadata, ...(cluster.metadata.uid && { uid: cluster.metadata.uid }) },
    spec: { ...recordAt(usual, 'spec'), ...Object.fromEntries(mended) },
  });
}

function lostPart(
  cluster: KubernetesObject,
  field: (typeof fields)[number],
  parts: Parts,
): string | undefined {
  const title = referredIn(cluster, field);
  return all(parts).some((part) => titleOf(part) === title) ? undefined : title;
}

/** For example `AWSCluster dev-x7k2p`. */
function titleOf({ kind, metadata }: Pick<KubernetesObject, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.name}`;
}

/** The title of what the Cluster refers to there. */
function referredIn(cluster: KubernetesObject, field: (typeof fields)[number]): string | undefined {
  const reference = recordAt(cluster, 'spec', field);
  const [kind, name] = [textAt(reference, 'kind'), textAt(reference, 'name')];
  return kind === undefined || name === undefined ? undefined : titleOf({ kind, metadata: { name } });
}

function all({ infrastructure, controlPlanes }: Parts): readonly KubernetesObject[] {
  return [...infrastructure, ...controlPlanes];
}

function ageOf(part: KubernetesObject): string {
  return textAt(part, 'metadata', 'creationTimestamp') ?? '';
}
