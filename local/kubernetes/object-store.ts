// The objects of one simulated cluster and the rules by which a Kubernetes API server changes them. No HTTP here.

import { randomUUID } from 'node:crypto';
import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import type { Disk } from '../disk.ts';
import { applyConfiguration } from './api-apply.ts';
import { Cleanup } from './api-cleanup.ts';
import { definitionKind } from './api-definitions.ts';
import { Journal } from './api-journal.ts';
import { objectOr } from './api-json.ts';
import type { Manager, Ownership } from './api-managed-fields.ts';
import { asVersion, parseObject } from './api-object.ts';
import { jsonPatch, mergePatch, strategicPatch } from './api-patch.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';
import { labelMatcher } from './api-selectors.ts';
import { shapeOf } from './api-shapes.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  invalidValue,
  notFound,
  notServed,
} from './api-status.ts';
import {
  type Change,
  changed,
  checkPreconditions,
  checkRemoval,
  created,
  isReleased,
  isStatusApart,
  terminating,
  type Write,
} from './api-write.ts';

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

const defaultManager = 'simulation';
const indestructible = new Set(['default', 'kube-system', 'kube-public']);

export class ObjectStore {
  readonly clusterId: string;
  /** Called for every create, update and delete, dry runs included. */
  admit: Admit | undefined;

  readonly #journal: Journal;
  readonly #establishes: boolean;
  readonly #now: () => Date;
  readonly #cleanup: Cleanup;

  private constructor(disk: Disk, clusterId: string, options: StoreOptions) {
    this.clusterId = clusterId;
    this.#journal = new Journal(disk, clusterId);
    this.#establishes = options.establishDefinitions ?? true;
    this.#now = options.now ?? (() => new Date());
    this.#cleanup = new Cleanup(this);
  }

  /** The cluster's objects as they were left. Unfinished deletions go on in the background. */
  static open(disk: Disk, clusterId: string, options: StoreOptions = {}): ObjectStore {
    return new ObjectStore(disk, clusterId, options);
  }

  /** The newest version given to a write: a watch that starts here misses nothing. */
  get resourceVersion(): string {
    return String(this.#journal.version);
  }

  /** Every kind that is served: built-in ones and those of Established definitions. */
  resources(): readonly ResourceType[] {
    return this.#journal.types();
  }

  resourceFor(apiVersion: string, kind: string): ResourceType | undefined {
    return this.#journal.type(apiVersion, kind);
  }

  get(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): KubernetesObject | undefined {
    const type = this.resourceFor(apiVersion, kind);
    const object = type && this.#journal.find(type, namespace, name);
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
    return [...this.#journal.entries(type)]
      .filter(([key, object]) => key.startsWith(prefix) && matches(object))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => asVersion(object, type, version));
  }

  /** Every object of every kind, also of kinds that are no longer served. */
  all(): Iterable<KubernetesObject> {
    return this.#journal.all();
  }

  /** @throws ApiStatusError AlreadyExists, Invalid, NotFound (kind or namespace), Forbidden */
  async create(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Update');
    return this.#insert(type, object, manager, options);
  }

  /** Replaces an object. @throws ApiStatusError NotFound, Conflict when its resourceVersion is not the present one */
  async update(object: KubernetesObject, options: WriteOptions = {}): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Update');
    const { namespace, name } = object.metadata;
    const existing = this.#existing(type, namespace, name);
    return this.#replace({ ...this.#write(type, options), existing, manager }, object);
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
    const reference = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const { type, object } = this.#read(reference);
    const status = change(objectOr(object.status));
    return this.update(
      { ...object, status },
      isStatusApart(type) ? { ...options, subresource: 'status' } : options,
    );
  }

