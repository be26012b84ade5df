// What every object has in common: identity, the metadata that only the server sets, validity of names.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { isObject, type JsonObject, without } from './api-json.ts';
import { joinApiVersion, type ResourceType } from './api-resources.ts';
import { badRequest } from './api-status.ts';

/** Reads an object that came from outside. @throws ApiStatusError 400 when it has no apiVersion, kind or metadata */
export function parseObject(value: unknown): KubernetesObject {
  if (!isObject(value)) throw badRequest('the body must be a JSON or YAML object');
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw badRequest("Object 'apiVersion' is missing in the request body");
  }
  if (typeof kind !== 'string' || kind === '') {
    throw badRequest("Object 'Kind' is missing in the request body");
  }
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const name = typeof metadata.name === 'string' ? metadata.name : '';
  return { ...value, apiVersion, kind, metadata: { ...dropNulls(metadata), name } };
}

function dropNulls(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

export function referenceTo(object: KubernetesObject): ObjectReference {
  const { name, namespace } = object.metadata;
  const { apiVersion, kind } = object;
  return namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, name, namespace };
}

/** The same object as another version of its type serves it: conversion strategy `None`. */
export function asVersion(object: KubernetesObject, type: ResourceType, version: string): KubernetesObject {
  const apiVersion = joinApiVersion(type.group, version);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

/** `proposed` with everything in its metadata that a writer cannot change taken from `existing`. */
export function keepSystemMetadata(proposed: KubernetesObject, existing: KubernetesObject): KubernetesObject {
  const kept = existing.metadata;
  const metadata = without(
    {
      ...proposed.metadata,
      namespace: kept.namespace,
      uid: kept.uid,
      resourceVersion: kept.resourceVersion,
      generation: kept.generation,
      creationTimestamp: kept.creationTimestamp,
      deletionTimestamp: kept.deletionTimestamp,
      deletionGracePeriodSeconds: kept.deletionGracePeriodSeconds,
      selfLink: undefined,
    },
    ...(proposed.metadata.finalizers?.length === 0 ? ['finalizers'] : []),
    ...(proposed.metadata.ownerReferences?.length === 0 ? ['ownerReferences'] : []),
  );
  return { ...proposed, metadata: { ...metadata, name: kept.name } };
}
