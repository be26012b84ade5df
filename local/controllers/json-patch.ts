// The three operations of RFC 6902 that a ClusterClass may use.

import { at } from '../../core/json-fields.ts';

export interface JsonPatch {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** A patch that does not fit the document. */
class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
}

/** The document after the patches; the given one stays as it is. @throws JsonPatchError */
export function patchJson<T>(document: T, patches: readonly JsonPatch[]): T {
  const copy = structuredClone(document);
  for (const patch of patches) apply(copy, patch);
  return copy;
}

function apply(document: unknown, { op, path, value }: JsonPatch): void {
  const steps = path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop();
  let parent: unknown = document;
  for (const step of steps) {
    parent = at(parent, step);
  }
  if (last === undefined || typeof parent !== 'object' || parent === null) {
    throw new JsonPatchError(`${op} operation does not apply: doc is missing path: "${path}"`);
  }
  if (Array.isArray(parent)) patchList(parent, last, { op, path, value });
  else patchObject(parent, last, { op, path, value });
}

function patchList(list: unknown[], step: string, { op, path, value }: JsonPatch): void {
  const index = step === '-' ? list.length : Number(step);
  if (!Number.isInteger(index) || index < 0 || index > list.length - (op === 'add' ? 0 : 1)) {
    throw new JsonPatchError(`${op} operation does not apply: invalid index in "${path}"`);
  }
  if (op === 'add') list.splice(index, 0, value);
  else if (op === 'replace') list[index] = value;
  else if (op === 'remove') list.splice(index, 1);
  else throw new JsonPatchError(`operation "${op}" is not one of add, replace, remove`);
}

function patchObject(object: object, step: string, { op, path, value }: JsonPatch): void {
  if (op !== 'add' && !Object.hasOwn(object, step)) {
    throw new JsonPatchError(`${op} operation does not apply: doc is missing key: "${path}"`);
  }
  // Defined, not set: the path comes from a user, and may say `__proto__`.
  if (op === 'add' || op === 'replace') {
    Object.defineProperty(object, step, { value, writable: true, enumerable: true, configurable: true });
  } else if (op === 'remove') Reflect.deleteProperty(object, step);
  else throw new JsonPatchError(`operation "${op}" is not one of add, replace, remove`);
}
