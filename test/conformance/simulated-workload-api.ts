// The API of a workload cluster as Petra's simulated API server, in memory, under the cluster's own authorities, with
// the etcd of its servers behind it as far as the control-plane provider asks for that.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { KubernetesObject } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { answer } from '../../local/kubernetes/api-answer.ts';
import { Clusters } from '../../local/kubernetes/api-clusters.ts';
import type { ServedCluster } from '../../local/kubernetes/api-exchange.ts';
import { parseQuery, readBody } from '../../local/kubernetes/api-requests.ts';
import { send, sendFailure } from '../../local/kubernetes/api-sending.ts';
import { ApiStatusError } from '../../local/kubernetes/api-status.ts';
import { administrator, issueCertificate } from '../../local/kubernetes/certificates.ts';
import type { ObjectStore } from '../../local/kubernetes/object-store.ts';
import { listenOn, stopServer } from '../virtual-account/loopback.ts';
import { EtcdMembers } from './etcd-members.ts';
import { forwardPort } from './port-forward.ts';
import type { StartWorkloadApi } from './workload-api.ts';

const proxyPods = '/api/v1/namespaces/kube-system/pods/';
const removal = 'etcd.k3s.cattle.io/remove';
const removed = 'etcd.k3s.cattle.io/removed-node-name';

export const startSimulatedWorkloadApi: StartWorkloadApi = async (request) => {
  const { cluster: id, address, port, version, authorities, names } = request;
  const clusters = new Clusters(Disk.inMemory());
  const cluster = await clusters.ensure({ id, name: id, version });
  const servers = new Servers(cluster.store);
  const etcd = await EtcdMembers.of(authorities.etcd, () => servers.members());
  const { certificate, key } = await issueCertificate(
    { subject: 'CN=k3s, O=k3s', names },
    authorities.server,
  );
  const server = createServer(
    {
      cert: `${certificate}\n${authorities.server.certificate}`,
      key,
      ca: authorities.client.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (incoming, response) => {
      replyTo(cluster, incoming).then(
        (reply) => send(incoming, response, reply),
        (error: unknown) => sendFailure(response, error),
      );
    },
  );
  const forwarded = new Set<Duplex>();
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const pod = proxyOf(incoming.url ?? '');
    if (!isAdmitted(incoming) || pod === undefined || !servers.hasProxy(pod)) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    forwarded.add(socket);
    socket.once('close', () => forwarded.delete(socket));
    forwardPort(incoming, socket, head, (connection) => etcd.connect(connection));
  });
  // Watches last for half an hour.
  server.timeout = 0;
  const bound = await listenOn(server, { address, port });
  return {
    url: `https://${address}:${bound}`,
    serverJoined: (nodeName) => servers.add(nodeName),
    serverLeft: (nodeName) => servers.remove(nodeName),
    stop: async () => {
      servers.close();
      clusters.closeAll();
      for (const socket of forwarded) socket.destroy();
      await stopServer(server);
    },
  };
};

async function replyTo(cluster: ServedCluster, incoming: IncomingMessage): ReturnType<typeof answer> {
  if (!isAdmitted(incoming)) throw new ApiStatusError(401, 'Unauthorized', 'Unauthorized');
  const url = new URL(incoming.url ?? '/', 'https://cluster');
  return answer(cluster, {
    method: incoming.method ?? 'GET',
    path: url.pathname.replace(/\/$/, '') || '/',
    prefix: '',
    query: parseQuery(url.searchParams),
    accept: incoming.headers.accept ?? '',
    contentType: incoming.headers['content-type'],
    userAgent: incoming.headers['user-agent'] ?? '',
    user: administrator,
    body: () => readBody(incoming),
  });
}

/** Whoever has a certificate of the client authority is an administrator: nobody else has one here. */
function isAdmitted({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

function proxyOf(url: string): string | undefined {
  const { pathname } = new URL(url, 'https://cluster');
  if (!pathname.startsWith(proxyPods) || !pathname.endsWith('/portforward')) return undefined;
  return pathname.slice(proxyPods.length, -'/portforward'.length);
}

/** The servers of a cluster: each has a Pod that leads to its etcd, and is a member until it is told to leave. */
class Servers {
  readonly #store: ObjectStore;
  readonly #members = new Set<string>();
  readonly #proxies = new Set<string>();
  readonly #stopWatching: () => void;

  constructor(store: ObjectStore) {
    this.#store = store;
    // k3s watches for the annotation, and says in another one that the member is out.
    this.#stopWatching = store.watch(({ object }) => {
      const { name, annotations = {} } = object.metadata;
      if (object.kind !== 'Node' || annotations[removal] !== 'true' || annotations[removed] !== undefined)
        return;
      this.#members.delete(name);
      void this.#sayRemoved(name).catch(() => undefined);
    });
  }

  members(): readonly string[] {
    return [...this.#members];
  }

  hasProxy(pod: string): boolean {
    return this.#proxies.has(pod);
  }

  async add(nodeName: string): Promise<void> {
    this.#members.add(nodeName);
    const options = { fieldManager: 'stand-in-machine', force: true };
    const { metadata } = await this.#store.apply(proxies, options);
    const pod = proxyPod(nodeName, metadata.uid);
    this.#proxies.add(pod.metadata.name);
    await this.#store.apply(pod, options);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await this.#store.apply({ ...pod, status }, { ...options, subresource: 'status' });
  }

  async remove(nodeName: string): Promise<void> {
    this.#members.delete(nodeName);
    const { metadata, apiVersion, kind } = proxyPod(nodeName);
    if (!this.#proxies.delete(metadata.name)) return;
    await this.#store.remove({ apiVersion, kind, namespace: 'kube-system', name: metadata.name });
  }

  close(): void {
    this.#stopWatching();
  }

  async #sayRemoved(name: string): Promise<void> {
    await this.#store.mutate({ apiVersion: 'v1', kind: 'Node', name }, (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { ...node.metadata.annotations, [removed]: name } },
    }));
  }
}

const template = {
  metadata: { labels: { app: 'etcd-proxy' } },
  spec: { containers: [{ name: 'etcd-proxy', image: 'stand-in' }] },
};

/** As the bootstrap provider has k3s make it. A Pod that no DaemonSet has would have to leave before its Node may. */
const proxies: KubernetesObject = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'etcd-proxy', namespace: 'kube-system' },
  spec: { selector: { matchLabels: template.metadata.labels }, template },
};

function proxyPod(nodeName: string, owner?: string): KubernetesObject {
  const suffix = createHash('sha256').update(nodeName).digest('hex').slice(0, 5);
  const { apiVersion, kind, metadata } = proxies;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name: `etcd-proxy-${suffix}`,
      namespace: 'kube-system',
      ...(owner !== undefined && {
        ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: owner, controller: true }],
      }),
    },
    spec: { ...template.spec, nodeName },
  };
}
