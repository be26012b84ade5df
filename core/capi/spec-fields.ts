// The fields of a spec as data, taken from its JSON Schema: what there is to know about each for messages and docs.

import * as z from 'zod/mini';
import type { FieldPath } from './spec-problem.ts';
import { clusterSchema } from './spec-schema.ts';

/** A part of the JSON Schema, as far as Petra itself reads it. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
}

let rootField: FieldSchema | undefined;

/** The JSON Schema (2020-12) of a spec as it is written, defaults not filled in. Always the same. */
export function specJsonSchema(): object {
  const schema = z.toJSONSchema(clusterSchema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ jsonSchema }) {
      // The limits of JavaScript's own integers, not of any field.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return { $id: 'https://petra.sh/schemas/v1alpha1/cluster.json', ...schema };
}

/** What the schema says of a field; nothing for a field it does not know. */
export function findField(path: FieldPath): FieldSchema | undefined {
  rootField ??= specJsonSchema();
  let field: FieldSchema | undefined = rootField;
  for (const key of path) {
    if (field === undefined) return undefined;
    if (typeof key === 'number') field = field.items;
    else field = field.properties && Object.hasOwn(field.properties, key) ? field.properties[key] : undefined;
  }
  return field;
}

/** Every field below the root, parents first, in the order of the schema. `[]` stands for the items of a list. */
export function listFields(): {
  readonly path: string;
  readonly field: FieldSchema;
  readonly required: boolean;
}[] {
  const found: { path: string; field: FieldSchema; required: boolean }[] = [];
  const visit = (outer: FieldSchema, prefix: string) => {
    for (const [name, field] of Object.entries(outer.properties ?? {})) {
      const path = `${prefix}${name}`;
      found.push({ path, field, required: outer.required?.includes(name) ?? false });
      visit(field, `${path}.`);
    }
  };
  visit(findField([]) ?? {}, '');
  return found;
}
