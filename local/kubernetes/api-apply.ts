// Server-side apply: merge by ownership. Semantics: https://kubernetes.io/docs/reference/using-api/server-side-apply/
// and sigs.k8s.io/structured-merge-diff/merge/update.go, written anew for JSON without Go types.

import type { KubernetesObject } from '../../core/ports.ts';
import { changedPaths, inSetOrder, readablePath, separator } from './api-fields.ts';
import { isObject } from './api-json.ts';
import {
  lose,
  type Manager,
  type Ownership,
  ownableFields,
  ownershipsOf,
  sameManager,
} from './api-managed-fields.ts';
import type { Shape } from './api-shapes.ts';
import { itemKey } from './api-shapes.ts';
import { ApiStatusError } from './api-status.ts';

export interface Application {
  readonly live: KubernetesObject | undefined;
  readonly configuration: KubernetesObject;
  readonly manager: Manager;
  readonly force: boolean;
  readonly shape: Shape;
  /** Whether `status` is written through its subresource only. */
  readonly statusApart: boolean;
  readonly now: string;
}

/**
 * The object with the configuration merged in, and who owns what then. Fields that this manager applied before
 * and leaves out now are removed, unless someone else owns them too.
 * @throws ApiStatusError 409 with every field that another manager owns with another value, unless forced
 */
export function applyConfiguration(application: Application): {
  readonly object: KubernetesObject;
  readonly ownerships: readonly Ownership[];
} {
  const { live, configuration, manager, shape, statusApart } = application;
  const scope = { subresource: manager.subresource, statusApart, containers: false };
  const configured = ownableFields(configuration, shape, scope);
  const before = live ? ownableFields(live, shape, scope) : new Map<string, unknown>();
  const merged = live ? merge(live, configuration, shape) : configuration;
  const changed = changedPaths(before, ownableFields(asObject(merged, configuration), shape, scope));

  const ownerships = ownershipsOf(live);
  const own = ownerships.find((entry) => sameManager(entry, manager));
  const others = ownerships.filter((entry) => entry !== own);
  const conflicts = others
    .map((entry) => ({ entry, paths: inSetOrder([...entry.paths].filter((path) => changed.has(path))) }))
    .filter(({ paths }) => paths.length > 0);
  if (conflicts.length > 0 && !application.force) throw applyConflict(conflicts);
  const remaining = others.map((entry) => lose(entry, changed));

  const dropped = [...(own?.paths ?? [])].filter(
    (path) => !configured.has(path) && !isHeldByOther(path, remaining, configured.keys()),
  );
  // What is applied as an empty map stays one: pruning alone would drop it.
  const pruned = dropped.length > 0 ? merge(prune(merged, dropped, shape), configuration, shape) : merged;
  const object = asObject(pruned, configuration);
  const paths = new Set(configured.keys());
  const unchanged = own && own.paths.size === paths.size && [...paths].every((path) => own.paths.has(path));
  const entry: Ownership = { ...manager, time: unchanged ? own.time : application.now, paths };
  return { object, ownerships: [...remaining, entry] };
}

function isHeldByOther(path: string, others: readonly Ownership[], configured: Iterable<string>): boolean {
  const below = path + separator;
  if ([...configured].some((kept) => kept.startsWith(below))) return true;
  return others.some(({ paths }) => paths.has(path) || [...paths].some((held) => held.startsWith(below)));
}

function asObject(value: unknown, identity: KubernetesObject): KubernetesObject {
  const object = isObject(value) ? value : {};
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const { apiVersion, kind } = identity;
  return { ...object, apiVersion, kind, metadata: { ...metadata, name: identity.metadata.name } };
}

/** The live value with the configured one laid over it. */
export function merge(live: unknown, configured: unknown, shape: Shape): unknown {
  if (isObject(configured) && isObject(live) && !shape.atomic) {
    const merged: Record<string, unknown> = { ...live };
    for (const [name, field] of Object.entries(configured)) {
      if (field !== undefined) merged[name] = merge(live[name], field, shape.field(name));
    }
    return merged;
  }
  if (Array.isArray(configured) && Array.isArray(live) && shape.list !== 'atomic') {
    return mergeItems(live, configured, shape);
  }
  return configured;
}

function mergeItems(live: readonly unknown[], configured: readonly unknown[], shape: Shape): unknown {
  const byKey = new Map<string, unknown>();
  for (const element of live) {
    const key = itemKey(element, shape.list);
    if (key === undefined) return configured;
    byKey.set(key, element);
  }
  for (const element of configured) {
    const key = itemKey(element, shape.list);
    if (key === undefined) return configured;
    byKey.set(key, byKey.has(key) ? merge(byKey.get(key), element, shape.items()) : element);
  }
  return [...byKey.values()];
}

/** The value without these fields, and without maps and lists that became empty by that. */
function prune(value: unknown, paths: readonly string[], shape: Shape): unknown {
  const whole = new Set<string>();
  const below = new Map<string, string[]>();
  for (const path of paths) {
    const end = path.indexOf(separator);
    if (end < 0) whole.add(path);
    else {
      const element = path.slice(0, end);
      const rest = below.get(element) ?? [];
      rest.push(path.slice(end + 1));
      below.set(element, rest);
    }
  }
  if (isObject(value)) {
    const kept: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value)) {
      const element = `f:${name}`;
      if (whole.has(element)) continue;
      const deeper = below.get(element);
      const left = deeper ? prune(field, deeper, shape.field(name)) : field;
      if (!deeper || !isEmpty(left)) kept[name] = left;
    }
    return kept;
  }
  if (Array.isArray(value)) {
    return value.flatMap((entry) => {
      const element = itemKey(entry, shape.list);
      if (element === undefined) return [entry];
      if (whole.has(element)) return [];
      const deeper = below.get(element);
      return [deeper ? prune(entry, deeper, shape.items()) : entry];
    });
  }
  return value;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function applyConflict(
  conflicts: readonly { readonly entry: Ownership; readonly paths: readonly string[] }[],
): ApiStatusError {
  const causes = conflicts.flatMap(({ entry, paths }) =>
    paths.map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describeManager(entry)}`,
      field: readablePath(path),
    })),
  );
  const [only] = causes;
  const groups = conflicts.map(
    ({ entry, paths }) =>
      `conflicts with ${describeManager(entry)}:\n${paths.map((path) => `- ${readablePath(path)}`).join('\n')}`,
  );
  const message =
    causes.length === 1 && only
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${groups.join('\n')}`;
  return new ApiStatusError(409, 'Conflict', message, { causes });
}

function describeManager({ name, subresource, operation, apiVersion }: Manager): string {
  const through = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(name)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}
