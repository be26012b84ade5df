// JSON Schemas written so that TypeScript holds them to the types they describe.

/** The part of JSON Schema (2020-12) that Petra's documents use. */
export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly title?: string;
  readonly description?: string;
  readonly format?: 'date-time' | 'uri' | 'uuid';
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly not?: JsonSchema;
  readonly examples?: readonly unknown[];
  readonly $ref?: string;
}

/** A field that may be absent. */
interface Optional {
  readonly optional: JsonSchema;
}

/** One schema for each field of T: marked as optional exactly where the type has it so. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional : JsonSchema;
};

/**
 * The schema of an object. Fields it does not name are allowed, so that a later Petra may add some. T is given by the
 * caller, so that a field that is missing here, or too many, is an error of the compiler.
 */
export function object<T>(description: string, fields: Fields<T>): JsonSchema {
  const entries = Object.entries<JsonSchema | Optional>(fields);
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(
      entries.map(([name, field]) => [name, 'optional' in field ? field.optional : field]),
    ),
    required: entries.filter(([, field]) => !('optional' in field)).map(([name]) => name),
  };
}

/** Marks a field as one that may be absent. */
export function optional(schema: JsonSchema): Optional {
  return { optional: schema };
}

export function text(description: string, ...examples: readonly string[]): JsonSchema {
  return { type: 'string', description, ...(examples.length === 0 ? {} : { examples }) };
}

/** A time, as ISO 8601 in UTC. */
export function time(description: string): JsonSchema {
  return { type: 'string', format: 'date-time', description };
}

export function uuid(description: string): JsonSchema {
  return { type: 'string', format: 'uuid', description };
}

export function integer(description: string): JsonSchema {
  return { type: 'integer', description, minimum: 0 };
}

export function flag(description: string): JsonSchema {
  return { type: 'boolean', description };
}

export function list(description: string, items: JsonSchema): JsonSchema {
  return { type: 'array', description, items };
}

/** A text with few values. T is given by the caller, so that each value of the type is explained. */
export function choice<T extends string>(
  description: string,
  meanings: Readonly<Record<T, string>>,
): JsonSchema {
  const explained = Object.entries<string>(meanings).filter(([, meaning]) => meaning !== '');
  const lines = explained.map(([value, meaning]) => `- \`${value}\`: ${meaning}`);
  return {
    type: 'string',
    description: [description, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n'),
    enum: Object.keys(meanings),
  };
}

/** A reference to one of the document's own components. */
export function ref(name: string, description?: string): JsonSchema {
  const $ref = `#/components/schemas/${name}`;
  return description === undefined ? { $ref } : { $ref, description };
}
