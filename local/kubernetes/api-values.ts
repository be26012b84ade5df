// Which values of custom resources a real server refuses by their schema.
// Not evaluated: CEL rules, `not`, `oneOf`, `anyOf` and formats.

import type { KubernetesObject } from '../../core/ports.ts';
import { builtInProblems } from './api-built-in-values.ts';
import { definitionProblems } from './api-definitions.ts';
import { isObject, type JsonObject, objectOr, sameJson } from './api-json.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';
import { rootFields, schemaOf, schemaOfField } from './api-schema.ts';
import { repeatedItems, shapeOfSchema } from './api-shapes.ts';
import { invalidValue, requiredValue, type StatusCause } from './api-status.ts';

/** What a real server refuses in the values of an object. With `before`: only what the change brings in. */
export function valueProblems(
  type: ResourceType,
  object: KubernetesObject,
  before?: KubernetesObject,
): readonly StatusCause[] {
  if (!type.custom) {
    return type.kind === 'CustomResourceDefinition'
      ? definitionProblems(object)
      : builtInProblems(type, object, before);
  }
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
    for (const { index, key } of repeatedItems(value, shapeOfSchema(schema).list)) {
      const message = `Duplicate value: ${key.slice(2)}`;
      problems.push({ reason: 'FieldValueDuplicate', message, field: `${path}[${index}]` });
    }
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
  const scalar = Number.isInteger(value) ? 'integer' : typeof value;
  const actual = Array.isArray(value) ? 'array' : value === null ? 'null' : scalar;
  const why = `${path} in body must be of type ${schema.type ?? 'integer,string'}: ${JSON.stringify(actual)}`;
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
    // Of these a real server names the first only.
    if (typeof schema.maxLength === 'number' && value.length > schema.maxLength) {
      problems.push({
        reason: 'FieldValueTooLong',
        message: `Too long: may not be more than ${schema.maxLength} bytes`,
        field: path,
      });
    } else if (typeof schema.minLength === 'number' && value.length < schema.minLength) {
      refuse(`should be at least ${schema.minLength} chars long`);
    } else if (typeof schema.pattern === 'string' && !matches(schema.pattern, value)) {
      refuse(`should match '${schema.pattern}'`);
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
