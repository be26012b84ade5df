// The objects of one simulated cluster and the rules by which a Kubernetes API server changes them. No HTTP here.

import { randomUUID } from 'node:crypto';
import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import { applyConfiguration } from './api-apply.ts';
import { Cleanup } from './api-cleanup.ts';
import { withDefaults } from './api-defaults.ts';
import { definedResource, definitionFinalizer, definitionKind, establish } from './api-definitions.ts';
import { deepFreeze, listOr, objectOr, sameJson, without } from './api-json.ts';
import {
  afterUpdate,
  encodeOwnerships,
  type Manager,
  type Ownership,
  ownableFields,
  ownershipsOf,
} from './api-managed-fields.ts';
import { asVersion, checkMetadata, keepSystemMetadata, parseObject } from './api-object.ts';
import { jsonPatch, mergePatch, strategicPatch } from './api-patch.ts';
import { builtInResources, joinApiVersion, type ResourceType, splitApiVersion } from './api-resources.ts';
import { conformToSchema, valueProblems } from './api-schema.ts';
import { labelMatcher } from './api-selectors.ts';
import { shapeOf } from './api-shapes.ts';
import {
  ApiStatusError,
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  modifiedMeanwhile,
  notFound,
  notServed,
} from './api-status.ts';

/** A change of one object, told after it would survive a crash. */
export interface ObjectEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** In its storage version; of a deletion: the last state, with the deletion's resourceVersion. */
  readonly object: KubernetesObject;
  /** The object before. */
  readonly previous?: KubernetesObject;
  readonly resource: ResourceType;
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  /** What would be stored; for DELETE the object as it is. */
  readonly object: KubernetesObject;
  readonly oldObject?: KubernetesObject;
  readonly subresource?: 'status';
  readonly dryRun: boolean;
}

/** Stands for admission webhooks: returns the object, changed or not, or throws an ApiStatusError. */
export type Admit = (request: AdmissionRequest) => KubernetesObject;

export interface WriteOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly subresource?: 'status' | undefined;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
}

export interface RemoveOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly dryRun?: boolean;
}

export interface Patch {
  readonly type: 'merge' | 'json' | 'strategic';
  readonly value: unknown;
}

export interface StoreOptions {
  /** Whether definitions are Established as soon as they are stored (default), or someone else sets their status. */
  readonly establishDefinitions?: boolean;
  readonly now?: () => Date;
}

/** Versions are reserved in blocks, so that numbers never repeat after a crash without a second write each time. */
const reservedVersions = 1000;
const defaultManager = 'simulation';
const indestructible = new Set(['default', 'kube-system', 'kube-public']);

export class ObjectStore {
  readonly clusterId: string;
  /** Called for every create, update and delete, dry runs included. */
  admit: Admit | undefined;

