// POST, PUT, PATCH and DELETE of objects.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { undecodable } from './api-built-in-values.ts';
import { json, methodNotAllowed, type Reply, type ResourceRequest } from './api-exchange.ts';
import { at, isObject, listOr, stringOr, without } from './api-json.ts';
import { parseObject, referenceTo } from './api-object.ts';
import { matcherOf } from './api-reading.ts';
import { parseBody } from './api-requests.ts';
import { splitApiVersion } from './api-resources.ts';
import { unknownFields, withoutNulls } from './api-schema.ts';
import { ApiStatusError, badRequest, invalid, invalidValue, notServed, requiredValue } from './api-status.ts';
import { typingMessage, typingProblems } from './api-typing.ts';
import { reviewWrite } from './api-webhooks.ts';
import type { Patch, RemoveOptions, WriteOptions } from './object-store.ts';

export async function createObject(resource: ResourceRequest): Promise<Reply> {
  const object = addressed(resource, await bodyOf(resource));
  if (resource.path.name !== undefined) throw methodNotAllowed();
  const options = optionsOf(resource);
  const create = (one: WriteOptions) => resource.cluster.store.create(object, one);
  await reviewed(resource, object.metadata.name, options, create);
  return json(await create(options), 201);
}

export async function replaceObject(resource: ResourceRequest): Promise<Reply> {
  const object = addressed(resource, await bodyOf(resource));
  const { store } = resource.cluster;
  if (resource.path.subresource === 'finalize') {
    if (listOr(at(object, 'spec', 'finalizers')).length === 0) {
      await store.finalizeNamespace(object.metadata.name);
    }
    return json(object);
  }
  if (resource.type.custom && !object.metadata.resourceVersion) {
    // Custom resources, unlike most built-in kinds, are not replaced without saying which state is replaced.
    throw invalid({ ...resource.type, kind: resource.type.plural }, object.metadata.name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  const options = optionsOf(resource);
  const update = (one: WriteOptions) => store.update(object, one);
  await reviewed(resource, object.metadata.name, options, update);
  return json(await update(options));
}

export async function patchObject(resource: ResourceRequest): Promise<Reply> {
  const { cluster, request, type } = resource;
  const mediaType = request.contentType?.split(';')[0]?.trim() ?? '';
  const body = parseBody(await request.body(), mediaType);
  const options = optionsOf(resource);
  if (mediaType === 'application/apply-patch+yaml') return applyObject(resource, body, options);
  if (request.query.force) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions', plural: 'patchoptions' }, '', [
      {
        reason: 'FieldValueForbidden',
        message: 'Forbidden: may not be specified for non-apply patch',
        field: 'force',
      },
    ]);
  }
  const patch = patchTypes[mediaType];
  if (patch === undefined) {
    throw new ApiStatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
  if (patch === 'strategic' && type.custom) {
    throw new ApiStatusError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  if (isObject(body)) checkStrict(resource, body);
  const target = reference(resource);
  const change = (one: WriteOptions) => cluster.store.patch(target, { type: patch, value: body }, one);
  await reviewed(resource, target.name, options, change);
  return json(await change(options));
}

const patchTypes: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};

async function applyObject(resource: ResourceRequest, body: unknown, options: WriteOptions): Promise<Reply> {
  const { cluster, request, type } = resource;
  const { fieldManager, force } = request.query;
  if (fieldManager === undefined) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions', plural: 'patchoptions' }, '', [
      requiredValue('fieldManager', 'is required for apply patch'),
    ]);
  }
  const stated = parseObject(body);
  const object = addressed(resource, stated, true);
  const problems = typingProblems(type, resource.version, stated);
  if (problems.length > 0) {
    // A real server cannot type the object, and says so with the code of a fault of its own.
    const { namespace = '', name } = stated.metadata;
    const what = `${namespace}/${name}; ${type.group}/${resource.version}, Kind=${object.kind}`;
    const message = `failed to create typed patch object (${what}): ${typingMessage(problems)}`;
    throw new ApiStatusError(500, '', message);
  }
  const wrong = undecodable(type, stated);
  if (wrong !== undefined) {
    const { namespace = '', name } = stated.metadata;
    const what = `/${resource.version}, Kind=${object.kind}`;
    const message = `failed to convert new object (${namespace}/${name}; ${what}) to proper version: unable to convert unstructured object to ${what}: error decoding from json: ${wrong}`;
    throw new ApiStatusError(500, '', message);
  }
  const existed = cluster.store.get(
    object.apiVersion,
    type.kind,
    object.metadata.namespace,
    object.metadata.name,
  );
  const apply = (one: WriteOptions) => cluster.store.apply(object, { ...one, fieldManager, force });
  await reviewed(resource, object.metadata.name, options, apply);
  return json(await apply(options), existed ? 200 : 201);
}

/** Asks the webhooks about a write before it is done. */
async function reviewed(
  resource: ResourceRequest,
  name: string,
  options: WriteOptions,
  write: (options: WriteOptions) => Promise<KubernetesObject>,
): Promise<void> {
  const { cluster, path, type } = resource;
  // Writes of a status are not reviewed here.
  if (path.subresource !== undefined) return;
  const oldObject = cluster.store.get(path.apiVersion, type.kind, path.namespace, name);
  const { dryRun = false } = options;
  const operation = oldObject ? 'UPDATE' : 'CREATE';
  await reviewWrite(resource, { operation, oldObject, dryRun }, () => write({ ...options, dryRun: true }));
}

