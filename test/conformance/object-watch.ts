// Every state that some kinds of objects have in a namespace, one after the other, as the Kubernetes API tells it.
// Works on any API given by kubeconfig: a real one, and a simulated one.

import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { KubernetesResources } from '../../adapters/kubernetes-resources.ts';
import { isObject, listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';

export interface WatchedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObservedEvent {
  /** `PRESENT` was there when the watch began. */
  readonly type: 'PRESENT' | 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
}

export interface ObjectWatch {
  /**
   * What was seen until now, in the order in which it was stored: resource versions count through all kinds of one
   * cluster (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
   */
  events(): readonly ObservedEvent[];
  /** The objects as they are now. */
  present(): readonly KubernetesObject[];
  stop(): Promise<void>;
}

/** Begins to watch; resolves when nothing that happens from now on can be missed. */
export async function watchObjects(options: {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly kinds: readonly WatchedKind[];
}): Promise<ObjectWatch> {
  const events: ObservedEvent[] = [];
  const stopping = new AbortController();
  const connection = new HttpsConnection(parseKubeconfig(options.kubeconfig));
  const resources = new KubernetesResources(connection);
  const streams = await Promise.all(
    options.kinds.map(async (kind) => {
      const path = await resources.pathOf({ ...kind, namespace: options.namespace });
      if (path === undefined) throw new Error(`${kind.kind} of ${kind.apiVersion} is not served`);
      const list = await readList(connection, path);
      for (const object of list.objects) events.push({ type: 'PRESENT', object: { ...object, ...kind } });
      return follow({ ...options, kind, path, from: list.version, events, signal: stopping.signal });
    }),
  );
  const sorted = () => events.toSorted((a, b) => versionOf(a) - versionOf(b));
  return {
    events: sorted,
    present: () => {
      const objects = new Map<string, KubernetesObject>();
      for (const { type, object } of sorted()) {
        const key = `${object.kind}/${object.metadata.name}`;
        if (type === 'DELETED') objects.delete(key);
        else objects.set(key, object);
      }
      return [...objects.values()];
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(streams.map(({ ended }) => ended));
    },
  };
}

function versionOf({ object }: ObservedEvent): number {
  return Number(object.metadata.resourceVersion ?? 0);
}

async function readList(connection: HttpsConnection, path: string) {
  const { code, text } = await connection.send({ method: 'GET', path });
  if (code !== 200) throw new Error(`GET ${path} was answered with ${code}`);
  const list: unknown = JSON.parse(text);
  return {
    version: textAt(list, 'metadata', 'resourceVersion') ?? '0',
    objects: listAt(list, 'items').filter(isNamed),
  };
}

interface Following {
  readonly kubeconfig: string;
  readonly kind: WatchedKind;
  readonly path: string;
  readonly from: string;
  readonly events: ObservedEvent[];
  readonly signal: AbortSignal;
}

/** Follows one kind. A connection that ends, or a server that was restarted, is followed on from the last version. */
function follow(following: Following): { readonly ended: Promise<void> } {
  const { signal, kind, events } = following;
  let version = following.from;
  const take = (line: string) => {
    const event: unknown = JSON.parse(line);
    const type = textAt(event, 'type');
    const object = isObject(event) ? event.object : undefined;
    // A version that is no longer known would leave a gap: no trace is better than a wrong one.
    if (type === 'ERROR') throw new Error(`watching ${kind.kind} failed: ${textAt(object, 'message')}`);
    if (!isNamed(object) || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return;
    version = object.metadata.resourceVersion ?? version;
    events.push({ type, object: { ...object, ...kind } });
  };
  const run = async () => {
    while (!signal.aborted) {
      await stream(following, version, take);
      if (!signal.aborted) await sleep(200);
    }
  };
  return { ended: run() };
}

/** One request; resolves when the server ends it or cannot be reached. */
function stream({ kubeconfig, path, signal }: Following, version: string, take: (line: string) => void) {
  const { server, authority, certificate, key, token, serverName, skipVerification } =
    parseKubeconfig(kubeconfig);
  return new Promise<void>((resolve, reject) => {
    const query = new URLSearchParams({ watch: 'true', resourceVersion: version });
    const outgoing = request(
      {
        host: server.hostname,
        port: server.port || 443,
        path: `${server.pathname === '/' ? '' : server.pathname}${path}?${query}`,
        signal,
        agent: false,
        rejectUnauthorized: !skipVerification,
        ...(authority === undefined ? {} : { ca: authority }),
        ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (incoming) => {
        let rest = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => {
          const lines = `${rest}${chunk}`.split('\n');
          rest = lines.pop() ?? '';
          try {
            for (const line of lines) if (line !== '') take(line);
          } catch (error) {
            reject(error);
            outgoing.destroy();
          }
        });
        incoming.on('error', () => resolve());
        incoming.on('end', () => resolve());
      },
    );
    outgoing.on('error', () => resolve());
    outgoing.end();
  });
}

function isNamed(value: unknown): value is KubernetesObject {
  return isObject(value) && textAt(value, 'metadata', 'name') !== undefined;
}
