// What an HTTP request asks of the API: https://kubernetes.io/docs/reference/using-api/api-concepts/

import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import { decodeProtobuf } from './api-protobuf.ts';
import { joinApiVersion } from './api-resources.ts';
import { ApiStatusError, badRequest, invalid, notServed } from './api-status.ts';

/** The path of a resource: a collection without `name`, an object with it. */
export interface ResourcePath {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Reads `/api/v1/namespaces/a/pods/b/status` and its like. @throws ApiStatusError 404 for anything else */
export function parseResourcePath(path: string): ResourcePath {
  const parts = path.split('/').slice(1).map(decode);
  const [root, ...rest] = parts;
  if (root !== 'api' && root !== 'apis') throw notServed();
  const group = root === 'apis' ? (rest.shift() ?? '') : '';
  const version = rest.shift();
  if (!version || rest.length === 0 || rest.includes('') || rest.length > 5) throw notServed();
  const apiVersion = joinApiVersion(group, version);
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2 && !isNamespaceSubresource(rest[2]);
  const namespace = isInNamespace ? rest[1] : undefined;
  const [plural = '', name, subresource, ...beyond] = isInNamespace ? rest.slice(2) : rest;
  if (beyond.length > 0) throw notServed();
  return {
    apiVersion,
    plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function isNamespaceSubresource(part: string | undefined): boolean {
  return part === 'status' || part === 'finalize';
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`the path segment ${JSON.stringify(part)} is not properly encoded`);
  }
}

/** The limit of a real API server (`MaxRequestBodyBytes` in k8s.io/apiserver/pkg/server/config.go). */
const bodyLimitBytes = 3 * 1024 * 1024;

/** The body. @throws ApiStatusError 413 when it is too large */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > bodyLimitBytes) {
      throw new ApiStatusError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${bodyLimitBytes}`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The value of a body in JSON, YAML or protobuf.
 * @throws ApiStatusError 400 when it cannot be read (of YAML: also when a key is repeated)
 */
export function parseBody(body: Buffer, contentType: string | undefined): unknown {
  const type = contentType?.split(';')[0]?.trim() ?? 'application/json';
  if (type === 'application/vnd.kubernetes.protobuf') return decodeProtobuf(body);
  const text = body.toString('utf8');
  try {
    const value: unknown = type.endsWith('yaml') && !/^\s*\{/.test(text) ? parseYaml(text) : JSON.parse(text);
    refusePrototypes(value);
    return value;
  } catch (error) {
    const why = messageOf(error);
    throw badRequest(`the object provided is unrecognized (must be of type object): ${why}`);
  }
}

/** No object of Kubernetes has a field of this name, and code that copies fields one by one would change every object. */
function refusePrototypes(body: unknown): void {
  const open = [body];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) throw new Error('unknown field "__proto__"');
    open.push(...Object.values(value).filter((inner) => typeof inner === 'object' && inner !== null));
  }
}

export interface Query {
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly limit: number | undefined;
  readonly continueToken: string | undefined;
  readonly watch: boolean;
  readonly resourceVersion: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  readonly dryRun: boolean;
  readonly fieldManager: string | undefined;
  readonly force: boolean;
  readonly strict: boolean;
  readonly propagation: string | undefined;
  readonly includeObject: string | undefined;
}

/** @throws ApiStatusError 400 for values that a real server refuses too */
export function parseQuery(parameters: URLSearchParams): Query {
  const text = (name: string) => parameters.get(name) || undefined;
  const flag = (name: string) => ['true', '1', ''].includes(parameters.get(name) ?? 'false');
  const number = (name: string) => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value) || undefined;
  };
  const dryRun = text('dryRun');
  if (dryRun !== undefined && dryRun !== 'All') {
    const message = `Unsupported value: [${JSON.stringify(dryRun)}]: supported values: "All"`;
    throw invalid({ group: 'meta.k8s.io', kind: 'CreateOptions', plural: 'createoptions' }, '', [
      { reason: 'FieldValueNotSupported', message, field: 'dryRun' },
    ]);
  }
  return {
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    limit: number('limit'),
    continueToken: text('continue'),
    watch: flag('watch'),
    resourceVersion: text('resourceVersion'),
    timeoutSeconds: number('timeoutSeconds'),
    bookmarks: flag('allowWatchBookmarks'),
    sendInitialEvents: flag('sendInitialEvents'),
    dryRun: dryRun === 'All',
    fieldManager: text('fieldManager'),
    force: flag('force'),
    strict: text('fieldValidation') === 'Strict',
    propagation: text('propagationPolicy'),
    includeObject: text('includeObject'),
  };
}
