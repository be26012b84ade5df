// Server-side apply gives every field its type before it merges: what does not fit is refused as a whole, in the
// words of sigs.k8s.io/structured-merge-diff/typed.

import type { KubernetesObject } from '../../core/ports.ts';
import { anything, builtInSchema, metadataSchema } from './api-built-in-schemas.ts';
import { readablePath } from './api-fields.ts';
import { isObject, type JsonObject, objectOr } from './api-json.ts';
import type { ResourceType } from './api-resources.ts';
import { embedded, schemaOf, schemaOfField } from './api-schema.ts';
import { itemKey, repeatedItems, type Shape, shapeOf } from './api-shapes.ts';

/** Everything about a configuration that does not fit its type: `.spec.size: expected string, got …`. */
export function typingProblems(
  type: ResourceType,
  version: string,
  object: KubernetesObject,
): readonly string[] {
  const problems: string[] = [];
  const schema = typingSchema(type, version);
  collect(object, schema, shapeOf(type, version), '', problems);
  return problems;
}

/** The problems as a real server tells them. */
export function typingMessage(problems: readonly string[]): string {
  const [only] = problems;
  return problems.length === 1 && only !== undefined ? only : `errors:\n  ${problems.join('\n  ')}`;
}

/** The schema of whole objects, identity and metadata included. */
function typingSchema(type: ResourceType, version: string): JsonObject {
  if (!type.custom) return builtInSchema(type, version) ?? anything;
  const schema = schemaOf(type, version);
  if (!schema) return anything;
  const scalar = { type: 'string' };
  const properties = {
    ...objectOr(schema.properties),
    apiVersion: scalar,
    kind: scalar,
    metadata: metadataSchema(),
  };
  return { ...schema, properties };
}

function collect(value: unknown, schema: JsonObject, shape: Shape, path: string, problems: string[]): void {
  const mistyped = typeProblem(value, schema, path);
  if (mistyped !== undefined) {
    problems.push(mistyped);
    return;
  }
  if (Array.isArray(value)) {
    for (const { key } of repeatedItems(value, shape.list)) {
      problems.push(`${path}: duplicate entries for key ${readablePath(key)}`);
    }
    const items = embedded(objectOr(schema.items));
    for (const [index, item] of value.entries()) {
      const key = itemKey(item, shape.list);
      if (key === undefined && typeof shape.list === 'object' && isObject(item)) {
        const keys = `[${shape.list.map((name) => JSON.stringify(name)).join(' ')}]`;
        problems.push(
          `${path}: element ${index}: associative list with keys has an element that omits all key fields ${keys} (and doesn't have default values for any key fields)`,
        );
      }
      const itemPath = key === undefined ? `${path}[${index}]` : path + readablePath(key);
      collect(item, items, shape.items(), itemPath, problems);
    }
  } else if (isObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      const fieldSchema = schemaOfField(schema, name);
      const fieldPath = `${path}.${name}`;
      if (fieldSchema === 'unknown') {
        problems.push(`${fieldPath}: field not declared in schema`);
        // A real server does not look at the rest of this map either.
        return;
      }
      collect(field, embedded(fieldSchema), shape.field(name), fieldPath, problems);
    }
  }
}

function typeProblem(value: unknown, schema: JsonObject, path: string): string | undefined {
  if (value === null || value === undefined || schema['x-kubernetes-int-or-string'] === true)
    return undefined;
  const actual = formOf(value);
  const expected = expectedKind[String(schema.type)];
  if (expected === undefined || expected.actual === actual) return undefined;
  return `${path}: expected ${expected.name}, got ${inGo(value, expected.name)}`;
}

function formOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return isObject(value) ? 'map' : typeof value;
}

/** A value as the server prints it, which depends on what it expected. */
function inGo(value: unknown, expected: string): string {
  if (expected === numeric.name) return formOf(value);
  if (expected !== 'string') return `&{${String(value)}}`;
  return `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
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
