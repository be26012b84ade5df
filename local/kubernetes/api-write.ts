// What becomes of an object between a request and the disk: completed, admitted, checked, owned, counted.

import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../../core/ports.ts';
import { withDefaults } from './api-defaults.ts';
import { definitionFinalizer, definitionKind, establish } from './api-definitions.ts';
import { listOr, objectOr, sameJson, without } from './api-json.ts';
import {
  afterUpdate,
  encodeOwnerships,
  type Manager,
  type Ownership,
  ownableFields,
  ownershipsOf,
} from './api-managed-fields.ts';
import { checkFinalizers, checkMetadata } from './api-metadata.ts';
import { asVersion, keepSystemMetadata } from './api-object.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';
import { conformToSchema } from './api-schema.ts';
import { shapeOf } from './api-shapes.ts';
import { conflict, modifiedMeanwhile } from './api-status.ts';
import { valueProblems } from './api-values.ts';
import type { Admit, RemoveOptions } from './object-store.ts';

export interface Write {
  readonly type: ResourceType;
  readonly admit: Admit | undefined;
  readonly dryRun: boolean;
  readonly now: string;
  /** Whether definitions become Established by being stored. */
  readonly establishes: boolean;
}

export interface Change extends Write {
  readonly existing: KubernetesObject;
  readonly manager: Manager;
  /** Who owns what after a server-side apply; otherwise the writer owns what it changed. */
  readonly ownerships?: readonly Ownership[];
}

/** Whether `status` is ignored by writes that do not go through its subresource. */
export function isStatusApart(type: ResourceType): boolean {
  return type.versions[0]?.subresources.includes('status') ?? false;
}

/** The object to store for a create; a manager that does not apply owns all of it. */
export function created(
  write: Write,
  object: KubernetesObject,
  owner: Manager | readonly Ownership[],
): KubernetesObject {
  const { type, admit, dryRun, now } = write;
  const metadata = without(
    object.metadata,
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
    'resourceVersion',
    'generation',
    ...(type.namespaced ? [] : ['namespace']),
  );
  // Kubelets register Nodes together with their status; elsewhere a create cannot set it.
  const stated = isStatusApart(type) && type.kind !== 'Node' ? without(object, 'status') : object;
  const completed = complete(type, {
    ...stated,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...metadata,
      name: object.metadata.name,
      uid: randomUUID(),
      creationTimestamp: now,
      ...(type.generation ? { generation: 1 } : {}),
    },
  });
  const admitted = admit?.({ operation: 'CREATE', object: completed, dryRun }) ?? completed;
  checkMetadata(type, admitted, valueProblems(type, admitted));
  const prepared = write.establishes ? established(type, admitted, now) : admitted;
  return withOwnerships(prepared, 'name' in owner ? [soleOwner(type, prepared, owner, now)] : owner);
}

function soleOwner(type: ResourceType, object: KubernetesObject, manager: Manager, time: string): Ownership {
  const shape = shapeOf(type, splitApiVersion(object.apiVersion)[1]);
  const fields = ownableFields(object, shape, { statusApart: isStatusApart(type), containers: true });
  return { ...manager, time, paths: new Set(fields.keys()) };
}

/** The object to store for an update; undefined when nothing changes. */
export function changed(change: Change, proposed: KubernetesObject): KubernetesObject | undefined {
  const { type, existing, manager, admit, dryRun, now } = change;
  const [, version] = splitApiVersion(proposed.apiVersion);
  const before = asVersion(existing, type, version);
  checkPreconditions(type, proposed, existing);
  const { subresource } = manager;
  const completed = complete(type, keepSystemMetadata(scoped(type, proposed, before, subresource), before));
  const request = { operation: 'UPDATE', object: completed, oldObject: before, dryRun } as const;
  const admitted = admit?.(subresource === 'status' ? { ...request, subresource } : request) ?? completed;
  checkMetadata(type, admitted, valueProblems(type, admitted, before));
  checkFinalizers(type, admitted, before);
  const prepared = change.establishes ? established(type, admitted, now) : admitted;

  const shape = shapeOf(type, version);
  const scope = { subresource, statusApart: isStatusApart(type), containers: true };
  const ownerships =
    change.ownerships ??
    afterUpdate(
      ownableFields(before, shape, scope),
      ownableFields(prepared, shape, scope),
      ownershipsOf(proposed.metadata.managedFields === undefined ? before : proposed),
      manager,
      now,
    );
  const owned = withOwnerships(prepared, ownerships);
  if (sameJson(owned, before)) return undefined;
  return type.generation && hasNewSpec(before, owned) ? countedUp(owned) : owned;
}

