// Who owns which field: the entries of `metadata.managedFields`.

import type { KubernetesObject } from '../../core/ports.ts';
import {
  changedPaths,
  decodeFields,
  encodeFields,
  type FieldSet,
  fieldsOf,
  missingPaths,
} from './api-fields.ts';
import { isObject, type JsonObject, listOr, stringOr, without } from './api-json.ts';
import type { Shape } from './api-shapes.ts';

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** `status` when it writes through the subresource. */
  readonly subresource?: string;
}

export interface Ownership extends Manager {
  readonly time: string;
  readonly paths: ReadonlySet<string>;
}

export function ownershipsOf(object: KubernetesObject | undefined): readonly Ownership[] {
  return listOr(object?.metadata.managedFields)
    .filter(isObject)
    .filter((entry) => typeof entry.manager === 'string')
    .map((entry) => ({
      name: stringOr(entry.manager, ''),
      operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: stringOr(entry.apiVersion, ''),
      time: stringOr(entry.time, ''),
      paths: decodeFields(entry.fieldsV1),
      ...(entry.subresource ? { subresource: stringOr(entry.subresource, '') } : {}),
    }));
}

export function encodeOwnerships(ownerships: readonly Ownership[]): readonly JsonObject[] {
  return ownerships
    .filter(({ paths }) => paths.size > 0)
    .map(({ name, operation, apiVersion, time, paths, subresource }) => ({
      apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(paths),
      manager: name,
      operation,
      ...(subresource === undefined ? {} : { subresource }),
      time,
    }));
}

export function sameManager(left: Manager, right: Manager): boolean {
  return (
    left.name === right.name &&
    left.operation === right.operation &&
    left.subresource === right.subresource &&
    (left.operation === 'Apply' || left.apiVersion === right.apiVersion)
  );
}

/** The fields of an object that can have an owner, when it is written through this subresource or as a whole. */
export function ownableFields(
  object: KubernetesObject,
  shape: Shape,
  scope: {
    readonly subresource?: string | undefined;
    readonly statusApart: boolean;
    readonly containers: boolean;
  },
): FieldSet {
  const { subresource, statusApart, containers } = scope;
  if (subresource === 'status') return fieldsOf({ status: object.status }, shape, containers);
  return fieldsOf(statusApart ? without(object, 'status') : object, shape, containers);
}

/**
 * Ownership after a write that was not an apply: the writer takes every field it changed, and who owned it
 * loses it. Undefined when the write changed nothing.
 */
export function afterUpdate(
  before: FieldSet,
  after: FieldSet,
  ownerships: readonly Ownership[],
  manager: Manager,
  now: string,
): readonly Ownership[] {
  const changed = changedPaths(before, after);
  const gone = missingPaths(before, after);
  if (changed.size === 0 && gone.size === 0) return ownerships;
  const own = ownerships.find((entry) => sameManager(entry, manager));
  const others = ownerships.filter((entry) => entry !== own).map((entry) => lose(entry, changed, gone));
  const paths = new Set(own?.paths);
  for (const path of changed) paths.add(path);
  for (const path of gone) paths.delete(path);
  return [...others, { ...manager, time: now, paths }];
}

/** The entry without these paths. */
export function lose(entry: Ownership, ...lost: readonly ReadonlySet<string>[]): Ownership {
  if (![...entry.paths].some((path) => lost.some((set) => set.has(path)))) return entry;
  return { ...entry, paths: new Set([...entry.paths].filter((path) => !lost.some((set) => set.has(path)))) };
}
