// How server-side apply merges a field: which lists are keyed, sets or atomic, and which maps are atomic.
// For custom resources the CRD's schema says so. For built-in kinds: the `listType`, `listMapKey` and `mapType`
// markers of k8s.io/api, by field name, for the fields that manifests use.

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
  if (!type.custom) return builtInShape('', '');
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

const named = ['name'];

const keyedLists: Readonly<Record<string, readonly string[]>> = {
  containers: named,
  initContainers: named,
  ephemeralContainers: named,
  volumes: named,
  env: named,
  imagePullSecrets: named,
  webhooks: named,
  resourceClaims: named,
  validations: ['expression'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  secrets: named,
};

const atomicMaps = new Set([
  'selector',
  'nodeSelector',
  'namespaceSelector',
  'objectSelector',
  'podSelector',
  'labelSelector',
  'roleRef',
  'configMapKeyRef',
  'secretKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'claimRef',
  'objectRef',
  'involvedObject',
]);

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

function builtInShape(name: string, parent: string): Shape {
  return {
    atomic: atomicMaps.has(name),
    isMap: freeMaps.has(name),
    list: builtInList(name, parent),
    field: (child) => builtInShape(child, name),
    items: () => builtInShape(`${name}[]`, parent),
  };
}

function builtInList(name: string, parent: string): Shape['list'] {
  if (name === 'finalizers' && parent === 'metadata') return 'set';
  if (name === 'ports') {
    if (parent === 'spec') return ['port', 'protocol'];
    return parent.endsWith('ontainers[]') ? ['containerPort', 'protocol'] : 'atomic';
  }
  if (name === 'addresses') return parent === 'status' ? ['type'] : 'atomic';
  // `rules`, `subjects`, `args` and the versions of a CRD are atomic too.
  return keyedLists[name] ?? 'atomic';
}

/** The shape that a schema of a custom resource describes; `root`: of whole objects, which have metadata. */
export function shapeOfSchema(schema: JsonObject, root = false): Shape {
  const listType = stringOr(schema['x-kubernetes-list-type'], 'atomic');
  const mapKeys = schema['x-kubernetes-list-map-keys'];
  const properties = objectOr(schema.properties);
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
      if (root && name === 'metadata') return builtInShape('metadata', '');
      const property = properties[name] ?? schema.additionalProperties;
      return shapeOfSchema(objectOr(property));
    },
    items: () => shapeOfSchema(objectOr(schema.items)),
  };
}
