// Reading objects whose shape nobody vouches for: everything the store holds may have been written by a user.

import { isObject } from '../kubernetes/api-json.ts';

/**
 * The value at a path, or undefined as soon as something on the way is missing or of another type. Own fields only:
 * a path may come from a user, and `__proto__` must lead nowhere.
 */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current)) {
      current = current[Number(step)];
    } else if (isObject(current) && Object.hasOwn(current, step)) {
      current = current[step];
    } else {
      return undefined;
    }
  }
  return current;
}

/** The non-empty text at a path. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

export function isTrueAt(value: unknown, ...path: readonly (string | number)[]): boolean {
  return at(value, ...path) === true;
}

/** The array at a path; empty when there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The object at a path; empty when there is none. */
export function recordAt(
  value: unknown,
  ...path: readonly (string | number)[]
): Readonly<Record<string, unknown>> {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

/** The entries of the object at a path whose values are text: labels, annotations, tags. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, text] of Object.entries(recordAt(value, ...path))) {
    if (typeof text === 'string') texts[key] = text;
  }
  return texts;
}

/** Whether everything in `part` is also in `whole`, with the same values. Arrays must be equal in length. */
export function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((item, i) => contains(whole[i], item))
    );
  }
  if (isObject(part)) {
    return (
      isObject(whole) &&
      Object.entries(part).every(([key, value]) => value === undefined || contains(whole[key], value))
    );
  }
  return whole === part;
}
