// What the OpenAPI documents of a real API server say of the kinds that the simulated one serves by itself, in the
// form of local/kubernetes/built-in-schemas.json.

import { isObject } from '../../core/json-fields.ts';
import { builtInResources, joinApiVersion } from '../../local/kubernetes/api-resources.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface BuiltInSchemas {
  /** Of the server. */
  readonly version: string;
  readonly metadata: string;
  /** `apps/v1 Deployment` → the name of its structure. */
  readonly kinds: Readonly<Record<string, string>>;
  readonly structures: Readonly<Record<string, unknown>>;
}

const metadata = 'meta.v1.ObjectMeta';

/** @param read the JSON at a path of the server */
export async function readBuiltInSchemas(read: (path: string) => Promise<unknown>): Promise<BuiltInSchemas> {
  const schemas = new Map<string, Fields>();
  const kinds: Record<string, string> = {};
  for (const { group, kind, versions } of builtInResources) {
    for (const { name: version } of versions) {
      const apiVersion = joinApiVersion(group, version);
      const document = await read(`/openapi/v3/${group === '' ? 'api' : 'apis'}/${apiVersion}`);
      const components = fields(fields(fields(document).components).schemas);
      for (const [name, schema] of Object.entries(components)) schemas.set(shortName(name), fields(schema));
      const found = Object.entries(components).find(([, schema]) => isOf(schema, { group, version, kind }));
      if (!found) throw new Error(`the server does not describe ${apiVersion} ${kind}`);
      kinds[`${apiVersion} ${kind}`] = shortName(found[0]);
    }
  }
  const structures: Record<string, unknown> = {};
  const open = [metadata, ...Object.values(kinds)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name in structures) continue;
    const schema = schemas.get(name) ?? {};
    structures[name] = {
      ...(isAtomic(schema) ? { atomic: true } : {}),
      fields: Object.fromEntries(
        Object.entries(fields(schema.properties))
          .toSorted(([left], [right]) => (left < right ? -1 : 1))
          .map(([field, value]) => [field, formOf(fields(value), schemas, open)]),
      ),
    };
  }
  const { gitVersion } = fields(await read('/version'));
  return { version: String(gitVersion), metadata, kinds, structures: sorted(structures) };
}

function formOf(schema: Fields, schemas: ReadonlyMap<string, Fields>, open: string[]): unknown {
  const target = referenceOf(schema);
  if (target !== undefined) {
    const referred = schemas.get(target) ?? {};
    if (!isObject(referred.properties)) return formOf(referred, schemas, open);
    open.push(target);
    return `#${target}`;
  }
  if (schema.format === 'int-or-string' || Array.isArray(schema.oneOf)) return 'int-or-string';
  switch (schema.type) {
    case 'array': {
      const list = formOf(fields(schema.items), schemas, open);
      const kind = schema['x-kubernetes-list-type'];
      if (kind === 'set') return { list, keys: 'set' };
      return kind === 'map' ? { list, keys: schema['x-kubernetes-list-map-keys'] } : { list };
    }
    case 'object':
      if (!isObject(schema.additionalProperties)) return 'any';
      return {
        map: formOf(fields(schema.additionalProperties), schemas, open),
        ...(isAtomic(schema) ? { atomic: true } : {}),
      };
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return schema.type;
    default:
      return 'any';
  }
}

/** A reference stands alone, or in `allOf` beside a default. */
function referenceOf(schema: Fields): string | undefined {
  const reference = schema.$ref ?? (Array.isArray(schema.allOf) ? fields(schema.allOf[0]).$ref : undefined);
  return typeof reference === 'string'
    ? shortName(reference.slice(reference.lastIndexOf('/') + 1))
    : undefined;
}

function isAtomic(schema: Fields): boolean {
  return schema['x-kubernetes-map-type'] === 'atomic';
}

function isOf(schema: unknown, wanted: Readonly<Record<'group' | 'version' | 'kind', string>>): boolean {
  const kinds = fields(schema)['x-kubernetes-group-version-kind'];
  return (
    Array.isArray(kinds) &&
    kinds.length === 1 &&
    kinds.some((kind) => Object.entries(wanted).every(([key, value]) => fields(kind)[key] === value))
  );
}

/** `io.k8s.api.core.v1.Pod` → `core.v1.Pod`, `io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta` → `meta.v1.ObjectMeta`. */
function shortName(name: string): string {
  return name.split('.').slice(-3).join('.');
}

function fields(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function sorted(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** As the file has it: a structure a line, so that a change of one is seen as such. */
export function formatBuiltInSchemas({ version, metadata, kinds, structures }: BuiltInSchemas): string {
  const lines = (entries: Readonly<Record<string, unknown>>) =>
    Object.entries(entries)
      .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n');
  return [
    '{',
    `  "version": ${JSON.stringify(version)},`,
    `  "metadata": ${JSON.stringify(metadata)},`,
    `  "kinds": {\n${lines(kinds)}\n  },`,
    `  "structures": {\n${lines(structures)}\n  }`,
    '}\n',
  ].join('\n');
}
