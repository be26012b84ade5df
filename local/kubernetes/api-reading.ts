// GET: one object, a list in pages, a watch; as objects, as a Table or as metadata.

import type { KubernetesObject } from '../../core/ports.ts';
import { json, methodNotAllowed, presentationOf, type Reply, type ResourceRequest } from './api-exchange.ts';
import { type JsonObject, without } from './api-json.ts';
import { fieldMatcher, labelMatcher, type Matcher } from './api-selectors.ts';
import { ApiStatusError, notFound, notServed } from './api-status.ts';
import { partialMetadata, tableOf } from './api-tables.ts';
import { startWatch, type WatchEvent } from './api-watch.ts';

export function readObject(resource: ResourceRequest): Reply {
  const { cluster, request, path, type } = resource;
  const { namespace, name = '', subresource } = path;
  if (request.query.watch && subresource === undefined) return watch(resource, name);
  const object = cluster.store.get(path.apiVersion, type.kind, namespace, name);
  if (!object) throw notFound(type, name);
  if (subresource === 'log' && type.kind === 'Pod') return { type: 'text', code: 200, text: '' };
  if (subresource !== undefined && subresource !== 'status') throw notServed();
  if (presentationOf(request.accept) === 'object') return json(object);
  return json(present(resource, [object], { resourceVersion: object.metadata.resourceVersion }, true));
}

export function readCollection(resource: ResourceRequest): Reply {
  const { cluster, request, path, type } = resource;
  const { query } = request;
  if (query.watch) return watch(resource);
  const page =
    query.continueToken === undefined
      ? cluster.paging.first(
          cluster.store.list(path.apiVersion, type.kind, path),
          matcherOf(resource),
          cluster.store.resourceVersion,
          query.limit,
        )
      : cluster.paging.next(query.continueToken, query.limit);
  const isSelective = query.labelSelector !== undefined || query.fieldSelector !== undefined;
  const metadata = {
    resourceVersion: page.resourceVersion,
    // Of custom resources a real server states it always.
    ...(page.continueToken !== undefined || type.custom ? { continue: page.continueToken ?? '' } : {}),
    // A real server does not count what a selector leaves.
    ...(page.remaining === undefined || isSelective ? {} : { remainingItemCount: page.remaining }),
  };
  return json(present(resource, page.objects, metadata, false));
}

export function matcherOf({ request, path, type }: ResourceRequest, name?: string): Matcher {
  const { labelSelector, fieldSelector } = request.query;
  const [byLabel, byField] = [labelMatcher(labelSelector), fieldMatcher(fieldSelector, type)];
  return (object) =>
    (path.namespace === undefined || object.metadata.namespace === path.namespace) &&
    (name === undefined || object.metadata.name === name) &&
    byLabel(object) &&
    byField(object);
}

function present(
  { request, path, type, version }: ResourceRequest,
  objects: readonly KubernetesObject[],
  metadata: JsonObject,
  single: boolean,
): JsonObject {
  const presentation = presentationOf(request.accept);
  if (presentation === 'table') {
    const { includeObject } = request.query;
    return tableOf(type, version, objects, {
      includeObject,
      listMetadata: metadata,
      withColumns: true,
      now: Date.now(),
    });
  }
  if (presentation === 'metadata') {
    const items = objects.map(partialMetadata);
    if (single) return items[0] ?? {};
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
  }
  return {
    kind: `${type.kind}List`,
    apiVersion: path.apiVersion,
    metadata,
    // Items of built-in lists carry no kind of their own in a real answer; clients must not rely on one.
    items: type.custom ? objects : objects.map((object) => without(object, 'kind', 'apiVersion')),
  };
}

function watch(resource: ResourceRequest, name?: string): Reply {
  const { cluster, request, path, type, version } = resource;
  const { query } = request;
  const presentation = presentationOf(request.accept);
  if (request.method !== 'GET') throw methodNotAllowed();
  return {
    type: 'stream',
    start: (send, end) => {
      let isFirst = true;
      const shown = ({ type: change, object }: WatchEvent): unknown => {
        if (presentation === 'metadata') return { type: change, object: partialMetadata(object) };
        if (presentation === 'object') return { type: change, object };
        const table = tableOf(type, version, change === 'BOOKMARK' ? [] : [object], {
          includeObject: query.includeObject,
          listMetadata: { resourceVersion: object.metadata.resourceVersion },
          withColumns: isFirst,
          now: Date.now(),
        });
        isFirst = false;
        return { type: change, object: table };
      };
      try {
        return startWatch({
          ...cluster,
          type,
          version,
          apiVersion: path.apiVersion,
          namespace: path.namespace,
          matches: matcherOf(resource, name),
          resourceVersion: query.resourceVersion,
          bookmarks: query.bookmarks,
          sendInitialEvents: query.sendInitialEvents,
          timeoutSeconds: query.timeoutSeconds,
          send: (event) => send(shown(event)),
          end,
        });
      } catch (error) {
        if (!(error instanceof ApiStatusError)) throw error;
        // As a real server does: the failure of a watch is its only event.
        send({ type: 'ERROR', object: error.status() });
        end();
        return () => undefined;
      }
    },
  };
}
