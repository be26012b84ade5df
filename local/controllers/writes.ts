// Writes of controllers: each may be repeated, and writes nothing when nothing would change.

import { listAt, recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { sameJson } from '../kubernetes/api-json.ts';
import { ApiStatusError } from '../kubernetes/api-status.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { type Condition, withConditions } from './conditions.ts';
import { isDeleting, referenceTo } from './kinds.ts';

type Status = Readonly<Record<string, unknown>>;

/** Whether the store says that the object is not there (any more). */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiStatusError && error.code === 404;
}

/** The object of this name, made when there is none. */
export async function ensureObject(store: ObjectStore, object: KubernetesObject): Promise<KubernetesObject> {
  const { apiVersion, kind, metadata } = object;
  const present = store.get(apiVersion, kind, metadata.namespace, metadata.name);
  if (present) return present;
  try {
    return await store.create(object);
  } catch (error) {
    const other = store.get(apiVersion, kind, metadata.namespace, metadata.name);
    if (error instanceof ApiStatusError && error.reason === 'AlreadyExists' && other) return other;
    throw error;
  }
}

/** The object after a change of anything but its status. One that is gone stays as it was given. */
export async function changeObject(
  store: ObjectStore,
  object: KubernetesObject,
  change: (object: KubernetesObject) => KubernetesObject,
): Promise<KubernetesObject> {
  const present = store.get(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
  if (!present || present.metadata.uid !== object.metadata.uid) return object;
  const changed = change(present);
  return sameJson(changed, present) ? present : store.update(changed);
}

/** The object after setting fields of its status; a field that is `undefined` is removed. */
export async function setStatus(
  store: ObjectStore,
  object: KubernetesObject,
  fields: Status | ((status: Status) => Status),
): Promise<KubernetesObject> {
  const { apiVersion, kind, metadata } = object;
  const present = store.get(apiVersion, kind, metadata.namespace, metadata.name);
  if (!present || present.metadata.uid !== metadata.uid) return object;
  const change = (status: Status): Status =>
    typeof fields === 'function' ? fields(status) : { ...status, ...fields };
  const status = recordAt(present, 'status');
  if (sameJson(change(status), status)) return present;
  return store.updateStatus(apiVersion, kind, metadata.namespace, metadata.name, change);
}

/** The object after setting conditions, and further fields of its status. */
export async function setConditions(
  store: ObjectStore,
  object: KubernetesObject,
  conditions: readonly Condition[],
  fields: Status = {},
): Promise<KubernetesObject> {
  return setStatus(store, object, (status) => ({
    ...status,
    ...fields,
    conditions: withConditions(listAt(status, 'conditions'), conditions, Date.now()),
  }));
}

export async function addFinalizer(
  store: ObjectStore,
  object: KubernetesObject,
  finalizer: string,
): Promise<KubernetesObject> {
  if (object.metadata.finalizers?.includes(finalizer) || isDeleting(object)) return object;
  return changeObject(store, object, (present) => ({
    ...present,
    metadata: { ...present.metadata, finalizers: [...(present.metadata.finalizers ?? []), finalizer] },
  }));
}

/** Removes a finalizer; the object is gone when it was the last one. */
export async function dropFinalizer(
  store: ObjectStore,
  object: KubernetesObject,
  finalizer: string,
): Promise<void> {
  await changeObject(store, object, (present) => ({
    ...present,
    metadata: {
      ...present.metadata,
      finalizers: (present.metadata.finalizers ?? []).filter((other) => other !== finalizer),
    },
  }));
}

/** Sets labels, annotations or owner references that are missing or different. */
export async function addMetadata(
  store: ObjectStore,
  object: KubernetesObject,
  metadata: Pick<KubernetesObject['metadata'], 'labels' | 'annotations' | 'ownerReferences'>,
): Promise<KubernetesObject> {
  return changeObject(store, object, (present) => {
    const owners = present.metadata.ownerReferences ?? [];
    const missing = (metadata.ownerReferences ?? []).filter(
      ({ uid }) => !owners.some((owner) => owner.uid === uid),
    );
    return {
      ...present,
      metadata: {
        ...present.metadata,
        ...(metadata.labels ? { labels: { ...present.metadata.labels, ...metadata.labels } } : {}),
        ...(metadata.annotations
          ? { annotations: { ...present.metadata.annotations, ...metadata.annotations } }
          : {}),
        ...(missing.length > 0 ? { ownerReferences: [...owners, ...missing] } : {}),
      },
    };
  });
}

/** Asks for the object's deletion unless someone already did. */
export async function removeObject(store: ObjectStore, object: KubernetesObject): Promise<void> {
  if (isDeleting(object)) return;
  try {
    const { uid } = object.metadata;
    await store.remove(referenceTo(object), uid === undefined ? {} : { uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
