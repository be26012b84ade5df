// OpenAPI documents, as far as kubectl needs them: which parameters a PATCH understands, and for `kubectl explain`
// the schemas of custom resources. Built-in kinds are only named.

import { type JsonObject, objectOr } from './api-json.ts';
import { joinApiVersion, type ResourceType } from './api-resources.ts';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

function groupVersions(types: readonly ResourceType[]): readonly GroupVersion[] {
  const seen = new Map<string, GroupVersion>();
  for (const { group, versions } of types) {
    for (const { name } of versions) seen.set(joinApiVersion(group, name), { group, version: name });
  }
  return [...seen.values()];
}

function pathOf({ group, version }: GroupVersion): string {
  return group ? `apis/${group}/${version}` : `api/${version}`;
}

/** `/openapi/v3`: which documents there are. `hash` changes with the definitions, so that clients can cache. */
export function openApiRoot(types: readonly ResourceType[], prefix: string, hash: string): JsonObject {
  return {
    paths: Object.fromEntries(
      groupVersions(types).map((groupVersion) => {
        const path = pathOf(groupVersion);
        return [path, { serverRelativeURL: `${prefix}/openapi/v3/${path}?hash=${hash}` }];
      }),
    ),
  };
}

/** `/openapi/v3/<path>`; undefined for a version that is not served. */
export function openApiDocument(types: readonly ResourceType[], path: string): JsonObject | undefined {
  const groupVersion = groupVersions(types).find((candidate) => pathOf(candidate) === path);
  if (!groupVersion) return undefined;
  const { group, version } = groupVersion;
  const served = types.filter(
    (type) => type.group === group && type.versions.some(({ name }) => name === version),
  );
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'simulated' },
    paths: Object.assign({}, ...served.map((type) => pathsOf(type, groupVersion))),
    components: {
      schemas: Object.fromEntries(
        served.map((type) => [schemaName(type, version), schemaOf(type, groupVersion)]),
      ),
    },
  };
}

/** `/openapi/v2`, without a schema for any kind: clients leave validation to the server. */
export function openApiV2(): JsonObject {
  return { swagger: '2.0', info: { title: 'Kubernetes', version: 'simulated' }, paths: {}, definitions: {} };
}

function schemaName(type: ResourceType, version: string): string {
  const reversed = type.group ? type.group.split('.').reverse().join('.') : 'io.k8s.api.core';
  return `${reversed}.${version}.${type.kind}`;
}

function schemaOf(type: ResourceType, { group, version }: GroupVersion): JsonObject {
  const schema = type.versions.find(({ name }) => name === version)?.schema ?? {};
  return {
    type: 'object',
    ...schema,
    properties: {
      ...objectOr(schema.properties),
      apiVersion: {
        type: 'string',
        description: 'The versioned schema of this representation of an object.',
      },
      kind: { type: 'string', description: 'The REST resource that this object represents.' },
      metadata: { type: 'object', description: "Standard object's metadata." },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind: type.kind }],
  };
}

function query(name: string, type = 'string'): JsonObject {
  return { name, in: 'query', schema: { type, uniqueItems: true } };
}

const writeParameters = [query('dryRun'), query('fieldManager'), query('fieldValidation')];

function pathsOf(type: ResourceType, groupVersion: GroupVersion): Readonly<Record<string, JsonObject>> {
  const root = `/${pathOf(groupVersion)}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.plural}`;
  const kind = { ...groupVersion, kind: type.kind };
  const content = { schema: { $ref: `#/components/schemas/${schemaName(type, groupVersion.version)}` } };
  const operation = (
    action: string,
    parameters: readonly JsonObject[],
    mediaTypes: readonly string[] = [],
  ) => ({
    parameters,
    ...(mediaTypes.length > 0
      ? { requestBody: { content: Object.fromEntries(mediaTypes.map((name) => [name, content])) } }
      : {}),
    responses: { 200: { description: 'OK', content: { 'application/json': content } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
  });
  // Strategic merge patch is understood, but not named: kubectl would look for its merge keys in these schemas,
  // and has those of built-in kinds itself.
  const patchTypes = ['apply-patch+yaml', 'json-patch+json', 'merge-patch+json'];
  return {
    [root]: {
      get: operation('list', []),
      post: operation('post', writeParameters, ['application/json']),
    },
    [`${root}/{name}`]: {
      get: operation('get', []),
      put: operation('put', writeParameters, ['application/json']),
      patch: operation(
        'patch',
        [...writeParameters, query('force', 'boolean')],
        patchTypes.map((name) => `application/${name}`),
      ),
      delete: operation('delete', [query('dryRun'), query('propagationPolicy')]),
    },
  };
}
