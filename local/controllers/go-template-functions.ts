// Functions of Go's text/template and of Sprig, as far as patches of a ClusterClass use them.

import { at, isObject } from '../../core/json-fields.ts';

/** Go's idea of truth: empty collections are false. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go would print it. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return '<no value>';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The functions a template may call, by name, with Sprig's order of arguments. */
export const templateFunctions: Readonly<Record<string, (...values: readonly unknown[]) => unknown>> = {
  and: (...values) => {
    const decisive = values.findIndex((value) => !isTruthy(value));
    return values.at(decisive);
  },
  or: (...values) => {
    const decisive = values.findIndex(isTruthy);
    return values.at(decisive);
  },
  not: (value) => !isTruthy(value),
  eq: (first, ...others) => others.some((other) => other === first),
  ne: (first, second) => first !== second,
  lt: (first, second) => compare(first, second) < 0,
  le: (first, second) => compare(first, second) <= 0,
  gt: (first, second) => compare(first, second) > 0,
  ge: (first, second) => compare(first, second) >= 0,
  len: (value) =>
    typeof value === 'string' || Array.isArray(value) ? value.length : Object.keys(Object(value)).length,
  index: (value, ...path) => at(value, ...path.map(show)),
  default: (fallback, value) => (isTruthy(value) ? value : fallback),
  empty: (value) => !isTruthy(value),
  ternary: (whenTrue, whenFalse, test) => (isTruthy(test) ? whenTrue : whenFalse),
  quote: (value) => JSON.stringify(show(value)),
  toString: show,
  toJson: (value) => JSON.stringify(value),
  lower: (text) => show(text).toLowerCase(),
  upper: (text) => show(text).toUpperCase(),
  trim: (text) => show(text).trim(),
  trimPrefix: (prefix, text) =>
    show(text).startsWith(show(prefix)) ? show(text).slice(show(prefix).length) : text,
  replace: (from, to, text) => show(text).replaceAll(show(from), show(to)),
  hasPrefix: (prefix, text) => show(text).startsWith(show(prefix)),
  hasSuffix: (end, text) => show(text).endsWith(show(end)),
  contains: (part, text) => show(text).includes(show(part)),
  regexMatch: (pattern, text) => new RegExp(show(pattern)).test(show(text)),
  b64enc: (text) => Buffer.from(show(text)).toString('base64'),
  indent: (count, text) => indent(Number(count), show(text)),
  nindent: (count, text) => `\n${indent(Number(count), show(text))}`,
  printf: (format, ...values) => {
    let next = 0;
    return show(format).replace(/%([sdvq%])/g, (_match, verb: string) => {
      if (verb === '%') return '%';
      const value = values[next++];
      return verb === 'q' ? JSON.stringify(show(value)) : show(value);
    });
  },
};

function compare(first: unknown, second: unknown): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  const [a, b] = [show(first), show(second)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function indent(count: number, text: string): string {
  return text.replace(/^/gm, ' '.repeat(count));
}
