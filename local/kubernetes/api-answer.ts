// The answer to any request of one cluster: version, health, discovery, OpenAPI, reviews and resources.

import {
  aggregated,
  aggregatedMediaType,
  groupDocument,
  groupList,
  resourceList,
  reviewed,
  reviewResources,
} from './api-discovery.ts';
import {
  type ApiRequest,
  json,
  methodNotAllowed,
  type Reply,
  resolveResource,
  type ServedCluster,
} from './api-exchange.ts';
import { at, isObject } from './api-json.ts';
import { openApiDocument, openApiRoot, openApiV2 } from './api-openapi.ts';
import { readCollection, readObject } from './api-reading.ts';
import { parseBody } from './api-requests.ts';
import { ApiStatusError, notServed } from './api-status.ts';
import { checkRights } from './api-users.ts';
import { createObject, deleteCollection, deleteObject, patchObject, replaceObject } from './api-writing.ts';

/** @throws ApiStatusError */
export async function answer(cluster: ServedCluster, request: ApiRequest): Promise<Reply> {
  const { path, method } = request;
  if (isLost(cluster, path)) return { type: 'text', code: 503, text: 'service unavailable\n' };
  const fixed = path.startsWith('/api') ? discovery(cluster, request) : information(cluster, request);
  if (fixed) {
    if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
    return fixed;
  }
  const review = reviewResources.find(
    ({ group, version, plural }) => path === `/apis/${group}/${version}/${plural}`,
  );
  if (review) {
    if (method !== 'POST') throw methodNotAllowed();
    const body = parseBody(await request.body(), request.contentType);
    return json(reviewed(cluster.store, review.kind, body, request.user), 201);
  }
  const resource = resolveResource(cluster, request);
  checkRights(request.user, resource);
  const isObject = resource.path.name !== undefined;
  switch (method) {
    case 'GET':
    case 'HEAD':
      return isObject ? readObject(resource) : readCollection(resource);
    case 'POST':
      return createObject(resource);
    case 'PUT':
      if (isObject) return replaceObject(resource);
      break;
    case 'PATCH':
      if (isObject) return patchObject(resource);
      break;
    case 'DELETE':
      return isObject ? deleteObject(resource) : deleteCollection(resource);
  }
  throw methodNotAllowed();
}

function information(
  { store, version }: ServedCluster,
  { path, prefix, accept }: ApiRequest,
): Reply | undefined {
  switch (path) {
    case '/':
      return json({
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      });
    case '/version':
      return json(versionInfo(version));
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { type: 'text', code: 200, text: 'ok' };
    case '/openapi/v2':
      if (!/json|\*\/\*/.test(accept) && accept !== '') {
        throw new ApiStatusError(
          406,
          'NotAcceptable',
          'only the following media types are accepted: application/json',
        );
      }
      return json(openApiV2());
    case '/openapi/v3':
      return json(openApiRoot(store.resources(), prefix, String(store.resources().length)));
    default: {
      const document = path.startsWith('/openapi/v3/')
        ? openApiDocument(store.resources(), path.slice('/openapi/v3/'.length))
        : undefined;
      if (!document) throw notServed();
      return json(document);
    }
  }
}

function discovery({ store }: ServedCluster, { path, accept }: ApiRequest): Reply | undefined {
  const [root, group, version, ...more] = path.split('/').slice(1);
  const types = store.resources();
  if (path === '/api' || path === '/apis') {
    if (/g=apidiscovery\.k8s\.io;v=v2;/.test(accept)) {
      return {
        type: 'json',
        code: 200,
        body: aggregated(types, path === '/api'),
        mediaType: aggregatedMediaType,
      };
    }
    return json(path === '/api' ? { kind: 'APIVersions', versions: ['v1'] } : groupList(types));
  }
  if (root === 'api') {
    return group !== undefined && version === undefined ? served(resourceList(types, '', group)) : undefined;
  }
  if (root !== 'apis' || group === undefined) throw notServed();
  if (version === undefined) return served(groupDocument(types, group));
  return more.length === 0 ? served(resourceList(types, group, version)) : undefined;
}

function served(document: unknown): Reply {
  if (document === undefined) throw notServed();
  return json(document);
}

/** Whether the path is of a group that an APIService hands to a server of its own: of these there is none here. */
function isLost({ store }: ServedCluster, path: string): boolean {
  const [, group, version] = path.split('/').slice(1);
  const service = store.get('apiregistration.k8s.io/v1', 'APIService', undefined, `${version}.${group}`);
  return path.startsWith('/apis/') && isObject(at(service, 'spec', 'service'));
}

function versionInfo(gitVersion: string): Readonly<Record<string, string>> {
  const [, major = '1', minor = '35'] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'simulated',
    compiler: 'simulated',
    platform: 'simulated/amd64',
  };
}
