// What follows a deletion: owned objects, the contents of namespaces, the objects of a definition. In a real
// cluster this is the work of kube-controller-manager.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { definitionFinalizer, definitionKind } from './api-definitions.ts';
import { at, stringOr } from './api-json.ts';
import { referenceTo } from './api-object.ts';
import { joinApiVersion } from './api-resources.ts';
import { ApiStatusError } from './api-status.ts';
import type { ObjectEvent, ObjectStore } from './object-store.ts';

const retryMilliseconds = 1000;

export class Cleanup {
  readonly #store: ObjectStore;
  /** uid of an owner → its dependents by uid. */
  readonly #owned = new Map<string, Map<string, ObjectReference>>();
  readonly #alive = new Map<string, ObjectReference>();
  /** What is to be looked at, by a key that makes repeated wishes one. */
  readonly #work = new Map<string, () => Promise<void>>();
  readonly #unwatch: () => void;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(store: ObjectStore) {
    this.#store = store;
    for (const object of store.all()) this.#index(object);
    for (const object of store.all()) this.#consider(object);
    this.#unwatch = store.watch((event) => this.#observe(event));
  }

  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#work.clear();
  }

  #observe({ type, object, previous }: ObjectEvent): void {
    const uid = object.metadata.uid ?? '';
    if (type === 'DELETED') {
      this.#alive.delete(uid);
      for (const owner of object.metadata.ownerReferences ?? []) {
        this.#owned.get(owner.uid)?.delete(uid);
        this.#reconsider(this.#alive.get(owner.uid));
      }
      for (const dependent of this.#owned.get(uid)?.values() ?? []) this.#reconsider(dependent);
      this.#considerHolders(object);
      return;
    }
    for (const owner of previous?.metadata.ownerReferences ?? []) this.#owned.get(owner.uid)?.delete(uid);
    this.#index(object);
    this.#consider(object);
  }

  #index(object: KubernetesObject): void {
    const uid = object.metadata.uid ?? '';
    this.#alive.set(uid, referenceTo(object));
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#owned.get(owner.uid) ?? new Map<string, ObjectReference>();
      dependents.set(uid, referenceTo(object));
      this.#owned.set(owner.uid, dependents);
    }
  }

  #reconsider(reference: ObjectReference | undefined): void {
    const object = reference && this.#read(reference);
    if (object) this.#consider(object);
  }

  #read({ apiVersion, kind, namespace, name }: ObjectReference): KubernetesObject | undefined {
    return this.#store.get(apiVersion, kind, namespace, name);
  }

  /** The namespace or definition that may have waited for this object to go. */
  #considerHolders(object: KubernetesObject): void {
    const { namespace } = object.metadata;
    if (namespace !== undefined) this.#reconsider({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    for (const definition of this.#store.list(definitionKind.apiVersion, definitionKind.kind)) {
      if (definition.metadata.deletionTimestamp !== undefined) this.#consider(definition);
    }
  }

  #consider(object: KubernetesObject): void {
    const { uid = '', deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
    if (ownerReferences.some((owner) => !this.#alive.has(owner.uid))) {
      this.#enqueue(`owners ${uid}`, () => this.#dropAbsentOwners(object));
    }
    if (deletionTimestamp === undefined) return;
    if (object.kind === 'Namespace') this.#enqueue(`namespace ${uid}`, () => this.#emptyNamespace(object));
    if (finalizers.includes(definitionFinalizer)) {
      this.#enqueue(`definition ${uid}`, () => this.#emptyDefinition(object));
    }
    if (finalizers.includes('foregroundDeletion')) {
      this.#enqueue(`foreground ${uid}`, () => this.#deleteDependents(object));
    }
    if (finalizers.includes('orphan')) this.#enqueue(`orphan ${uid}`, () => this.#orphanDependents(object));
  }

  async #dropAbsentOwners(object: KubernetesObject): Promise<void> {
    const present = this.#read(referenceTo(object));
    if (!present || present.metadata.uid !== object.metadata.uid) return;
    const owners = present.metadata.ownerReferences ?? [];
    const left = owners.filter((owner) => this.#alive.has(owner.uid));
    if (left.length === owners.length) return;
    if (left.length > 0) {
      await this.#store.mutate(referenceTo(present), (current) => ({
        ...current,
        metadata: { ...current.metadata, ownerReferences: left },
      }));
    } else if (present.metadata.deletionTimestamp === undefined) {
      await this.#remove(present);
    }
  }

  async #emptyNamespace(namespace: KubernetesObject): Promise<void> {
    const { name } = namespace.metadata;
    const contents = [...this.#store.all()].filter((object) => object.metadata.namespace === name);
    for (const object of contents) {
      if (object.metadata.deletionTimestamp === undefined) await this.#remove(object);
    }
    const isEmpty = ![...this.#store.all()].some((object) => object.metadata.namespace === name);
    if (isEmpty && this.#read(referenceTo(namespace))) await this.#store.finalizeNamespace(name);
  }

  async #emptyDefinition(definition: KubernetesObject): Promise<void> {
    const spec = definition.spec;
    const kind = stringOr(at(spec, 'names', 'kind'), '');
    const type = this.#store
      .resources()
      .find((resource) => resource.custom && resource.kind === kind && resource.group === at(spec, 'group'));
    if (type) {
      const apiVersion = joinApiVersion(type.group, type.versions[0]?.name ?? type.storageVersion);
      for (const object of this.#store.list(apiVersion, kind)) {
        if (object.metadata.deletionTimestamp === undefined) await this.#remove(object);
      }
      if (this.#store.list(apiVersion, kind).length > 0) return;
    }
    await this.#dropFinalizer(definition, definitionFinalizer);
  }

  async #deleteDependents(owner: KubernetesObject): Promise<void> {
    const dependents = this.#dependentsOf(owner);
    for (const dependent of dependents) {
      if (dependent.metadata.deletionTimestamp === undefined) {
        await this.#remove(dependent, 'Foreground');
      }
    }
    const isBlocked = this.#dependentsOf(owner).some((dependent) =>
      dependent.metadata.ownerReferences?.some(
        (reference) => reference.uid === owner.metadata.uid && at(reference, 'blockOwnerDeletion') === true,
      ),
    );
    if (!isBlocked) await this.#dropFinalizer(owner, 'foregroundDeletion');
  }

  async #orphanDependents(owner: KubernetesObject): Promise<void> {
    for (const dependent of this.#dependentsOf(owner)) {
      await this.#store.mutate(referenceTo(dependent), (current) => ({
        ...current,
        metadata: {
          ...current.metadata,
          ownerReferences: (current.metadata.ownerReferences ?? []).filter(
            ({ uid }) => uid !== owner.metadata.uid,
          ),
        },
      }));
    }
    await this.#dropFinalizer(owner, 'orphan');
  }

  #dependentsOf(owner: KubernetesObject): readonly KubernetesObject[] {
    const references = this.#owned.get(owner.metadata.uid ?? '')?.values() ?? [];
    return [...references].map((reference) => this.#read(reference)).filter((object) => object !== undefined);
  }

  async #remove(
    object: KubernetesObject,
    propagation: 'Background' | 'Foreground' = 'Background',
  ): Promise<void> {
    try {
      await this.#store.remove(referenceTo(object), { uid: object.metadata.uid, propagation });
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.code !== 404) throw error;
    }
  }

  async #dropFinalizer(object: KubernetesObject, finalizer: string): Promise<void> {
    if (this.#read(referenceTo(object))?.metadata.uid !== object.metadata.uid) return;
    await this.#store.mutate(referenceTo(object), (current) => ({
      ...current,
      metadata: {
        ...current.metadata,
        finalizers: (current.metadata.finalizers ?? []).filter((name) => name !== finalizer),
      },
    }));
  }

  #enqueue(key: string, work: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#work.set(key, work);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Not within the write that caused it: its caller is answered first, as in a real cluster.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [key, work] of this.#work) {
      this.#work.delete(key);
      try {
        await work();
      } catch {
        // Admission may refuse a deletion for now; a controller tries again until it works.
        setTimeout(() => this.#enqueue(key, work), retryMilliseconds).unref();
      }
    }
    this.#running = undefined;
  }
}