  readonly #collection: Collection<KubernetesObject>;
  readonly #ceilings: Collection<number>;
  readonly #byResource = new Map<string, Map<string, KubernetesObject>>();
  readonly #custom = new Map<string, ResourceType>();
  readonly #listeners = new Set<(event: ObjectEvent) => void>();
  readonly #establishes: boolean;
  readonly #now: () => Date;
  readonly #cleanup: Cleanup;
  #version: number;
  #ceiling: number;
  #written: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, clusterId: string, options: StoreOptions) {
    this.clusterId = clusterId;
    this.#collection = disk.collection(`kubernetes/${clusterId}`);
    this.#ceilings = disk.collection('kubernetes-versions');
    this.#establishes = options.establishDefinitions ?? true;
    this.#now = options.now ?? (() => new Date());
    this.#ceiling = this.#ceilings.get(clusterId) ?? 0;
    this.#version = this.#ceiling;
    for (const [key, object] of this.#collection.entries()) {
      const [group = '', plural = '', namespace = '', name = ''] = key.split('/');
      this.#objectsOf(`${group}/${plural}`).set(`${namespace}/${name}`, deepFreeze(object));
      if (object.kind === definitionKind.kind) this.#define(object);
    }
    this.#cleanup = new Cleanup(this);
  }

  /** The cluster's objects as they were left. Unfinished deletions go on in the background. */
  static open(disk: Disk, clusterId: string, options: StoreOptions = {}): ObjectStore {
    return new ObjectStore(disk, clusterId, options);
  }

  /** The newest version given to a write: a watch that starts here misses nothing. */
  get resourceVersion(): string {
    return String(this.#version);
  }

  /** Every kind that is served: built-in ones and those of Established definitions. */
  resources(): readonly ResourceType[] {
    return [...builtInResources, ...this.#custom.values()];
  }

  resourceFor(apiVersion: string, kind: string): ResourceType | undefined {
    const [group, version] = splitApiVersion(apiVersion);
    const serves = (type: ResourceType) =>
      type.kind === kind && type.group === group && type.versions.some(({ name }) => name === version);
    return builtInResources.find(serves) ?? [...this.#custom.values()].find(serves);
  }

  get(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): KubernetesObject | undefined {
    const type = this.resourceFor(apiVersion, kind);
    const object = type && this.#find(type, namespace, name);
    return object && asVersion(object, type, splitApiVersion(apiVersion)[1]);
  }

  /** Ordered by namespace and name; empty for a kind that is not served. */
  list(
    apiVersion: string,
    kind: string,
    query: { readonly namespace?: string | undefined; readonly labelSelector?: string | undefined } = {},
  ): readonly KubernetesObject[] {
    const type = this.resourceFor(apiVersion, kind);
    if (!type) return [];
    const [, version] = splitApiVersion(apiVersion);
    const matches = labelMatcher(query.labelSelector);
    const prefix = query.namespace === undefined ? '' : `${query.namespace}/`;
    return [...this.#objectsOf(typeKey(type))]
      .filter(([key, object]) => key.startsWith(prefix) && matches(object))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => asVersion(object, type, version));
  }

  /** Every object of every kind, also of kinds that are no longer served. */
  *all(): Iterable<KubernetesObject> {
    for (const objects of this.#byResource.values()) yield* objects.values();
  }

  /** @throws ApiStatusError AlreadyExists, Invalid, NotFound (kind or namespace), Forbidden */
  async create(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Update');
    const named = { ...object, metadata: { ...object.metadata, name: this.#nameFor(object) } };
    const shape = shapeOf(type, splitApiVersion(object.apiVersion)[1]);
    const fields = ownableFields(named, shape, { statusApart: isStatusApart(type) });
    const owner: Ownership = { ...manager, time: this.#time(), paths: new Set(fields.keys()) };
    return this.#insert(type, named, [owner], options);
  }

  /** Replaces an object. @throws ApiStatusError NotFound, Conflict when a resourceVersion is given and is not the present one */
  async update(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Update');
    const { namespace, name } = object.metadata;
    return this.#change(type, object, this.#existing(type, namespace, name), manager, options);
  }

  /** Changes the status of an object by a function of the present one: never conflicts. */
  async updateStatus(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
    change: (status: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
    options: Pick<WriteOptions, 'fieldManager'> = {},
  ): Promise<KubernetesObject> {
    const { type, object } = this.#read(withNamespace({ apiVersion, kind, name }, namespace));
    const changed = { ...object, status: change(objectOr(object.status)) };
    const through = {
      ...options,
      subresource: type.versions[0]?.subresources.includes('status') ? status : undefined,
    };
    return this.update(changed, through);
  }

  /** Changes all but the status of an object by a function of the present one: never conflicts. */
  async mutate(
    reference: ObjectReference,
    change: (object: KubernetesObject) => KubernetesObject,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    return this.update(change(this.#read(reference).object), options);
  }

  async patch(
    reference: ObjectReference,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const { type, object } = this.#read(reference);
    const shape = shapeOf(type, splitApiVersion(reference.apiVersion)[1]);
    const patched =
      patch.type === 'json'
        ? jsonPatch(object, patch.value)
        : patch.type === 'merge'
          ? mergePatch(object, patch.value)
          : strategicPatch(object, patch.value, shape);
    const next = parseObject(patched);
    if (next.metadata.name !== reference.name) {
      throw badRequest('the name of the object based on the patch does not match the name on the URL');
    }
    return this.update(next, options);
  }

  /** Server-side apply. @throws ApiStatusError Conflict listing each field that another manager owns, unless forced */
  async apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Apply');
    const { namespace, name } = object.metadata;
    if (object.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
    const live = this.#find(type, namespace, name);
    if (!live && (options.subresource || object.metadata.uid)) {
      throw options.subresource
        ? notFound(type, name)
        : conflict(
            type,
            name,
            `uid mismatch: the provided object specified uid ${object.metadata.uid}, and no existing object was found`,
          );
    }
    const [, version] = splitApiVersion(object.apiVersion);
    const { object: merged, ownerships } = applyConfiguration({
      live: live && asVersion(live, type, version),
      configuration: object,
      manager,
      force: options.force ?? false,
      shape: shapeOf(type, version),
      statusApart: isStatusApart(type),
      now: this.#time(),
    });
    if (!live) return this.#insert(type, merged, ownerships, options);
    const { uid, resourceVersion } = object.metadata;
    const checked = { ...merged, metadata: { ...merged.metadata, ...without({ uid, resourceVersion }) } };
    return this.#change(type, checked, live, manager, options, ownerships);
  }

  /**
   * Deletes an object: at once, or when its finalizers are gone. What it owns follows in the background.
   * @returns the object as it is left, or undefined when it is gone
   */
  async remove(
    reference: ObjectReference,
    options: RemoveOptions = {},
  ): Promise<KubernetesObject | undefined> {
    const { type, stored } = this.#read(reference);
    const { name, uid, resourceVersion, deletionTimestamp, finalizers = [], generation } = stored.metadata;
    if (options.uid !== undefined && options.uid !== uid) {
      throw conflict(
        type,
        name,
        `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`,
      );
    }
    if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
      throw conflict(
        type,
        name,
        `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
      );
    }
    if (type.kind === 'Namespace' && indestructible.has(name)) {
      throw forbidden(type, name, 'this namespace may not be deleted');
    }
    const dryRun = options.dryRun ?? false;
    this.admit?.({ operation: 'DELETE', object: stored, oldObject: stored, dryRun });
    const kept = new Set(finalizers);
    if (options.propagation === 'Foreground') kept.add('foregroundDeletion');
    if (options.propagation === 'Orphan') kept.add('orphan');
    const isHeld = kept.size > 0 || listOr(objectOr(stored.spec).finalizers).length > 0;
    if (dryRun) return isHeld ? stored : undefined;
    if (!isHeld) {
      await this.#commit(type, undefined, stored);
      return undefined;
    }
    if (deletionTimestamp !== undefined && kept.size === finalizers.length) return stored;
    const terminating: KubernetesObject = {
      ...stored,
      metadata: {
        ...stored.metadata,
        deletionTimestamp: deletionTimestamp ?? this.#time(),
        deletionGracePeriodSeconds: 0,
        ...(kept.size > 0 ? { finalizers: [...kept] } : {}),
        ...(generation === undefined || deletionTimestamp !== undefined
          ? {}
          : { generation: generation + 1 }),
      },
      ...(type.kind === 'Namespace' ? { status: { ...objectOr(stored.status), phase: 'Terminating' } } : {}),
    };
    return this.#commit(type, terminating, stored);
  }

  /** Ends a namespace whose contents are gone (its `finalize` subresource). */
  async finalizeNamespace(name: string): Promise<void> {
    const { type, stored } = this.#read({ apiVersion: 'v1', kind: 'Namespace', name });
    if (stored.metadata.deletionTimestamp && !stored.metadata.finalizers?.length) {
      await this.#commit(type, undefined, stored);
    }
  }

  /** Calls the listener for each change from now on, in order. Returns how to stop it. */
  watch(listener: (event: ObjectEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when garbage collection and deletions in the background have nothing left to do now. */
  async settled(): Promise<void> {
    await this.#cleanup.settled();
  }

  /** Stops background work; the objects stay on disk. */
  close(): void {
    this.#cleanup.stop();
  }

  #target(
    object: KubernetesObject,
    options: WriteOptions,
    operation: Manager['operation'],
  ): { readonly type: ResourceType; readonly manager: Manager } {
    const type = this.resourceFor(object.apiVersion, object.kind);
    if (!type) throw notServed();
    if (type.namespaced && !object.metadata.namespace) {
      throw badRequest('an empty namespace may not be set when a resource name is provided');
    }
    const manager = {
      name: options.fieldManager ?? defaultManager,
      operation,
      apiVersion: object.apiVersion,
    };
    return {
      type,
      manager: options.subresource ? { ...manager, subresource: options.subresource } : manager,
    };
  }

  #read(reference: ObjectReference): {
    readonly type: ResourceType;
    readonly stored: KubernetesObject;
    readonly object: KubernetesObject;
  } {
    const type = this.resourceFor(reference.apiVersion, reference.kind);
    if (!type) throw notServed();
    const stored = this.#existing(type, reference.namespace, reference.name);
    return { type, stored, object: asVersion(stored, type, splitApiVersion(reference.apiVersion)[1]) };
  }

  #existing(type: ResourceType, namespace: string | undefined, name: string): KubernetesObject {
    const stored = this.#find(type, namespace, name);
    if (!stored) throw notFound(type, name);
    return stored;
  }

  #nameFor({ metadata }: KubernetesObject): string {
    if (metadata.name !== '' || typeof metadata.generateName !== 'string') return metadata.name;
    return metadata.generateName + randomUUID().slice(0, 5);
  }

  async #insert(
    type: ResourceType,
    object: KubernetesObject,
    ownerships: readonly Ownership[],
    options: WriteOptions,
  ): Promise<KubernetesObject> {
    const { name, namespace } = object.metadata;
    const dryRun = options.dryRun ?? false;
    if (type.namespaced && namespace !== undefined) this.#checkNamespace(type, namespace, name);
    if (name !== '' && this.#find(type, namespace, name)) throw alreadyExists(type, name);
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
    const identified: KubernetesObject = {
      ...(isStatusApart(type) && type.kind !== 'Node' ? without(object, 'status') : object),
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        ...metadata,
        name,
        uid: randomUUID(),
        creationTimestamp: this.#time(),
        ...(type.generation ? { generation: 1 } : {}),
      },
    };
    const completed = this.#complete(type, identified);
    const admitted = this.admit?.({ operation: 'CREATE', object: completed, dryRun }) ?? completed;
    checkMetadata(type, admitted, valueProblems(type, admitted));
    const prepared = this.#prepare(type, admitted);
    const owned = withOwnerships(prepared, ownerships);
    return dryRun ? owned : this.#commit(type, owned, undefined);
  }

  async #change(
    type: ResourceType,
    proposed: KubernetesObject,
    existing: KubernetesObject,
    manager: Manager,
    options: WriteOptions,
    applied?: readonly Ownership[],
  ): Promise<KubernetesObject> {
    const [, version] = splitApiVersion(proposed.apiVersion);
    const before = asVersion(existing, type, version);
    this.#checkPreconditions(type, proposed, existing);
    const { subresource, dryRun = false } = options;
    const scoped =
      subresource === 'status'
        ? { ...before, status: proposed.status }
        : isStatusApart(type)
          ? { ...proposed, status: before.status }
          : proposed;
    const completed = this.#complete(type, keepSystemMetadata(withoutUndefined(scoped), before));
    const request = { operation: 'UPDATE', object: completed, oldObject: before, dryRun } as const;
    const admitted = this.admit?.(subresource ? { ...request, subresource } : request) ?? completed;
    checkMetadata(type, admitted, valueProblems(type, admitted, before));
    checkFinalizers(type, admitted, before);
    const prepared = this.#prepare(type, admitted);

    const shape = shapeOf(type, version);
    const scope = { subresource, statusApart: isStatusApart(type) };
    const ownerships =
      applied ??
      afterUpdate(
        ownableFields(before, shape, scope),
        ownableFields(prepared, shape, scope),
        ownershipsOf(proposed.metadata.managedFields === undefined ? before : proposed),
        manager,
        this.#time(),
      );
    const owned = withOwnerships(prepared, ownerships);
    if (sameJson(owned, before)) return before;
    const counted = type.generation && hasNewSpec(before, owned) ? countUp(owned) : owned;
    if (dryRun) return counted;
    const { deletionTimestamp, finalizers = [] } = counted.metadata;
    const isDone = deletionTimestamp !== undefined && finalizers.length === 0 && type.kind !== 'Namespace';
    if (!isDone) return this.#commit(type, counted, existing);
    await this.#commit(type, undefined, { ...counted, apiVersion: existing.apiVersion });
    return counted;
  }

  #checkPreconditions(type: ResourceType, proposed: KubernetesObject, existing: KubernetesObject): void {
    const { uid, resourceVersion, name } = proposed.metadata;
    if (uid !== undefined && uid !== existing.metadata.uid) {
      throw conflict(
        type,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing.metadata.uid}`,
      );
    }
    if (resourceVersion && resourceVersion !== existing.metadata.resourceVersion) {
      throw conflict(type, name, modifiedMeanwhile);
    }
  }

  #checkNamespace(type: ResourceType, namespace: string, name: string): void {
    const found = this.get('v1', 'Namespace', undefined, namespace);
    if (!found) throw notFound({ group: '', kind: 'Namespace', plural: 'namespaces' }, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw forbidden(type, name, why, [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ]);
  }

  /** Fills in defaults and drops what the schema of a custom resource does not know. */
  #complete(type: ResourceType, object: KubernetesObject): KubernetesObject {
    return type.custom ? conformToSchema(type, object) : withDefaults(object);
  }

  #prepare(type: ResourceType, object: KubernetesObject): KubernetesObject {
    if (type.kind !== definitionKind.kind || type.custom || !this.#establishes) return object;
    const { finalizers = [], deletionTimestamp } = object.metadata;
    const held =
      finalizers.includes(definitionFinalizer) || deletionTimestamp !== undefined
        ? object
        : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, definitionFinalizer] } };
    return establish(held, this.#time());
  }

  /** Writes or (without `next`) removes an object; resolves with it when the change is durable and told. */
  async #commit(
    type: ResourceType,
    next: KubernetesObject | undefined,
    previous: KubernetesObject | undefined,
  ): Promise<KubernetesObject> {
    this.#version += 1;
    const base = next ?? previous;
    if (!base) throw new TypeError('a change needs an object');
    const object = deepFreeze<KubernetesObject>({
      ...base,
      apiVersion: joinApiVersion(type.group, type.storageVersion),
      metadata: { ...base.metadata, resourceVersion: String(this.#version) },
    });
    const key = objectKey(type, object.metadata.namespace, object.metadata.name);
    const objects = this.#objectsOf(typeKey(type));
    const writes = [this.#reserve()];
    if (next) {
      objects.set(key, object);
      writes.push(this.#collection.put(`${typeKey(type)}/${key}`, object));
    } else {
      objects.delete(key);
      writes.push(this.#collection.delete(`${typeKey(type)}/${key}`));
    }
    if (type.kind === definitionKind.kind && !type.custom) this.#define(object, next === undefined);
    const event: ObjectEvent = {
      type: next ? (previous ? 'MODIFIED' : 'ADDED') : 'DELETED',
      object,
      ...(previous ? { previous } : {}),
      resource: type,
    };
    const earlier = this.#written;
    const told = Promise.all([earlier, ...writes]).then(() => {
      for (const listener of [...this.#listeners]) listener(event);
    });
    // A failed write is reported to its own caller; those after it must still be told in order.
    this.#written = told.catch(() => undefined);
    await told;
    return next ? asVersion(object, type, splitApiVersion(next.apiVersion)[1]) : object;
  }

  #define(definition: KubernetesObject, isGone = false): void {
    const resource = isGone ? undefined : definedResource(definition);
    if (resource) this.#custom.set(definition.metadata.name, resource);
    else this.#custom.delete(definition.metadata.name);
  }

  async #reserve(): Promise<void> {
    if (this.#version < this.#ceiling) return;
    this.#ceiling = this.#version + reservedVersions;
    await this.#ceilings.put(this.clusterId, this.#ceiling);
  }

  #find(type: ResourceType, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#objectsOf(typeKey(type)).get(objectKey(type, namespace, name));
  }

  #objectsOf(key: string): Map<string, KubernetesObject> {
    let objects = this.#byResource.get(key);
    if (!objects) {
      objects = new Map();
      this.#byResource.set(key, objects);
    }
    return objects;
  }

  #time(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}

const status = 'status' as const;

function typeKey({ group, plural }: ResourceType): string {
  return `${group}/${plural}`;
}

function objectKey(type: ResourceType, namespace: string | undefined, name: string): string {
  return `${type.namespaced ? namespace : ''}/${name}`;
}

/** Whether `status` is ignored by writes that do not go through its subresource. */
function isStatusApart(type: ResourceType): boolean {
  return type.versions[0]?.subresources.includes(status) ?? false;
}

function withNamespace(reference: ObjectReference, namespace: string | undefined): ObjectReference {
  return namespace === undefined ? reference : { ...reference, namespace };
}

function withoutUndefined(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  return { ...without(object), apiVersion, kind, metadata };
}

function withOwnerships(object: KubernetesObject, ownerships: readonly Ownership[]): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, managedFields: encodeOwnerships(ownerships) } };
}

function hasNewSpec(before: KubernetesObject, after: KubernetesObject): boolean {
  const skipped = ['metadata', 'status', 'apiVersion'];
  return !sameJson(without(before, ...skipped), without(after, ...skipped));
}

function countUp(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 } };
}

function checkFinalizers(type: ResourceType, next: KubernetesObject, before: KubernetesObject): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const present = before.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !present.includes(finalizer));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  throw new ApiStatusError(
    422,
    'Invalid',
    `${type.kind} "${next.metadata.name}" is invalid: metadata.finalizers: ${message}`,
    {
      name: next.metadata.name,
      kind: type.kind,
      causes: [{ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }],
    },
  );
}
