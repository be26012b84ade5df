// How server-side apply merges a field: which lists are keyed, sets or atomic, and which maps are atomic.
// The schema says so: a CRD's, or that of a built-in kind.

import { builtInSchema, metadataSchema } from './api-built-in-schemas.ts';
import { isObject, type JsonObject, objectOr, stringOr } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';

export interface Shape {
  /** A map that is replaced as a whole. */
  readonly atomic: boolean;
  /** A map whose keys anyone may add, or a structure that can be absent: it has an owner of its own. */
  readonly isMap: boolean;
  /** Replaced as a whole, a set of scalars, or items told apart by these fields. */
  readonly list: 'atomic' | 'set' | readonly string[];
  field(name: string): Shape;
  items(): Shape;
}

/** The shape of objects of a type in one of its versions. */
export function shapeOf(type: ResourceType, version: string): Shape {
  if (!type.custom) return builtInShape(builtInSchema(type, version) ?? {});
  const schema = type.versions.find(({ name }) => name === version)?.schema;
  return shapeOfSchema(schema ?? {}, true);
}

/** Fields that tell list items apart, with the values of absent ones that Kubernetes fills in. */
const keyDefaults: JsonObject = { protocol: 'TCP' };

/** The FieldsV1 element of a list item; undefined when it lacks its key. */
export function itemKey(value: unknown, list: Shape['list']): string | undefined {
  if (list === 'atomic') return undefined;
  if (list === 'set') return typeof value === 'object' ? undefined : `v:${JSON.stringify(value)}`;
  if (!isObject(value)) return undefined;
  const key: Record<string, unknown> = {};
  for (const field of [...list].sort()) {
    const part = value[field] ?? keyDefaults[field];
    if (part === undefined || part === null) {
      if (list.length === 1) return undefined;
      continue;
    }
    key[field] = part;
  }
  return Object.keys(key).length === 0 ? undefined : `k:${JSON.stringify(key)}`;
}

/** Items whose key an earlier item has. */
export function repeatedItems(
  items: readonly unknown[],
  list: Shape['list'],
): readonly { readonly index: number; readonly key: string }[] {
  const seen = new Set<string>();
  return items.flatMap((value, index) => {
    const key = itemKey(value, list);
    if (key === undefined) return [];
    if (seen.has(key)) return [{ index, key }];
    seen.add(key);
    return [];
  });
}

/** Maps of built-in kinds that have an owner of their own; structures have none. */
const freeMaps = new Set([
  'labels',
  'annotations',
  'data',
  'binaryData',
  'limits',
  'requests',
  'capacity',
  'allocatable',
  'rollingUpdate',
]);

function builtInShape(schema: JsonObject, name = ''): Shape {
  const own = shapeOfSchema(schema);
  return {
    ...own,
    isMap: freeMaps.has(name),
    field: (child) => builtInShape(fieldSchema(schema, child), child),
    items: () => builtInShape(objectOr(schema.items)),
  };
}

function fieldSchema(schema: JsonObject, name: string): JsonObject {
  return objectOr(objectOr(schema.properties)[name] ?? schema.additionalProperties);
}

/** The shape that a schema of a custom resource describes; `root`: of whole objects, which have metadata. */
export function shapeOfSchema(schema: JsonObject, root = false): Shape {
  const listType = stringOr(schema['x-kubernetes-list-type'], 'atomic');
  const mapKeys = schema['x-kubernetes-list-map-keys'];
  return {
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    isMap: !root,
    list:
      listType === 'map' && Array.isArray(mapKeys)
        ? mapKeys.filter((key) => typeof key === 'string')
        : listType === 'set'
          ? 'set'
          : 'atomic',
    field: (name) => {
      if (root && name === 'metadata') return builtInShape(metadataSchema());
      return shapeOfSchema(fieldSchema(schema, name));
    },
    items: () => shapeOfSchema(objectOr(schema.items)),
  };
}
