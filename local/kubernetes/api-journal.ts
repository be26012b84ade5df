// Where the objects of one simulated cluster are: in memory for reading, on disk for the next start. Gives each
// write its number and tells of it in order.

import type { KubernetesObject } from '../../core/ports.ts';
import type { Collection, Disk } from '../disk.ts';
import { definedResource, definitionKind } from './api-definitions.ts';
import { deepFreeze } from './api-json.ts';
import { asVersion } from './api-object.ts';
import { builtInResources, joinApiVersion, type ResourceType, splitApiVersion } from './api-resources.ts';
import type { ObjectEvent } from './object-store.ts';

/** Versions are reserved in blocks, so that numbers never repeat after a crash without a second write each time. */
const reservedVersions = 1000;

export class Journal {
  readonly #clusterId: string;
  readonly #collection: Collection<KubernetesObject>;
  readonly #ceilings: Collection<number>;
  readonly #byType = new Map<string, Map<string, KubernetesObject>>();
  readonly #custom = new Map<string, ResourceType>();
  readonly #listeners = new Set<(event: ObjectEvent) => void>();
  #version: number;
  #ceiling: number;
  #told: Promise<void> = Promise.resolve();

  constructor(disk: Disk, clusterId: string) {
    this.#clusterId = clusterId;
    this.#collection = disk.collection(`kubernetes/${clusterId}`);
    this.#ceilings = disk.collection('kubernetes-versions');
    this.#ceiling = this.#ceilings.get(clusterId) ?? 0;
    this.#version = this.#ceiling;
    for (const [key, object] of this.#collection.entries()) {
      const [group = '', plural = '', namespace = '', name = ''] = key.split('/');
      this.#objectsOf(`${group}/${plural}`).set(`${namespace}/${name}`, deepFreeze(object));
      if (object.kind === definitionKind.kind) this.#define(object);
      // A crash may have come between an object and the reservation of its number.
      this.#version = Math.max(this.#version, Number(object.metadata.resourceVersion));
    }
  }

  get version(): number {
    return this.#version;
  }

  types(): readonly ResourceType[] {
    return [...builtInResources, ...this.#custom.values()];
  }

  type(apiVersion: string, kind: string): ResourceType | undefined {
    const [group, version] = splitApiVersion(apiVersion);
    const serves = (type: ResourceType) =>
      type.kind === kind && type.group === group && type.versions.some(({ name }) => name === version);
    return builtInResources.find(serves) ?? [...this.#custom.values()].find(serves);
  }

  find(type: ResourceType, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#objectsOf(typeKey(type)).get(objectKey(type, namespace, name));
  }

  /** Objects of a type by `<namespace>/<name>`, in no order. */
  entries(type: ResourceType): Iterable<readonly [key: string, object: KubernetesObject]> {
    return this.#objectsOf(typeKey(type));
  }

  *all(): Iterable<KubernetesObject> {
    for (const objects of this.#byType.values()) yield* objects.values();
  }

  watch(listener: (event: ObjectEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores an object, new or changed. Readers see it at once; resolves when it is durable and told. */
  async store(
    type: ResourceType,
    next: KubernetesObject,
    previous: KubernetesObject | undefined,
  ): Promise<KubernetesObject> {
    const object = this.#numbered(type, next);
    const key = objectKey(type, object.metadata.namespace, object.metadata.name);
    const objects = this.#objectsOf(typeKey(type));
    objects.set(key, object);
    this.#define(object);
    const write = this.#collection.put(`${typeKey(type)}/${key}`, object).catch((error: unknown) => {
      if (objects.get(key) === object) this.#restore(type, key, object, previous);
      throw error;
    });
    const change = { type: previous ? 'MODIFIED' : 'ADDED', object, resource: type } as const;
    await this.#tell(previous ? { ...change, previous } : change, write);
    return asVersion(object, type, splitApiVersion(next.apiVersion)[1]);
  }

  /** Removes an object; resolves when that is durable and told. */
  async drop(type: ResourceType, previous: KubernetesObject): Promise<void> {
    const object = this.#numbered(type, previous);
    const key = objectKey(type, object.metadata.namespace, object.metadata.name);
    const objects = this.#objectsOf(typeKey(type));
    objects.delete(key);
    if (object.kind === definitionKind.kind) this.#custom.delete(object.metadata.name);
    const write = this.#collection.delete(`${typeKey(type)}/${key}`).catch((error: unknown) => {
      if (!objects.has(key)) this.#restore(type, key, object, previous);
      throw error;
    });
    await this.#tell({ type: 'DELETED', object, previous, resource: type }, write);
  }

  /** Takes back what the disk refused: whoever asked is told, and must find it as it was to try again. */
  #restore(
    type: ResourceType,
    key: string,
    refused: KubernetesObject,
    previous: KubernetesObject | undefined,
  ): void {
    if (previous) {
      this.#objectsOf(typeKey(type)).set(key, previous);
      this.#define(previous);
    } else {
      this.#objectsOf(typeKey(type)).delete(key);
      if (refused.kind === definitionKind.kind) this.#custom.delete(refused.metadata.name);
    }
  }

  #numbered(type: ResourceType, object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    return deepFreeze<KubernetesObject>({
      ...object,
      apiVersion: joinApiVersion(type.group, type.storageVersion),
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    });
  }

  async #tell(event: ObjectEvent, write: Promise<void>): Promise<void> {
    const told = Promise.all([this.#told, write, this.#reserve()]).then(() => {
      for (const listener of [...this.#listeners]) listener(event);
    });
    // A failed write is reported to its own caller; those after it must still be told in order.
    this.#told = told.catch(() => undefined);
    await told;
  }

  async #reserve(): Promise<void> {
    if (this.#version < this.#ceiling) return;
    const before = this.#ceiling;
    this.#ceiling = this.#version + reservedVersions;
    try {
      await this.#ceilings.put(this.#clusterId, this.#ceiling);
    } catch (error) {
      this.#ceiling = before;
      throw error;
    }
  }

  #define(definition: KubernetesObject): void {
    if (definition.kind !== definitionKind.kind) return;
    const resource = definedResource(definition);
    if (resource) this.#custom.set(definition.metadata.name, resource);
    else this.#custom.delete(definition.metadata.name);
  }

  #objectsOf(key: string): Map<string, KubernetesObject> {
    let objects = this.#byType.get(key);
    if (!objects) {
      objects = new Map();
      this.#byType.set(key, objects);
    }
    return objects;
  }
}

function typeKey({ group, plural }: ResourceType): string {
  return `${group}/${plural}`;
}

function objectKey(type: ResourceType, namespace: string | undefined, name: string): string {
  return `${type.namespaced ? namespace : ''}/${name}`;
}