  /** Changes an object by a function of the present one: never conflicts. `status` has its own method. */
  async mutate(
    reference: ObjectReference,
    change: (object: KubernetesObject) => KubernetesObject,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    return this.update(change(this.#read(reference).object), options);
  }

  /** @throws ApiStatusError as update does, and 400 or 422 for a patch that does not fit */
  async patch(
    reference: ObjectReference,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<KubernetesObject> {
    const { type, object } = this.#read(reference);
    const next = parseObject(patched(object, patch, type, splitApiVersion(reference.apiVersion)[1]));
    if (next.metadata.name !== reference.name || next.metadata.namespace !== object.metadata.namespace) {
      throw badRequest('the name of the object based on the patch does not match the name on the URL');
    }
    return this.update(next, options);
  }

  /** Server-side apply. @throws ApiStatusError Conflict listing each field that another manager owns, unless forced */
  async apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject> {
    const { type, manager } = this.#target(object, options, 'Apply');
    const { namespace, name, uid } = object.metadata;
    if (object.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
    const live = this.#journal.find(type, namespace, name);
    if (!live && options.subresource) throw notFound(type, name);
    if (!live && uid !== undefined) {
      throw conflict(
        type,
        name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    }
    if (live) {
      if (uid !== undefined && uid !== live.metadata.uid) {
        throw invalid(type, name, [invalidValue('metadata.uid', uid, 'field is immutable')]);
      }
      checkPreconditions(type, object, live);
    }
    const { object: merged, ownerships } = applyConfiguration({
      live: live && asVersion(live, type, manager.version),
      configuration: object,
      manager,
      force: options.force ?? false,
      shape: shapeOf(type, manager.version),
      statusApart: isStatusApart(type),
      now: this.#time(),
    });
    if (!live) return this.#insert(type, merged, ownerships, options);
    return this.#replace({ ...this.#write(type, options), existing: live, manager, ownerships }, merged);
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
    checkRemoval(type, options, stored);
    if (type.kind === 'Namespace' && indestructible.has(reference.name)) {
      throw forbidden(type, reference.name, 'this namespace may not be deleted');
    }
    const dryRun = options.dryRun ?? false;
    this.admit?.({ operation: 'DELETE', object: stored, oldObject: stored, dryRun });
    const left = terminating(type, stored, options.propagation, this.#time());
    if (dryRun || left === stored) return left;
    if (left) return this.#journal.store(type, left, stored);
    await this.#journal.drop(type, stored);
    return undefined;
  }

  /** Ends a namespace whose contents are gone (its `finalize` subresource). */
  async finalizeNamespace(name: string): Promise<void> {
    const { type, stored } = this.#read({ apiVersion: 'v1', kind: 'Namespace', name });
    const { deletionTimestamp, finalizers } = stored.metadata;
    if (deletionTimestamp !== undefined && !finalizers?.length) await this.#journal.drop(type, stored);
  }

  /** Calls the listener for each change from now on, in order. Returns how to stop it. */
  watch(listener: (event: ObjectEvent) => void): () => void {
    return this.#journal.watch(listener);
  }

  /** Resolves when garbage collection and deletions in the background have nothing left to do now. */
  async settled(): Promise<void> {
    await this.#cleanup.settled();
  }

  /** Stops background work; the objects stay on disk. */
  close(): void {
    this.#cleanup.stop();
  }

  async #insert(
    type: ResourceType,
    object: KubernetesObject,
    owner: Manager | readonly Ownership[],
    options: WriteOptions,
  ): Promise<KubernetesObject> {
    const name = nameFor(object);
    const { namespace } = object.metadata;
    if (type.namespaced) this.#checkNamespace(type, namespace ?? '', name);
    this.#checkDefinition(type, name);
    if (name !== '' && this.#journal.find(type, namespace, name)) throw alreadyExists(type, name);
    const named = { ...object, metadata: { ...object.metadata, name } };
    const next = created(this.#write(type, options), named, owner);
    return options.dryRun ? next : this.#journal.store(type, next, undefined);
  }

  async #replace(change: Change, proposed: KubernetesObject): Promise<KubernetesObject> {
    const { type, existing, dryRun } = change;
    const next = changed(change, proposed);
    if (!next) return asVersion(existing, type, splitApiVersion(proposed.apiVersion)[1]);
    if (dryRun) return next;
    if (!isReleased(type, next)) return this.#journal.store(type, next, existing);
    await this.#journal.drop(type, next);
    return next;
  }

  #write(type: ResourceType, { dryRun = false }: WriteOptions): Write {
    return { type, admit: this.admit, dryRun, now: this.#time(), establishes: this.#establishes };
  }

  #target(
    object: KubernetesObject,
    { fieldManager = defaultManager, subresource }: WriteOptions,
    operation: Manager['operation'],
  ): { readonly type: ResourceType; readonly manager: Manager & { readonly version: string } } {
    const { apiVersion, kind, metadata } = object;
    const type = this.resourceFor(apiVersion, kind);
    if (!type) throw notServed();
    if (type.namespaced && !metadata.namespace) {
      throw badRequest('an empty namespace may not be set when a resource name is provided');
    }
    const [, version] = splitApiVersion(apiVersion);
    const manager = { name: fieldManager, operation, apiVersion, version };
    return { type, manager: subresource ? { ...manager, subresource } : manager };
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
    const stored = this.#journal.find(type, namespace, name);
    if (!stored) throw notFound(type, name);
    return stored;
  }

  #checkNamespace(type: ResourceType, namespace: string, name: string): void {
    const found = this.get('v1', 'Namespace', undefined, namespace);
    if (!found) throw notFound({ group: '', kind: 'Namespace', plural: 'namespaces' }, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const message = `namespace ${namespace} is being terminated`;
    const cause = { reason: 'NamespaceTerminating', message, field: 'metadata.namespace' };
    throw forbidden(type, name, why, [cause]);
  }

  /** While a definition is being deleted, objects of its kind go and none comes. */
  #checkDefinition(type: ResourceType, name: string): void {
    if (!type.custom) return;
    const { apiVersion, kind } = definitionKind;
    const definition = this.get(apiVersion, kind, undefined, `${type.plural}.${type.group}`);
    if (definition?.metadata.deletionTimestamp === undefined) return;
    throw forbidden(type, name, 'create not allowed while custom resource definition is terminating');
  }

  #time(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}

function nameFor({ metadata }: KubernetesObject): string {
  if (metadata.name !== '' || typeof metadata.generateName !== 'string') return metadata.name;
  return metadata.generateName + randomUUID().slice(0, 5);
}

function patched(object: KubernetesObject, patch: Patch, type: ResourceType, version: string): unknown {
  switch (patch.type) {
    case 'json':
      return jsonPatch(object, patch.value);
    case 'merge':
      return mergePatch(object, patch.value);
    case 'strategic':
      return strategicPatch(object, patch.value, shapeOf(type, version));
  }
}
