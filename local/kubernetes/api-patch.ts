// The patches besides server-side apply: JSON merge patch (RFC 7386), JSON patch (RFC 6902) and the strategic
// merge patch that kubectl sends for built-in kinds.

import { isObject, sameJson } from './api-json.ts';
import type { Shape } from './api-shapes.ts';
import { itemKey } from './api-shapes.ts';
import { ApiStatusError, badRequest } from './api-status.ts';

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/**
 * A merge patch in which lists with a known key are merged by item. `$patch: delete|replace`,
 * `$deleteFromPrimitiveList/…` and `$setElementOrder/…` directives are understood (order is left as it is).
 */
export function strategicPatch(target: unknown, patch: unknown, shape: Shape): unknown {
  if (Array.isArray(patch)) return patchItems(Array.isArray(target) ? target : [], patch, shape);
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'delete') return undefined;
  const replaces = patch.$patch === 'replace';
  const result: Record<string, unknown> = isObject(target) && !replaces ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$deleteFromPrimitiveList/')) {
      const field = name.slice('$deleteFromPrimitiveList/'.length);
      const present = result[field];
      if (Array.isArray(present) && Array.isArray(value)) {
        result[field] = present.filter((element) => !value.includes(element));
      }
    } else if (name === '$retainKeys' && Array.isArray(value)) {
      for (const field of Object.keys(result)) if (!value.includes(field)) delete result[field];
    } else if (!name.startsWith('$')) {
      const patched = value === null ? undefined : strategicPatch(result[name], value, shape.field(name));
      if (patched === undefined) delete result[name];
      else result[name] = patched;
    }
  }
  return result;
}

function patchItems(target: readonly unknown[], patch: readonly unknown[], shape: Shape): readonly unknown[] {
  if (shape.list === 'atomic' || patch.some((element) => isObject(element) && element.$patch === 'replace')) {
    return patch.filter((element) => !(isObject(element) && element.$patch === 'replace'));
  }
  const byKey = new Map<string, unknown>();
  for (const element of target) {
    const key = itemKey(element, shape.list);
    if (key === undefined) return patch;
    byKey.set(key, element);
  }
  for (const element of patch) {
    const key = itemKey(element, shape.list);
    if (key === undefined) return patch;
    const merged = strategicPatch(byKey.get(key), element, shape.items());
    if (merged === undefined) byKey.delete(key);
    else byKey.set(key, merged);
  }
  return [...byKey.values()];
}

/** @throws ApiStatusError 422 when a `test` fails or a path does not exist, 400 when the patch is malformed */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('json patch must be an array of operations');
  let document = target;
  for (const operation of patch) {
    if (!isObject(operation) || typeof operation.path !== 'string') {
      throw badRequest('json patch operation must have "op" and "path"');
    }
    const path = pointer(operation.path);
    const from = typeof operation.from === 'string' ? pointer(operation.from) : undefined;
    switch (operation.op) {
      case 'add':
        document = edit(document, path, 'add', operation.value);
        break;
      case 'replace':
        document = edit(document, path, 'replace', operation.value);
        break;
      case 'remove':
        document = edit(document, path, 'remove');
        break;
      case 'test':
        if (!sameJson(read(document, path), operation.value)) {
          throw unprocessable();
        }
        break;
      case 'copy':
        document = edit(document, path, 'add', read(document, from ?? []));
        break;
      case 'move': {
        const value = read(document, from ?? []);
        document = edit(edit(document, from ?? [], 'remove'), path, 'add', value);
        break;
      }
      default:
        throw badRequest(`unexpected json patch operation ${JSON.stringify(operation.op)}`);
    }
  }
  return document;
}

function unprocessable(): ApiStatusError {
  return new ApiStatusError(
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
    {},
  );
}

function pointer(path: string): readonly string[] {
  return path === ''
    ? []
    : path
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const part of path) {
    value = Array.isArray(value) ? value[Number(part)] : isObject(value) ? value[part] : undefined;
  }
  return value;
}

function edit(
  document: unknown,
  path: readonly string[],
  how: 'add' | 'replace' | 'remove',
  value?: unknown,
): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return how === 'remove' ? undefined : value;
  if (Array.isArray(document)) {
    const index = part === '-' ? document.length : Number(part);
    const exists = Number.isInteger(index) && index >= 0 && index < document.length;
    if (!exists && !(how === 'add' && rest.length === 0 && index === document.length)) {
      throw unprocessable();
    }
    const copy = [...document];
    if (rest.length > 0) copy[index] = edit(copy[index], rest, how, value);
    else if (how === 'add') copy.splice(index, 0, value);
    else if (how === 'replace') copy[index] = value;
    else copy.splice(index, 1);
    return copy;
  }
  if (!isObject(document) || ((how !== 'add' || rest.length > 0) && !Object.hasOwn(document, part))) {
    throw unprocessable();
  }
  if (rest.length > 0) return { ...document, [part]: edit(document[part], rest, how, value) };
  const { [part]: _replaced, ...others } = document;
  return how === 'remove' ? others : { ...document, [part]: value };
}
