// What a route gets and gives, whoever serves it, and how it reads what callers wrote.

import { PetraError } from '../errors.ts';

export interface ApiRequest {
  /** Parts of the path, by the names in the route. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  /** Who asks: a caller's ARN, or `local:<user>`. */
  readonly caller: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Items on a page unless asked otherwise, and at most. */
const pageSize = { default: 100, maximum: 100 };

/** A part of the path. A router that gave none asks for a name that nothing has. */
export function part({ path }: ApiRequest, key: 'name' | 'id'): string {
  return path[key] ?? '';
}

export function ok(body: unknown): ApiResponse {
  return { status: 200, body };
}

export function next(cursor: string | undefined): { readonly next?: string } {
  return cursor === undefined ? {} : { next: cursor };
}

export function member(body: unknown, key: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PetraError('InvalidRequest', 'the request needs a JSON object as its body');
  }
  return Object.hasOwn(body, key) ? (body as Readonly<Record<string, unknown>>)[key] : undefined;
}

export function flag(query: ApiRequest['query'], key: string): boolean {
  return oneOf(query, key, ['true', 'false']) === 'true';
}

export function oneOf<T extends string>(
  query: ApiRequest['query'],
  key: string,
  allowed: readonly T[],
): T | undefined {
  const value = query[key];
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new PetraError('InvalidRequest', `${key}: expected ${allowed.join(' or ')}, got "${value}"`);
}

export function paging(query: ApiRequest['query']): { readonly limit: number; readonly cursor?: string } {
  const { cursor } = query;
  return { limit: limitOf(query), ...(cursor === undefined ? {} : { cursor }) };
}

export function limitOf(query: ApiRequest['query']): number {
  const text = query.limit;
  if (text === undefined) return pageSize.default;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageSize.maximum) return limit;
  throw new PetraError(
    'InvalidRequest',
    `limit: expected a number from 1 to ${pageSize.maximum}, got "${text}"`,
  );
}
