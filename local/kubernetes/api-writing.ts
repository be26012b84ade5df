// POST, PUT, PATCH and DELETE of objects.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { json, methodNotAllowed, type Reply, type ResourceRequest } from './api-exchange.ts';
import { at, isObject, listOr, stringOr, without } from './api-json.ts';
import { parseObject, referenceTo } from './api-object.ts';
import { matcherOf } from './api-reading.ts';
import { parseBody } from './api-requests.ts';
import { splitApiVersion } from './api-resources.ts';
import { unknownFields } from './api-schema.ts';
import { ApiStatusError, badRequest, invalid, invalidValue, notServed, requiredValue } from './api-status.ts';
import { typingProblem } from './api-typing.ts';
import type { Patch, RemoveOptions, WriteOptions } from './object-store.ts';

export async function createObject(resource: ResourceRequest): Promise<Reply> {
  const object = addressed(resource, await bodyOf(resource));
  if (resource.path.name !== undefined) throw methodNotAllowed();
  return json(await resource.cluster.store.create(object, optionsOf(resource)), 201);
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
  return json(await store.update(object, optionsOf(resource)));
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
  if (patch === undefined || (patch === 'strategic' && type.custom)) {
    throw new ApiStatusError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  if (isObject(body)) checkStrict(resource, body);
  return json(await cluster.store.patch(reference(resource), { type: patch, value: body }, options));
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
  const object = addressed(resource, parseObject(body));
  const problem = typingProblem(type, resource.version, object);
  if (problem !== undefined) {
    // A real server cannot type the object, and says so with the code of a fault of its own.
    const { namespace = '', name } = object.metadata;
    const what = `${namespace}/${name}; ${type.group}/${resource.version}, Kind=${object.kind}`;
    const message = `failed to create typed patch object (${what}): ${problem}`;
    throw new ApiStatusError(500, '', message);
  }
  const existed = cluster.store.get(
    object.apiVersion,
    type.kind,
    object.metadata.namespace,
    object.metadata.name,
  );
  const applied = await cluster.store.apply(object, { ...options, fieldManager, force });
  return json(applied, existed ? 200 : 201);
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
  return object;
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
function addressed({ path, type }: ResourceRequest, object: KubernetesObject): KubernetesObject {
  const { apiVersion, namespace, name } = path;
  if (object.apiVersion !== apiVersion || object.kind !== type.kind) {
    const version = splitApiVersion(object.apiVersion)[1];
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
