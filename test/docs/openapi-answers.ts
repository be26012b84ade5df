// Holds answers of the API against docs/openapi.json.

import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export const document: OpenApiDocument = JSON.parse(
  readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
);

/**
 * Readers of an answer ignore fields they do not know, so the document allows them. A test does not: a field that the
 * document leaves out is a fault of the document.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return inner.type === 'object' && 'properties' in inner ? { additionalProperties: false, ...inner } : inner;
}

// `strict` would refuse the words that OpenAPI adds to JSON Schema.
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(closed(document) as object, 'petra');

/** What is wrong with a value by a schema of the document: `components/schemas/Health`, for example. Nothing: []. */
export function violations(pointer: readonly string[], value: unknown): string[] {
  const path = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.compile({ $ref: `petra#/${path.join('/')}` });
  // As it would travel: without what is undefined.
  if (validate(JSON.parse(JSON.stringify(value)))) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

/** What is wrong with an answer of a route: the status is not in the document, or the body is not as it says. */
export function answerViolations(
  route: { readonly method: string; readonly path: string },
  answer: { readonly status: number; readonly body: unknown },
): string[] {
  const method = route.method.toLowerCase();
  const status = String(answer.status);
  const content = document.paths[route.path]?.[method]?.responses[status]?.content;
  const [type] = Object.keys(content ?? {});
  if (type === undefined) return [`${route.method} ${route.path} has no answer ${status}`];
  return violations(
    ['paths', route.path, method, 'responses', status, 'content', type, 'schema'],
    answer.body,
  );
}