/** The object marked as being deleted; undefined when nothing holds it and it can go at once. */
export function terminating(
  type: ResourceType,
  object: KubernetesObject,
  propagation: 'Background' | 'Foreground' | 'Orphan' | undefined,
  now: string,
): KubernetesObject | undefined {
  const { deletionTimestamp, finalizers = [], generation } = object.metadata;
  const holders = new Set(finalizers);
  if (propagation === 'Foreground') holders.add('foregroundDeletion');
  if (propagation === 'Orphan') holders.add('orphan');
  if (type.kind === definitionKind.kind && !type.custom && deletionTimestamp === undefined) {
    holders.add(definitionFinalizer);
  }
  const isNamespace = isBuiltInNamespace(type);
  if (holders.size === 0 && !(isNamespace && listOr(objectOr(object.spec).finalizers).length > 0)) {
    return undefined;
  }
  if (deletionTimestamp !== undefined && holders.size === finalizers.length) return object;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      deletionTimestamp: deletionTimestamp ?? now,
      ...(isNamespace ? {} : { deletionGracePeriodSeconds: 0 }),
      ...(holders.size > 0 ? { finalizers: [...holders] } : {}),
      ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
    },
    ...(isNamespace ? { status: { ...objectOr(object.status), phase: 'Terminating' } } : {}),
  };
}

/** Whether an object that is being deleted has nothing left that holds it. */
export function isReleased(type: ResourceType, { metadata }: KubernetesObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined && !metadata.finalizers?.length && !isBuiltInNamespace(type)
  );
}

/** @throws ApiStatusError 409 when a uid or resourceVersion is stated and is not that of the existing object */
export function checkPreconditions(
  type: ResourceType,
  stated: { readonly metadata: Pick<RemoveOptions, 'uid' | 'resourceVersion'> },
  existing: KubernetesObject,
): void {
  const { uid, resourceVersion } = stated.metadata;
  const { name } = existing.metadata;
  if (uid !== undefined && uid !== existing.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing.metadata.uid}`;
    throw conflict(type, name, why);
  }
  if (resourceVersion && resourceVersion !== existing.metadata.resourceVersion) {
    throw conflict(type, name, modifiedMeanwhile);
  }
}

/** @throws ApiStatusError 409, in the words that a real server has for deletions alone */
export function checkRemoval(
  type: ResourceType,
  options: RemoveOptions,
  { metadata }: KubernetesObject,
): void {
  const refuse = (why: string) => conflict({ ...type, plural: type.kind }, metadata.name, why);
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    throw refuse(
      `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

function isBuiltInNamespace(type: ResourceType): boolean {
  return type.kind === 'Namespace' && !type.custom;
}

/** What a write through this subresource, or past it, can change. */
function scoped(
  type: ResourceType,
  proposed: KubernetesObject,
  before: KubernetesObject,
  subresource: string | undefined,
): KubernetesObject {
  if (subresource === 'status') return withField(before, 'status', proposed.status);
  return isStatusApart(type) ? withField(proposed, 'status', before.status) : proposed;
}

function withField(object: KubernetesObject, field: string, value: unknown): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  return { ...without({ ...object, [field]: value }), apiVersion, kind, metadata };
}

/** Fills in defaults and drops what the schema of a custom resource does not know. */
function complete(type: ResourceType, object: KubernetesObject): KubernetesObject {
  return type.custom ? conformToSchema(type, object) : withDefaults(object);
}

function established(type: ResourceType, object: KubernetesObject, now: string): KubernetesObject {
  if (type.kind !== definitionKind.kind || type.custom) return object;
  return establish(object, now);
}

function withOwnerships(object: KubernetesObject, ownerships: readonly Ownership[]): KubernetesObject {
  const managedFields = encodeOwnerships(ownerships);
  const { name } = object.metadata;
  const metadata = without({
    ...object.metadata,
    managedFields: managedFields.length > 0 ? managedFields : undefined,
  });
  return { ...object, metadata: { ...metadata, name } };
}

function hasNewSpec(before: KubernetesObject, after: KubernetesObject): boolean {
  const ignored = ['metadata', 'status', 'apiVersion'];
  return !sameJson(without(before, ...ignored), without(after, ...ignored));
}

function countedUp(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 } };
}
