// Variables of a ClusterClass: defaults and validation by their schema, as the Cluster's webhooks do both.
// Simulated: the structural part of the schema. Not simulated: `x-kubernetes-validations` (CEL).

import { at, isObject, isTrueAt, listAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import { sameJson } from '../kubernetes/api-json.ts';
import { invalidValue, requiredValue, type StatusCause } from '../kubernetes/api-status.ts';

export interface Variable {
  readonly name: string;
  readonly value: unknown;
}

interface Definition {
  readonly name: string;
  readonly required: boolean;
  readonly schema: unknown;
}

function definitionsOf(clusterClass: unknown): readonly Definition[] {
  return listAt(clusterClass, 'spec', 'variables').map((variable) => ({
    name: textAt(variable, 'name') ?? '',
    required: isTrueAt(variable, 'required'),
    schema: recordAt(variable, 'schema', 'openAPIV3Schema'),
  }));
}

function variablesOf(cluster: unknown): readonly Variable[] {
  return listAt(cluster, 'spec', 'topology', 'variables').map((variable) => ({
    name: textAt(variable, 'name') ?? '',
    value: at(variable, 'value'),
  }));
}

/** The Cluster's variables with every default of the class filled in: given ones first, then those added. */
export function withDefaults(cluster: unknown, clusterClass: unknown): readonly Variable[] {
  const definitions = definitionsOf(clusterClass);
  const given = variablesOf(cluster).map(({ name, value }) => {
    const definition = definitions.find((candidate) => candidate.name === name);
    return { name, value: definition ? fillDefaults(value, definition.schema) : value };
  });
  const added = definitions
    .filter(({ name }) => !given.some((variable) => variable.name === name))
    // Upstream adds no optional variable without a default of its own on the top level.
    .map(({ name, schema }) => ({ name, value: fillDefaults(undefined, schema) }))
    .filter(({ value }) => value !== undefined);
  return [...given, ...added];
}

function fillDefaults(value: unknown, schema: unknown): unknown {
  const start = value === undefined ? at(schema, 'default') : value;
  if (Array.isArray(start)) return start.map((item) => fillDefaults(item, at(schema, 'items')));
  if (!isObject(start)) return start;
  const filled: Record<string, unknown> = { ...start };
  for (const [name, property] of Object.entries(recordAt(schema, 'properties'))) {
    const field = fillDefaults(filled[name], property);
    if (field !== undefined) filled[name] = field;
  }
  return filled;
}

/** What is wrong with the Cluster's variables; empty when nothing is. */
export function variableProblems(cluster: unknown, clusterClass: unknown): readonly StatusCause[] {
  const definitions = definitionsOf(clusterClass);
  const variables = variablesOf(cluster);
  const field = 'spec.topology.variables';
  const problems: StatusCause[] = [];
  for (const { name, required } of definitions) {
    if (required && !variables.some((variable) => variable.name === name)) {
      problems.push(requiredValue(field, `required variable with name "${name}" must be defined`));
    }
  }
  const seen = new Set<string>();
  for (const { name, value } of variables) {
    const definition = definitions.find((candidate) => candidate.name === name);
    if (seen.has(name)) problems.push(invalidValue(field, name, `variable "${name}" is set more than once`));
    else if (!definition) problems.push(invalidValue(`${field}[${name}]`, name, 'variable is not defined'));
    else problems.push(...schemaProblems(value, definition.schema, `${field}[${name}].value`));
    seen.add(name);
  }
  return problems;
}

function schemaProblems(value: unknown, schema: unknown, field: string): readonly StatusCause[] {
  const type = textAt(schema, 'type');
  if (type && !isOfType(value, type)) {
    return [invalidValue(field, value, `${field} in body must be of type ${type}: ${JSON.stringify(value)}`)];
  }
  const problems: StatusCause[] = [];
  const allowed = listAt(schema, 'enum');
  if (allowed.length > 0 && !allowed.some((candidate) => sameJson(candidate, value))) {
    const list = allowed.map((candidate) => JSON.stringify(candidate)).join(', ');
    problems.push({ reason: 'FieldValueNotSupported', field, message: unsupported(value, list) });
  }
  if (typeof value === 'string') problems.push(...textProblems(value, schema, field));
  if (typeof value === 'number') {
    const minimum = numberAt(schema, 'minimum') ?? Number.NEGATIVE_INFINITY;
    const maximum = numberAt(schema, 'maximum') ?? Number.POSITIVE_INFINITY;
    if (value < minimum)
      problems.push(invalidValue(field, value, `should be greater than or equal to ${minimum}`));
    if (value > maximum)
      problems.push(invalidValue(field, value, `should be less than or equal to ${maximum}`));
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      problems.push(...schemaProblems(item, at(schema, 'items'), `${field}[${i}]`));
    }
  }
  if (isObject(value)) problems.push(...objectProblems(value, schema, field));
  return problems;
}

function unsupported(value: unknown, list: string): string {
  return `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
}

function textProblems(value: string, schema: unknown, field: string): readonly StatusCause[] {
  const problems: StatusCause[] = [];
  const pattern = textAt(schema, 'pattern');
  if (pattern && !new RegExp(pattern).test(value)) {
    problems.push(invalidValue(field, value, `should match '${pattern}'`));
  }
  if (value.length < (numberAt(schema, 'minLength') ?? 0)) {
    problems.push(
      invalidValue(field, value, `should be at least ${numberAt(schema, 'minLength')} chars long`),
    );
  }
  if (value.length > (numberAt(schema, 'maxLength') ?? value.length)) {
    problems.push(
      invalidValue(field, value, `should be at most ${numberAt(schema, 'maxLength')} chars long`),
    );
  }
  return problems;
}

function objectProblems(
  value: Readonly<Record<string, unknown>>,
  schema: unknown,
  field: string,
): readonly StatusCause[] {
  const problems: StatusCause[] = [];
  const properties = recordAt(schema, 'properties');
  for (const required of listAt(schema, 'required')) {
    if (typeof required === 'string' && value[required] === undefined) {
      problems.push(requiredValue(`${field}.${required}`));
    }
  }
  for (const [name, item] of Object.entries(value)) {
    const property = properties[name] ?? at(schema, 'additionalProperties');
    if (property !== undefined) problems.push(...schemaProblems(item, property, `${field}.${name}`));
    else if (!isTrueAt(schema, 'x-kubernetes-preserve-unknown-fields')) {
      problems.push(
        invalidValue(`${field}.${name}`, item, 'field is not defined in the schema of the variable'),
      );
    }
  }
  return problems;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
