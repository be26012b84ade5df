// The fields of built-in kinds, taken from a real API server of the version that built-in-schemas.json names: which
// there are, of which type, and how their lists and maps merge.
//
// A field is `string`, `integer`, `number`, `boolean`, `int-or-string`, `any`, `#<name of a structure>`,
// `{ list, keys? }` (keys: what tells items apart, or `set`) or `{ map }`; a map or structure that is replaced as a
// whole is `atomic`.

import { isObject, type JsonObject, objectOr } from './api-json.ts';
import { joinApiVersion, type ResourceType } from './api-resources.ts';
import written from './built-in-schemas.json' with { type: 'json' };

const kinds: Readonly<Record<string, string>> = written.kinds;
const structures: JsonObject = written.structures;
const expanded = new Map<string, JsonObject>();

/** The schema of a built-in kind, in the form of a custom resource's; undefined for a kind that is not written down. */
export function builtInSchema(
  { group, kind }: Pick<ResourceType, 'group' | 'kind'>,
  version: string,
): JsonObject | undefined {
  const name = kinds[`${joinApiVersion(group, version)} ${kind}`];
  return name === undefined ? undefined : structure(name);
}

/** The schema of every object's metadata. */
export function metadataSchema(): JsonObject {
  return structure(written.metadata);
}

function structure(name: string): JsonObject {
  const known = expanded.get(name);
  if (known) return known;
  const properties: Record<string, JsonObject> = {};
  const { fields, atomic } = objectOr(structures[name]);
  const made = { type: 'object', properties, ...(atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}) };
  // Before its fields: structures may contain themselves.
  expanded.set(name, made);
  for (const [field, form] of Object.entries(objectOr(fields))) properties[field] = schemaOfForm(form);
  return made;
}

/** The schema of what may be anything. */
export const anything: JsonObject = { 'x-kubernetes-preserve-unknown-fields': true };

function schemaOfForm(form: unknown): JsonObject {
  if (typeof form === 'string') {
    if (form.startsWith('#')) return structure(form.slice(1));
    if (form === 'any') return anything;
    return form === 'int-or-string' ? { 'x-kubernetes-int-or-string': true } : { type: form };
  }
  if (!isObject(form)) return anything;
  if ('map' in form) {
    return {
      type: 'object',
      additionalProperties: schemaOfForm(form.map),
      ...(form.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }
  const { list, keys } = form;
  return {
    type: 'array',
    items: schemaOfForm(list),
    ...(keys === 'set' ? { 'x-kubernetes-list-type': 'set' } : {}),
    ...(Array.isArray(keys) ? { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys } : {}),
  };
}
