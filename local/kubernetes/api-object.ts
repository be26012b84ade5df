// What every object has in common: identity, the metadata that only the server sets, validity of names.

import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { isObject, type JsonObject, without } from './api-json.ts';
import { joinApiVersion, type ResourceType } from './api-resources.ts';
import { badRequest, invalid, invalidValue, requiredValue, type StatusCause } from './api-status.ts';

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

/** @throws ApiStatusError 422 when an object that is being deleted gets a new finalizer */
export function checkFinalizers(type: ResourceType, next: KubernetesObject, before: KubernetesObject): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const present = before.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !present.includes(finalizer));
  if (added.length === 0) return;
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  throw invalid(type, next.metadata.name, [
    { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' },
  ]);
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
/** Kinds whose names are DNS labels (at most 63 characters); RBAC names may be any path segment. */
const labelNamed = new Set(['Namespace', 'Service']);

/** @throws ApiStatusError 422 with every problem of the metadata, and of what `more` adds */
export function checkMetadata(
  type: ResourceType,
  object: KubernetesObject,
  more: readonly StatusCause[] = [],
): void {
  const problems: StatusCause[] = [];
  const { name, labels = {}, ownerReferences = [] } = object.metadata;
  if (name === '') problems.push(requiredValue('metadata.name', 'name or generateName is required'));
  else problems.push(...nameProblems(type, name));
  for (const [key, value] of Object.entries(labels)) {
    if (!labelKey.test(key)) {
      problems.push(
        invalidValue('metadata.labels', key, 'name part must consist of alphanumeric characters'),
      );
    }
    if (typeof value !== 'string' || value.length > 63 || !labelValue.test(value)) {
      problems.push(
        invalidValue(
          'metadata.labels',
          value,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        ),
      );
    }
  }
  for (const [index, owner] of ownerReferences.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field]) {
        problems.push(
          invalidValue(`metadata.ownerReferences[${index}].${field}`, '', `${field} must not be empty`),
        );
      }
    }
  }
  problems.push(...more);
  if (problems.length > 0) throw invalid(type, name, problems);
}

function nameProblems(type: ResourceType, name: string): readonly StatusCause[] {
  if (type.group === 'rbac.authorization.k8s.io') {
    return /[/%]/.test(name) || name === '.' || name === '..'
      ? [invalidValue('metadata.name', name, "may not contain '/' or '%'")]
      : [];
  }
  if (labelNamed.has(type.kind) && !type.custom) {
    return name.length <= 63 && label.test(name)
      ? []
      : [
          invalidValue(
            'metadata.name',
            name,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          ),
        ];
  }
  return name.length <= 253 && subdomain.test(name)
    ? []
    : [
        invalidValue(
          'metadata.name',
          name,
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        ),
      ];
}
