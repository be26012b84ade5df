import { isObject } from '../../core/json-fields.ts';

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
