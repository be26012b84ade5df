// Finding the objects that belong together.

import { at, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { clusterMembers } from './cluster-members.ts';
import type { ObjectName, Wake } from './controller.ts';
import { isKind, type Kind, kinds, labels } from './kinds.ts';

/** The Cluster an object belongs to, by its label. */
export function clusterOf(store: ObjectStore, { metadata }: KubernetesObject): KubernetesObject | undefined {
  const name = metadata.labels?.[labels.clusterName];
  const { apiVersion, kind } = kinds.cluster;
  return name === undefined ? undefined : store.get(apiVersion, kind, metadata.namespace, name);
}

/** Objects of a kind that belong to a Cluster, by their label. */
export function ofCluster(
  store: ObjectStore,
  kind: Kind,
  cluster: KubernetesObject,
): readonly KubernetesObject[] {
  return clusterMembers(store).list(kind, cluster);
}

/** Wakes the objects of `kind` that belong to a changed Cluster, or to the Cluster of another changed object. */
export function wakesMembers(store: ObjectStore, source: Kind, kind: Kind): Wake {
  return {
    kind: source,
    wakes: (object) => {
      const cluster = isKind(object, kinds.cluster) ? object : clusterOf(store, object);
      return cluster ? ofCluster(store, kind, cluster).map(({ metadata }) => metadata) : [];
    },
  };
}

/** The owner of this kind. */
export function ownerOf(
  store: ObjectStore,
  { metadata }: KubernetesObject,
  kind: Kind,
): KubernetesObject | undefined {
  const reference = metadata.ownerReferences?.find((owner) => isKind(owner, kind));
  if (!reference) return undefined;
  const owner = store.get(kind.apiVersion, kind.kind, metadata.namespace, reference.name);
  return owner?.metadata.uid === reference.uid ? owner : undefined;
}

/** What a reference such as `spec.infrastructureRef` points to, in the namespace of the object that has it. */
export function referenced(
  store: ObjectStore,
  object: KubernetesObject | undefined,
  ...path: readonly string[]
): KubernetesObject | undefined {
  const reference = recordAt(object, ...path);
  const [apiVersion, kind, name] = [reference.apiVersion, reference.kind, reference.name];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string')
    return undefined;
  return store.get(apiVersion, kind, textAt(reference, 'namespace') ?? object?.metadata.namespace, name);
}

/** The name of the Cluster an object belongs to, for waking it. */
export function clusterName({ metadata }: KubernetesObject): readonly ObjectName[] {
  const name = metadata.labels?.[labels.clusterName];
  return name === undefined ? [] : [{ name, namespace: metadata.namespace }];
}

/** Whether the Machine is a server. */
export function isControlPlaneMachine(machine: KubernetesObject): boolean {
  return machine.metadata.labels?.[labels.controlPlane] !== undefined;
}

/** The Node that runs on this instance. */
export function nodeOf(store: ObjectStore | undefined, providerId: string | undefined) {
  if (providerId === undefined) return undefined;
  return store?.list('v1', 'Node').find((node) => at(node, 'spec', 'providerID') === providerId);
}
