// The OpenAPI v3 schemas of custom resources: defaults, pruning and unknown fields, as
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ describes them.

import type { KubernetesObject } from '../../core/ports.ts';
import { anything, builtInSchema } from './api-built-in-schemas.ts';
import { isObject, type JsonObject, objectOr } from './api-json.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';

/** Set and checked by the server itself; not in any schema. */
export const rootFields = new Set(['apiVersion', 'kind', 'metadata']);

export function schemaOf(type: ResourceType, version: string): JsonObject | undefined {
  return type.versions.find(({ name }) => name === version)?.schema;
}

/** A custom resource with its schema's defaults, and without fields that the schema does not know. */
export function conformToSchema(type: ResourceType, object: KubernetesObject): KubernetesObject {
  const schema = schemaOf(type, splitApiVersion(object.apiVersion)[1]);
  if (!schema) return object;
  const { apiVersion, kind, metadata } = object;
  return { ...objectOr(conform(object, schema, true)), apiVersion, kind, metadata };
}

function conform(value: unknown, schema: JsonObject, root = false): unknown {
  if (Array.isArray(value)) {
    const items = schema.items;
    return isObject(items) ? value.map((item) => conform(item, items)) : value;
  }
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (root && rootFields.has(name)) result[name] = field;
    else {
      const fieldSchema = schemaOfField(schema, name);
      if (fieldSchema === 'unknown') continue;
      // A null where null is not allowed is dropped, so that the default takes its place.
      const isDropped = field === null && fieldSchema.nullable !== true && 'default' in fieldSchema;
      if (!isDropped) result[name] = conform(field, embedded(fieldSchema));
    }
  }
  for (const [name, property] of Object.entries(objectOr(schema.properties))) {
    if (result[name] !== undefined || !isObject(property) || property.default === undefined) continue;
    result[name] = conform(property.default, property);
  }
  return result;
}

/** A custom resource without nulls where its schema allows none: what is read from a body loses them. */
export function withoutNulls(
  type: ResourceType,
  version: string,
  object: KubernetesObject,
): KubernetesObject {
  const schema = schemaOf(type, version);
  if (!schema) return object;
  const { apiVersion, kind, metadata } = object;
  return { ...objectOr(dropNulls(object, schema)), apiVersion, kind, metadata };
}

function dropNulls(value: unknown, schema: JsonObject): unknown {
  if (Array.isArray(value)) return value.map((item) => dropNulls(item, objectOr(schema.items)));
  if (!isObject(value) || schema['x-kubernetes-preserve-unknown-fields'] === true) return value;
  const kept = Object.entries(value).flatMap(([name, field]) => {
    const fieldSchema = schemaOfField(schema, name);
    if (fieldSchema === 'unknown') return [[name, field] as const];
    const isDropped = field === null && fieldSchema.type !== undefined && fieldSchema.nullable !== true;
    return isDropped ? [] : [[name, dropNulls(field, fieldSchema)] as const];
  });
  return Object.fromEntries(kept);
}

/** An embedded object (`x-kubernetes-embedded-resource`) has metadata that is not in its schema. */
export function embedded(schema: JsonObject): JsonObject {
  if (schema['x-kubernetes-embedded-resource'] !== true) return schema;
  const properties = {
    apiVersion: anything,
    kind: anything,
    metadata: anything,
    ...objectOr(schema.properties),
  };
  return { ...schema, properties };
}

/** The schema of a field; `{}` where anything goes. */
export function schemaOfField(schema: JsonObject, name: string): JsonObject | 'unknown' {
  const property = objectOr(schema.properties)[name];
  if (isObject(property)) return property;
  const additional = schema.additionalProperties;
  if (isObject(additional)) return additional;
  const isOpen =
    additional === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (schema.properties === undefined && schema.type !== 'object');
  return isOpen ? anything : 'unknown';
}

/** Paths of fields that the schema of a kind does not know. */
export function unknownFields(type: ResourceType, version: string, object: object): readonly string[] {
  const schema = type.custom ? schemaOf(type, version) : builtInSchema(type, version);
  const paths: string[] = [];
  if (schema) collectUnknown(object, schema, '', paths, true);
  return paths;
}

function collectUnknown(
  value: unknown,
  schema: JsonObject,
  path: string,
  paths: string[],
  root = false,
): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      collectUnknown(item, embedded(objectOr(schema.items)), `${path}[${index}]`, paths);
    }
  } else if (isObject(value)) {
    for (const [name, field] of Object.entries(value)) {
      if (root && rootFields.has(name)) continue;
      const fieldPath = path === '' ? name : `${path}.${name}`;
      const fieldSchema = schemaOfField(schema, name);
      if (fieldSchema === 'unknown') paths.push(fieldPath);
      else collectUnknown(field, embedded(fieldSchema), fieldPath, paths);
    }
  }
}
