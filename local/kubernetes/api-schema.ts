// The OpenAPI v3 schemas of custom resources: defaults, pruning, unknown fields and invalid values, as
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ describes them.
// Not evaluated: CEL rules, `not`, `oneOf`, `anyOf` and formats.

import type { KubernetesObject } from '../../core/ports.ts';
import { definitionProblems } from './api-definitions.ts';
import { isObject, type JsonObject, objectOr, sameJson } from './api-json.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';
import { invalidValue, requiredValue, type StatusCause } from './api-status.ts';

/** Set and checked by the server itself; not in any schema. */
const rootFields = new Set(['apiVersion', 'kind', 'metadata']);

function schemaOf(type: ResourceType, version: string): JsonObject | undefined {
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

/** An embedded object (`x-kubernetes-embedded-resource`) has metadata that is not in its schema. */
function embedded(schema: JsonObject): JsonObject {
  if (schema['x-kubernetes-embedded-resource'] !== true) return schema;
  const free = { 'x-kubernetes-preserve-unknown-fields': true };
  const properties = { apiVersion: free, kind: free, metadata: free, ...objectOr(schema.properties) };
  return { ...schema, properties };
}

/** The schema of a field; `{}` where anything goes. */
function schemaOfField(schema: JsonObject, name: string): JsonObject | 'unknown' {
  const property = objectOr(schema.properties)[name];
  if (isObject(property)) return property;
  const additional = schema.additionalProperties;
  if (isObject(additional)) return additional;
  const isOpen =
    additional === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (schema.properties === undefined && schema.type !== 'object');
  return isOpen ? preserving : 'unknown';
}

const preserving: JsonObject = { 'x-kubernetes-preserve-unknown-fields': true };

/** Paths of fields that the schema of a custom resource does not know; none for built-in kinds. */
export function unknownFields(type: ResourceType, version: string, object: object): readonly string[] {
  const schema = schemaOf(type, version);
  const paths: string[] = [];
  if (type.custom && schema) collectUnknown(object, schema, '', paths, true);
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

/** What a real server refuses in the values of an object. With `before`: only what the change brings in. */
export function valueProblems(
  type: ResourceType,
  object: KubernetesObject,
  before?: KubernetesObject,
): readonly StatusCause[] {
  if (!type.custom) return type.kind === 'CustomResourceDefinition' ? definitionProblems(object) : [];
  const schema = schemaOf(type, splitApiVersion(object.apiVersion)[1]);
  const problems: StatusCause[] = [];
  if (schema) check(object, schema, '', before, problems, true);
  return problems;
}

function check(
  value: unknown,
  schema: JsonObject,
  path: string,
  before: unknown,
  problems: StatusCause[],
  root = false,
): void {
  // Values that were stored before the schema said otherwise stay allowed ("ratcheting", GA in 1.33).
  if (before !== undefined && sameJson(value, before)) return;
  if (value === null && schema.nullable === true) return;
  const wrongType = typeProblem(value, schema, path);
  if (wrongType) {
    problems.push(wrongType);
    return;
  }
  problems.push(...scalarProblems(value, schema, path));
  if (Array.isArray(value)) {
    const items = objectOr(schema.items);
    for (const [index, item] of value.entries()) check(item, items, `${path}[${index}]`, undefined, problems);
  } else if (isObject(value)) {
    for (const name of Array.isArray(schema.required) ? schema.required : []) {
      if (value[name] === undefined) problems.push(requiredValue(path === '' ? name : `${path}.${name}`));
    }
    for (const [name, field] of Object.entries(value)) {
      if (root && rootFields.has(name)) continue;
      const fieldSchema = schemaOfField(schema, name);
      if (fieldSchema === 'unknown') continue;
      const fieldPath = path === '' ? name : `${path}.${name}`;
      check(field, fieldSchema, fieldPath, isObject(before) ? before[name] : undefined, problems);
    }
  }
}

function typeProblem(value: unknown, schema: JsonObject, path: string): StatusCause | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value === 'string' || Number.isInteger(value)) return undefined;
  } else if (typeof schema.type !== 'string' || isOfType(value, schema.type)) return undefined;
  const actual = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const why = `${path} in body must be of type ${schema.type ?? 'integer or string'}: ${JSON.stringify(actual)}`;
  return {
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(actual)}: ${why}`,
    field: path,
  };
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
}

function scalarProblems(value: unknown, schema: JsonObject, path: string): readonly StatusCause[] {
  const problems: StatusCause[] = [];
  const refuse = (why: string) => problems.push(invalidValue(path, value, `${path} in body ${why}`));
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) {
    const supported = schema.enum.map((allowed) => JSON.stringify(allowed)).join(', ');
    problems.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`,
      field: path,
    });
  }
  if (typeof value === 'string') {
    if (typeof schema.pattern === 'string' && !matches(schema.pattern, value)) {
      refuse(`should match '${schema.pattern}'`);
    }
    if (typeof schema.minLength === 'number' && value.length < schema.minLength) {
      refuse(`should be at least ${schema.minLength} chars long`);
    }
    if (typeof schema.maxLength === 'number' && value.length > schema.maxLength) {
      problems.push({
        reason: 'FieldValueTooLong',
        message: `Too long: may not be more than ${schema.maxLength} bytes`,
        field: path,
      });
    }
  }
  if (typeof value === 'number') {
    if (typeof schema.minimum === 'number' && value < schema.minimum) {
      refuse(`should be greater than or equal to ${schema.minimum}`);
    }
    if (typeof schema.maximum === 'number' && value > schema.maximum) {
      refuse(`should be less than or equal to ${schema.maximum}`);
    }
  }
  if (Array.isArray(value)) {
    if (typeof schema.minItems === 'number' && value.length < schema.minItems) {
      refuse(`should have at least ${schema.minItems} items`);
    }
    if (typeof schema.maxItems === 'number' && value.length > schema.maxItems) {
      problems.push({
        reason: 'FieldValueTooMany',
        message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
        field: path,
      });
    }
  }
  return problems;
}

/** Patterns are in Go's syntax; one that JavaScript cannot read is not held against the value. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern).test(value);
  } catch {
    return true;
  }
}
