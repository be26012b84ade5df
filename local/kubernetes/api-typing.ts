// Server-side apply gives every field its type before it merges: what does not fit is refused as a whole, in the
// words of sigs.k8s.io/structured-merge-diff/typed. Of built-in kinds only
// top-level fields and repeated keys are looked at.

import type { KubernetesObject } from '../../core/ports.ts';
import { readablePath } from './api-fields.ts';
import { isObject, type JsonObject, objectOr } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';
import { embedded, rootFields, schemaOf, schemaOfField, unknownFields } from './api-schema.ts';
import { itemKey, repeatedItems, type Shape, shapeOf } from './api-shapes.ts';

/** The first thing about a configuration that does not fit its type: `.spec.size: expected string, got …`. */
export function typingProblem(
  type: ResourceType,
  version: string,
  object: KubernetesObject,
): string | undefined {
  const schema = type.custom ? schemaOf(type, version) : undefined;
  const [unknown] = type.custom ? [] : unknownFields(type, version, object);
  if (unknown !== undefined) return `.${unknown}: field not declared in schema`;
  return find(object, schema, shapeOf(type, version), '', true);
}

function find(
  value: unknown,
  schema: JsonObject | undefined,
  shape: Shape,
  path: string,
  root = false,
): string | undefined {
  const mistyped = schema && !root ? typeProblem(value, schema, path) : undefined;
  if (mistyped !== undefined) return mistyped;
  if (Array.isArray(value)) {
    const [repeated] = repeatedItems(value, shape.list);
    if (repeated) return `${path}: duplicate entries for key ${readablePath(repeated.key)}`;
    const items = schema && embedded(objectOr(schema.items));
    return firstOf(value, (item, index) => {
      const key = itemKey(item, shape.list);
      const itemPath = key === undefined ? `${path}[${index}]` : path + readablePath(key);
      return find(item, items, shape.items(), itemPath);
    });
  }
  if (!isObject(value)) return undefined;
  return firstOf(Object.entries(value), ([name, field]) => {
    const fieldPath = `${path}.${name}`;
    if (!schema || (root && rootFields.has(name)))
      return find(field, undefined, shape.field(name), fieldPath);
    const fieldSchema = schemaOfField(schema, name);
    if (fieldSchema === 'unknown') return `${fieldPath}: field not declared in schema`;
    return find(field, embedded(fieldSchema), shape.field(name), fieldPath);
  });
}

function firstOf<T>(
  items: readonly T[],
  problemOf: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const problem = problemOf(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function typeProblem(value: unknown, schema: JsonObject, path: string): string | undefined {
  if (value === null || value === undefined || schema['x-kubernetes-int-or-string'] === true)
    return undefined;
  const actual = Array.isArray(value) ? 'list' : isObject(value) ? 'map' : typeof value;
  const expected = expectedKind[String(schema.type)];
  if (expected === undefined || expected.actual === actual) return undefined;
  return `${path}: expected ${expected.name}, got ${actual}`;
}

const numeric = { name: 'numeric (int or float)', actual: 'number' };
const expectedKind: Readonly<Record<string, { readonly name: string; readonly actual: string }>> = {
  integer: numeric,
  number: numeric,
  string: { name: 'string', actual: 'string' },
  boolean: { name: 'boolean', actual: 'boolean' },
  array: { name: 'list', actual: 'list' },
  object: { name: 'map', actual: 'map' },
};
