// Watches: changes since a resourceVersion, then every further one as it happens.

import type { KubernetesObject } from '../../core/ports.ts';
import { asVersion } from './api-object.ts';
import type { ResourceType } from './api-resources.ts';
import type { Matcher } from './api-selectors.ts';
import { ApiStatusError } from './api-status.ts';
import type { ObjectEvent, ObjectStore } from './object-store.ts';

/** As many changes are kept for clients that reconnect; older ones are `Expired`. */
const keptEvents = 5000;
const bookmarkMilliseconds = 60_000;
const defaultTimeoutSeconds = 1800;

/** The last changes of one cluster. */
export class WatchHistory {
  readonly #events: ObjectEvent[] = [];
  readonly #listeners = new Set<(event: ObjectEvent) => void>();
  readonly #unwatch: () => void;
  /** The newest version whose change is no longer known. */
  #floor: number;

  constructor(store: ObjectStore) {
    this.#floor = Number(store.resourceVersion);
    this.#unwatch = store.watch((event) => {
      this.#events.push(event);
      const dropped = this.#events.length > keptEvents ? this.#events.shift() : undefined;
      if (dropped) this.#floor = versionOf(dropped);
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  /** Changes after this version. @throws ApiStatusError 410 when some of them are no longer known */
  since(version: number): readonly ObjectEvent[] {
    if (version < this.#floor) {
      const message = `too old resource version: ${version} (${this.#floor})`;
      throw new ApiStatusError(410, 'Expired', message);
    }
    return this.#events.filter((event) => versionOf(event) > version);
  }

  subscribe(listener: (event: ObjectEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unwatch();
    this.#listeners.clear();
  }
}

function versionOf(event: ObjectEvent): number {
  return Number(event.object.metadata.resourceVersion);
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubernetesObject;
}

export interface WatchRequest {
  readonly store: ObjectStore;
  readonly history: WatchHistory;
  readonly type: ResourceType;
  readonly version: string;
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly matches: Matcher;
  readonly resourceVersion: string | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
  readonly send: (event: WatchEvent) => void;
  readonly end: () => void;
}

/**
 * Sends what happened and what happens, until the timeout or until the returned function is called.
 * @throws ApiStatusError 410 when it would have to begin before what is remembered
 */
export function startWatch(request: WatchRequest): () => void {
  const { store, history, apiVersion, type, namespace, send, end } = request;
  const { resourceVersion, sendInitialEvents } = request;
  const present = Number(store.resourceVersion);
  const startsWithAll = sendInitialEvents || resourceVersion === undefined || resourceVersion === '0';
  const missed = startsWithAll ? [] : history.since(Number(resourceVersion));
  let sent = startsWithAll ? present : Number(resourceVersion);

  const deliver = (event: ObjectEvent) => {
    if (versionOf(event) <= sent) return;
    sent = versionOf(event);
    const told = selected(event, request);
    if (told) send({ type: told, object: asVersion(stateOf(event, told), event.resource, request.version) });
  };
  const bookmark = (annotations?: Readonly<Record<string, string>>) => {
    const metadata = { name: '', resourceVersion: String(sent), creationTimestamp: null };
    send({
      type: 'BOOKMARK',
      object: {
        kind: type.kind,
        apiVersion,
        metadata: annotations ? { ...metadata, annotations } : metadata,
      },
    });
  };

  if (startsWithAll) {
    for (const object of store.list(apiVersion, type.kind, { namespace })) {
      if (request.matches(object)) send({ type: 'ADDED', object });
    }
    if (sendInitialEvents) bookmark({ 'k8s.io/initial-events-end': 'true' });
  }
  for (const event of missed) deliver(event);
  const unsubscribe = history.subscribe(deliver);
  const bookmarks = request.bookmarks ? setInterval(bookmark, bookmarkMilliseconds) : undefined;
  const stop = () => {
    unsubscribe();
    clearInterval(bookmarks);
    clearTimeout(timeout);
  };
  const timeout = setTimeout(
    () => {
      if (request.bookmarks) bookmark();
      stop();
      end();
    },
    (request.timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
  );
  return stop;
}

/** What is told with a change: of what leaves a selection the state that was in it, with the version of the change. */
function stateOf({ type, object, previous }: ObjectEvent, told: WatchEvent['type']): KubernetesObject {
  if (told !== 'DELETED' || type === 'DELETED' || !previous) return object;
  const { resourceVersion = '' } = object.metadata;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion } };
}

/** What a change is for someone who sees only the selected objects. */
function selected(event: ObjectEvent, request: WatchRequest): WatchEvent['type'] | undefined {
  const { type, namespace, matches } = request;
  const { object, previous, resource } = event;
  if (resource.plural !== type.plural || resource.group !== type.group) return undefined;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined;
  const wasSelected = previous !== undefined && matches(previous);
  const isSelected = event.type !== 'DELETED' && matches(object);
  if (isSelected) return wasSelected ? 'MODIFIED' : 'ADDED';
  return wasSelected ? 'DELETED' : undefined;
}
