// A request and its answer as the handlers see them: without sockets.

import type { Paging } from './api-paging.ts';
import { parseResourcePath, type Query, type ResourcePath } from './api-requests.ts';
import { type ResourceType, splitApiVersion } from './api-resources.ts';
import { ApiStatusError, notServed } from './api-status.ts';
import type { WatchHistory } from './api-watch.ts';
import type { ObjectStore } from './object-store.ts';

/** What one simulated cluster needs to answer. */
export interface ServedCluster {
  readonly id: string;
  /** As in `gitVersion`, for example `v1.35.3+k3s1`. */
  readonly version: string;
  readonly store: ObjectStore;
  readonly history: WatchHistory;
  readonly paging: Paging;
}

export interface ApiRequest {
  readonly method: string;
  /** Within the cluster: begins with `/api` and the like. */
  readonly path: string;
  /** What comes before it in the URL. */
  readonly prefix: string;
  readonly query: Query;
  readonly accept: string;
  readonly contentType: string | undefined;
  readonly userAgent: string;
  /** The common name of the client's certificate. */
  readonly user: string;
  readonly body: () => Promise<Buffer>;
}

export type Reply =
  | { readonly type: 'json'; readonly code: number; readonly body: unknown; readonly mediaType?: string }
  | { readonly type: 'text'; readonly code: number; readonly text: string }
  | {
      readonly type: 'stream';
      /** Begins to send; returns how to stop. */
      readonly start: (send: (value: unknown) => void, end: () => void) => () => void;
    };

export function json(body: unknown, code = 200): Reply {
  return { type: 'json', code, body };
}

/** A request for a resource that is served. */
export interface ResourceRequest {
  readonly cluster: ServedCluster;
  readonly request: ApiRequest;
  readonly path: ResourcePath;
  readonly type: ResourceType;
  readonly version: string;
}

/** @throws ApiStatusError 404 when the path names nothing that is served */
export function resolveResource(cluster: ServedCluster, request: ApiRequest): ResourceRequest {
  const path = parseResourcePath(request.path);
  const [group, version] = splitApiVersion(path.apiVersion);
  const type = cluster.store
    .resources()
    .find(
      (candidate) =>
        candidate.group === group &&
        candidate.plural === path.plural &&
        candidate.versions.some(({ name }) => name === version),
    );
  if (!type || (path.namespace !== undefined && !type.namespaced)) throw notServed();
  return { cluster, request, path, type, version };
}

export function methodNotAllowed(): ApiStatusError {
  return new ApiStatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** How the client wants to see objects: whole, as a `Table`, or without anything but metadata. */
export function presentationOf(accept: string): 'object' | 'table' | 'metadata' {
  if (/;as=Table\b/.test(accept)) return 'table';
  return /;as=PartialObjectMetadata(List)?\b/.test(accept) ? 'metadata' : 'object';
}
