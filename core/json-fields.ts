// Reading JSON whose shape nobody vouches for: manifests, answers of other programs, what a user wrote into a store.

/** Whether the value is a JSON object: no list, not null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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

/** The number at a path. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

/** Whether `true` is at a path. */
export function isTrueAt(value: unknown, ...path: readonly (string | number)[]): boolean {
  return at(value, ...path) === true;
}

/** The list at a path; empty when there is none. */
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
