// Sets of fields, and their form in `metadata.managedFields` (FieldsV1).
// Format: sigs.k8s.io/structured-merge-diff/fieldpath/serialize.go.

import { isObject, type JsonObject, sameJson } from './api-json.ts';
import type { Shape } from './api-shapes.ts';
import { itemKey } from './api-shapes.ts';

/**
 * Field path → value there. A path is its FieldsV1 elements (`f:spec`, `k:{"name":"web"}`, `v:"x"`) joined by
 * `separator`; an item of a keyed list has a path of its own, with `item` as its value.
 */
export type FieldSet = ReadonlyMap<string, unknown>;

export const separator = '\u001f';
const item = Symbol('item');

/** Never owned by anyone: identity, and what the server sets itself. */
const unowned = new Set([
  'f:apiVersion',
  'f:kind',
  ...[
    'name',
    'namespace',
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'managedFields',
    'selfLink',
  ].map((field) => `f:metadata${separator}f:${field}`),
]);

/**
 * Every field that the value states. Who applies owns what is stated; who updates owns also the maps and lists
 * around it (`containers`).
 */
export function fieldsOf(value: JsonObject, shape: Shape, containers = false): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  collect(value, shape, '', { fields, containers });
  for (const path of fields.keys()) if (isUnowned(path)) fields.delete(path);
  return fields;
}

function isUnowned(path: string): boolean {
  const second = path.indexOf(separator, path.indexOf(separator) + 1);
  return path === 'f:metadata' || unowned.has(second < 0 ? path : path.slice(0, second)) || unowned.has(path);
}

interface Collection {
  readonly fields: Map<string, unknown>;
  readonly containers: boolean;
}

function collect(value: unknown, shape: Shape, path: string, into: Collection): void {
  const { fields, containers } = into;
  if (isObject(value) && !shape.atomic) {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    if (entries.length === 0 && path !== '') fields.set(path, value);
    if (containers && shape.isMap && entries.length > 0) fields.set(path, item);
    for (const [name, field] of entries) collect(field, shape.field(name), join(path, `f:${name}`), into);
    return;
  }
  if (Array.isArray(value) && shape.list !== 'atomic' && value.length > 0) {
    const keys = value.map((element) => itemKey(element, shape.list));
    if (keys.every((key) => key !== undefined) && new Set(keys).size === keys.length) {
      if (containers) fields.set(path, item);
      for (const [index, key] of keys.entries()) {
        const itemPath = join(path, key);
        if (shape.list === 'set') fields.set(itemPath, value[index]);
        else {
          fields.set(itemPath, item);
          collect(value[index], shape.items(), itemPath, into);
        }
      }
      return;
    }
  }
  fields.set(path, value);
}

function join(path: string, element: string): string {
  return path === '' ? element : path + separator + element;
}

/** Paths of `after` that are not in `before`, or have another value there. */
export function changedPaths(before: FieldSet, after: FieldSet): Set<string> {
  const changed = new Set<string>();
  for (const [path, value] of after) {
    if (!before.has(path) || !sameJson(before.get(path), value)) changed.add(path);
  }
  return changed;
}

export function missingPaths(before: FieldSet, after: FieldSet): Set<string> {
  return new Set([...before.keys()].filter((path) => !after.has(path)));
}

/** The paths as FieldsV1. */
export function encodeFields(paths: Iterable<string>): JsonObject {
  const root = emptyNode();
  for (const path of [...paths].sort()) {
    let node = root;
    for (const element of path.split(separator)) {
      const next = node[element];
      if (isMutableNode(next)) node = next;
      else {
        const made = emptyNode();
        node[element] = made;
        node = made;
      }
    }
    // Marks membership; removed again below for leaves, where an empty object says the same.
    node['.'] = {};
  }
  return collapse(root);
}

/** Without a prototype: names come from the fields of whatever someone applied. */
function emptyNode(): Record<string, unknown> {
  return Object.create(null);
}

function isMutableNode(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function collapse(node: JsonObject): JsonObject {
  const names = Object.keys(node);
  if (names.length === 1 && names[0] === '.') return {};
  return Object.fromEntries(
    names.map((name) => {
      const child = node[name];
      return [name, name === '.' || !isObject(child) ? {} : collapse(child)];
    }),
  );
}

/** The paths that a FieldsV1 value names. */
export function decodeFields(fields: unknown): Set<string> {
  const paths = new Set<string>();
  decodeInto(fields, '', paths);
  return paths;
}

function decodeInto(node: unknown, path: string, paths: Set<string>): void {
  if (!isObject(node)) return;
  const names = Object.keys(node);
  if (path !== '' && (names.length === 0 || '.' in node)) paths.add(path);
  for (const name of names) if (name !== '.') decodeInto(node[name], join(path, name), paths);
}

/** As a real server iterates over a set: of a map the plain fields first, then those that lead deeper. */
export function inSetOrder(paths: Iterable<string>): readonly string[] {
  const levels = (path: string) => path.split(separator);
  return [...paths].toSorted((left, right) => {
    const [a, b] = [levels(left), levels(right)];
    const apart = a.findIndex((element, index) => element !== b[index]);
    if (apart < 0) return a.length - b.length;
    const [leafA, leafB] = [a.length === apart + 1, b.length === apart + 1];
    if (leafA !== leafB) return leafA ? -1 : 1;
    return String(a[apart]) < String(b[apart]) ? -1 : 1;
  });
}

/** A path as error messages write it: `.spec.template.spec.containers[name="web"].image`. */
export function readablePath(path: string): string {
  return path
    .split(separator)
    .map((element) => {
      const content = element.slice(2);
      if (element.startsWith('f:')) return `.${content}`;
      if (element.startsWith('v:')) return `[=${content}]`;
      const keys: unknown = JSON.parse(content);
      const pairs = Object.entries(isObject(keys) ? keys : {});
      return `[${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
