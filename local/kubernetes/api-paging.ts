// Lists in pages: the first request fixes what is listed, `continue` tokens lead through it.

import type { KubernetesObject } from '../../core/ports.ts';
import { isObject } from './api-json.ts';
import type { Matcher } from './api-selectors.ts';
import { ApiStatusError, badRequest } from './api-status.ts';

interface Snapshot {
  readonly objects: readonly KubernetesObject[];
  readonly matches: Matcher;
  readonly resourceVersion: string;
  readonly expiresAt: number;
}

export interface ListPage {
  readonly objects: readonly KubernetesObject[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
  readonly remaining?: number;
}

/** As long as etcd keeps old revisions by default. */
const keptMilliseconds = 5 * 60 * 1000;
const keptSnapshots = 64;

export class Paging {
  readonly #snapshots = new Map<string, Snapshot>();
  #next = 0;

  /** The first page, or everything when there is no limit, of those objects that match. */
  first(
    objects: readonly KubernetesObject[],
    matches: Matcher,
    resourceVersion: string,
    limit: number | undefined,
  ): ListPage {
    if (limit === undefined || objects.length <= limit) {
      return { objects: objects.filter(matches), resourceVersion };
    }
    this.#next += 1;
    // The version keeps tokens of an earlier process from meeting a snapshot of this one.
    const id = `${resourceVersion}-${this.#next}`;
    this.#snapshots.set(id, { objects, matches, resourceVersion, expiresAt: Date.now() + keptMilliseconds });
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > keptSnapshots && oldest !== undefined) this.#snapshots.delete(oldest);
    return this.#page(id, 0, limit);
  }

  /** The page that a token leads to. @throws ApiStatusError 410 when the list is no longer kept, 400 for what is no token */
  next(token: string, limit: number | undefined): ListPage {
    const { id, offset } = decodeToken(token);
    return this.#page(id, offset, limit ?? Number.POSITIVE_INFINITY);
  }

  /** Forgets the lists that clients are in the middle of. */
  forget(): void {
    this.#snapshots.clear();
  }

  #page(id: string, offset: number, limit: number): ListPage {
    const snapshot = this.#snapshots.get(id);
    if (!snapshot || snapshot.expiresAt < Date.now()) {
      this.#snapshots.delete(id);
      throw new ApiStatusError(
        410,
        'Expired',
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
      );
    }
    const { objects, matches, resourceVersion } = snapshot;
    // A page ends where it is full: that nothing after it matches is found out by the next, empty one.
    const found: KubernetesObject[] = [];
    let end = offset;
    for (; end < objects.length && found.length < limit; end += 1) {
      const object = objects[end];
      if (object && matches(object)) found.push(object);
    }
    const page = { objects: found, resourceVersion };
    if (end >= objects.length) {
      this.#snapshots.delete(id);
      return page;
    }
    const continueToken = Buffer.from(JSON.stringify({ id, offset: end })).toString('base64url');
    return { ...page, continueToken, remaining: objects.length - end };
  }
}

function decodeToken(token: string): { readonly id: string; readonly offset: number } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (isObject(value) && typeof value.id === 'string' && typeof value.offset === 'number') {
      return { id: value.id, offset: value.offset };
    }
  } catch {
    // Answered below: it is no token, however it fails.
  }
  throw badRequest(`invalid continue token: continue key is not valid: ${JSON.stringify(token)}`);
}