export async function deleteObject(resource: ResourceRequest): Promise<Reply> {
  const { cluster, type } = resource;
  const target = reference(resource);
  const present = cluster.store.get(target.apiVersion, target.kind, target.namespace, target.name);
  const left = await cluster.store.remove(target, await removalOf(resource));
  if (left) return json(left);
  return json({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: target.name,
      ...(type.group ? { group: type.group } : {}),
      kind: type.plural,
      uid: present?.metadata.uid,
    },
  });
}

export async function deleteCollection(resource: ResourceRequest): Promise<Reply> {
  const { cluster, path, type } = resource;
  const objects = cluster.store.list(path.apiVersion, type.kind, path).filter(matcherOf(resource));
  const removal = await removalOf(resource);
  for (const object of objects) {
    try {
      await cluster.store.remove(referenceTo(object), removal);
    } catch (error) {
      // Someone else was faster.
      if (!(error instanceof ApiStatusError) || error.code !== 404) throw error;
    }
  }
  const metadata = { resourceVersion: cluster.store.resourceVersion };
  return json({ kind: `${type.kind}List`, apiVersion: path.apiVersion, metadata, items: objects });
}

function reference({ path, type }: ResourceRequest): ObjectReference {
  const { apiVersion, namespace, name = '' } = path;
  const { kind } = type;
  return namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, name, namespace };
}

async function bodyOf(resource: ResourceRequest): Promise<KubernetesObject> {
  const { request, path, type } = resource;
  const body = parseBody(await request.body(), request.contentType);
  // A built-in kind is known from the path, so its objects need not repeat it.
  const known = type.custom ? {} : { apiVersion: path.apiVersion, kind: type.kind };
  const object = parseObject(isObject(body) ? { ...known, ...body } : body);
  checkStrict(resource, object);
  const wrong = undecodable(type, object);
  if (wrong !== undefined) {
    const { version } = resource;
    throw badRequest(`${type.kind} in version "${version}" cannot be handled as a ${type.kind}: ${wrong}`);
  }
  return withoutNulls(type, resource.version, object);
}

/** `fieldValidation=Strict`: fields that the schema does not know are an error, not dropped. */
function checkStrict({ request, type, version }: ResourceRequest, body: object): void {
  if (!request.query.strict) return;
  const unknown = unknownFields(type, version, body);
  if (unknown.length === 0) return;
  const problems = unknown.toSorted().map((path) => `unknown field ${JSON.stringify(path)}`);
  throw badRequest(
    `${type.kind} in version ${JSON.stringify(version)} cannot be handled as a ${type.kind}: strict decoding error: ${problems.join(', ')}`,
  );
}

/** The object with what its path says; an object that says something else is refused. */
function addressed(
  { path, type }: ResourceRequest,
  object: KubernetesObject,
  isApply = false,
): KubernetesObject {
  const { apiVersion, namespace, name } = path;
  if (object.apiVersion !== apiVersion || object.kind !== type.kind) {
    const [group, version] = splitApiVersion(object.apiVersion);
    if (isApply) throw badRequest(`invalid object type: ${group}/${version}, Kind=${object.kind}`);
    throw badRequest(
      `${object.kind} in version ${JSON.stringify(version)} cannot be handled as a ${type.kind} of ${apiVersion}`,
    );
  }
  const { metadata } = object;
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name !== undefined && metadata.name !== '' && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (type.namespaced && namespace === undefined) throw methodNotAllowed();
  return {
    ...object,
    metadata: { ...without({ ...metadata, namespace }), name: name ?? metadata.name },
  };
}

function optionsOf({ path, request, type, version }: ResourceRequest): WriteOptions {
  const { dryRun, fieldManager } = request.query;
  const served = type.versions.find(({ name }) => name === version)?.subresources ?? [];
  const isStatus = path.subresource === 'status';
  if (path.subresource !== undefined && !(isStatus && served.includes('status'))) throw notServed();
  // Clients that name no manager are known by their program, as on a real server.
  const program = request.userAgent.split('/')[0] ?? '';
  return {
    dryRun,
    fieldManager: fieldManager ?? (program === '' ? 'unknown' : program),
    ...(isStatus ? { subresource: 'status' } : {}),
  };
}

async function removalOf({ request }: ResourceRequest): Promise<RemoveOptions> {
  const body = await request.body();
  const options = body.length === 0 ? {} : parseBody(body, request.contentType);
  const uid = at(options, 'preconditions', 'uid');
  const resourceVersion = at(options, 'preconditions', 'resourceVersion');
  const policy = stringOr(at(options, 'propagationPolicy'), request.query.propagation ?? 'Background');
  const isOrphaning = at(options, 'orphanDependents') === true;
  return {
    dryRun: request.query.dryRun || listOr(at(options, 'dryRun')).includes('All'),
    propagation: isOrphaning ? 'Orphan' : policyOf(policy),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  };
}

function policyOf(policy: string): 'Background' | 'Foreground' | 'Orphan' {
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy;
  throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions', plural: 'deleteoptions' }, '', [
    {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      field: 'propagationPolicy',
    },
  ]);
}
