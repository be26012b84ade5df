// A simulated Kubernetes API: one HTTPS listener on the loopback interface, each cluster under /clusters/<id>.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { PetraError } from '../../core/errors.ts';
import type { Disk } from '../disk.ts';
import { answer } from './api-answer.ts';
import { type ClusterRecord, Clusters, defaultVersion } from './api-clusters.ts';
import type { ServedCluster } from './api-exchange.ts';
import { parseQuery, readBody } from './api-requests.ts';
import { send, sendFailure } from './api-sending.ts';
import { ApiStatusError } from './api-status.ts';
import { isAdministrator } from './api-users.ts';
import { administrator, Certificates, clusterOf } from './certificates.ts';
import type { ObjectStore } from './object-store.ts';

const address = '127.0.0.1';
const clusterPath = /^\/clusters\/([A-Za-z0-9][A-Za-z0-9._-]*)(?=\/|$)/;

export interface SimulatedKubernetesOptions {
  readonly disk: Disk;
  /** Where certificates and the port are kept, readable by the owner only. */
  readonly folder: string;
  /** 0 (default): the port of the last time, or at first any free one. */
  readonly port?: number;
}

export class SimulatedKubernetes {
  readonly #clusters: Clusters;
  readonly #certificates: Certificates;
  readonly #folder: string;
  readonly #wantedPort: number;
  readonly #unavailable = new Set<string>();
  /** `<cluster>/<user>` of those whose requests are too many. */
  readonly #throttled = new Set<string>();
  /** Responses that stay open, by cluster. */
  readonly #streams = new Map<ServerResponse, string>();
  #server: Server | undefined;
  #port = 0;

  constructor({ disk, folder, port = 0 }: SimulatedKubernetesOptions) {
    this.#clusters = new Clusters(disk);
    this.#certificates = new Certificates(folder);
    this.#folder = folder;
    this.#wantedPort = port;
  }

  /** Begins to listen, and goes on with what the clusters were doing. @throws LocalStartFailed when its port is taken */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const remembered = await this.#rememberedPort();
    const { certificate, key, authority } = await this.#certificates.server();
    const server = createServer(
      { cert: certificate, key, ca: authority, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        this.#handle(request, response).catch(() => response.destroy());
      },
    );
    // Watches last for half an hour; the limits on slow requests stay.
    server.timeout = 0;
    server.keepAliveTimeout = 120_000;
    await listen(server, this.#wantedPort || remembered);
    this.#server = server;
    const bound = server.address();
    this.#port = typeof bound === 'object' && bound ? bound.port : 0;
    if (this.#port !== remembered) {
      await writeFile(this.#portFile(), String(this.#port), { mode: 0o600 });
    }
    for (const { id } of this.#clusters.records()) this.#clusters.find(id);
  }

  /** Ends connections and background work. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#clusters.closeAll();
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** The cluster with everything that a new one has. Safe to repeat; name and version are those of the first call. */
  async ensureCluster(
    id: string,
    options: { readonly name: string; readonly version?: string },
  ): Promise<ObjectStore> {
    if (clusterPath.exec(`/clusters/${id}`)?.[1] !== id) {
      throw new TypeError(
        `${JSON.stringify(id)} cannot be the id of a cluster: letters, digits, . _ and - only`,
      );
    }
    const { name, version = defaultVersion } = options;
    const { store } = await this.#clusters.ensure({ id, name, version });
    return store;
  }

  /**
   * A kubeconfig with embedded certificates; the context has the cluster's name. Of the administrator, unless it is
   * for another user, who may do nothing.
   */
  async kubeconfig(id: string, { user: userName = administrator } = {}): Promise<string> {
    const record = this.#clusters.record(id);
    if (!record) throw new Error(`there is no simulated cluster ${id}`);
    const { certificate, key, authority } = await this.#certificates.client(id, userName);
    const name = JSON.stringify(record.name);
    const suffix = isAdministrator(userName) ? 'admin' : userName;
    const user = JSON.stringify(`${record.name}-${suffix}`);
    return [
      'apiVersion: v1',
      'kind: Config',
      'clusters:',
      `- name: ${name}`,
      '  cluster:',
      `    server: https://${address}:${this.#port}/clusters/${id}`,
      `    certificate-authority-data: ${base64(authority)}`,
      'users:',
      `- name: ${user}`,
      '  user:',
      `    client-certificate-data: ${base64(certificate)}`,
      `    client-key-data: ${base64(key)}`,
      'contexts:',
      `- name: ${name}`,
      '  context:',
      `    cluster: ${name}`,
      `    user: ${user}`,
      `current-context: ${name}`,
      '',
    ].join('\n');
  }

  /** The objects of a cluster. @throws Error when it does not exist */
  store(id: string): ObjectStore {
    const cluster = this.#clusters.find(id);
    if (!cluster) throw new Error(`there is no simulated cluster ${id}`);
    return cluster.store;
  }

  clusters(): readonly ClusterRecord[] {
    return this.#clusters.records();
  }

  /** Removes a cluster and all its objects; one that does not exist is left so. */
  async removeCluster(id: string): Promise<void> {
    this.#endStreams(id);
    await this.#clusters.remove(id);
  }

  /** Whether the cluster answers; while it does not, every request gets 503 and watches end. */
  setAvailable(id: string, available: boolean): void {
    if (available) this.#unavailable.delete(id);
    else {
      this.#unavailable.add(id);
      this.#endStreams(id);
    }
  }

  /** From now on every request of this user is answered 429. */
  throttle(id: string, user: string): void {
    this.#throttled.add(`${id}/${user}`);
  }

  /** Forgets the lists that clients are in the middle of: a real server's old states expire. */
  forgetLists(id: string): void {
    this.#clusters.find(id)?.paging.forget();
  }

  #endStreams(id: string): void {
    for (const [response, cluster] of this.#streams) if (cluster === id) response.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', `https://${address}`);
      const { cluster, prefix, user } = this.#admit(request, url);
      const reply = await answer(cluster, {
        method: request.method ?? 'GET',
        path: url.pathname.slice(prefix.length).replace(/\/$/, '') || '/',
        prefix,
        query: parseQuery(url.searchParams),
        accept: request.headers.accept ?? '',
        contentType: request.headers['content-type'],
        userAgent: request.headers['user-agent'] ?? '',
        user,
        body: () => readBody(request),
      });
      if (reply.type === 'stream') {
        this.#streams.set(response, cluster.id);
        response.once('close', () => this.#streams.delete(response));
      }
      send(request, response, reply);
    } catch (error) {
      sendFailure(response, error);
    }
  }

  /** The cluster that the request is for, and who asks. @throws ApiStatusError 401, 403, 429 or 503 */
  #admit(
    request: IncomingMessage,
    url: URL,
  ): { readonly cluster: ServedCluster; readonly prefix: string; readonly user: string } {
    const { host } = request.headers;
    if (host !== `${address}:${this.#port}` && host !== `localhost:${this.#port}`) {
      // A web page that lets its own name point to 127.0.0.1 is kept out by this.
      throw new ApiStatusError(403, 'Forbidden', `the host ${JSON.stringify(host ?? '')} is not served here`);
    }
    const { cluster: holder, user = '' } = holderOf(request.socket) ?? {};
    // `kubectl get --raw` leaves out the path of the server: then the certificate says which cluster is meant.
    const [prefix = '', id = holder] = clusterPath.exec(url.pathname) ?? [];
    if (id === undefined || id !== holder) throw new ApiStatusError(401, 'Unauthorized', 'Unauthorized');
    const cluster = this.#unavailable.has(id) ? undefined : this.#clusters.find(id);
    if (!cluster) {
      // Not 404: a client would take that for the absence of the object it asked for.
      const message = 'the server is currently unable to handle the request';
      throw new ApiStatusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 });
    }
    if (this.#throttled.has(`${id}/${user}`)) {
      const message = 'too many requests, please try again later';
      throw new ApiStatusError(429, 'TooManyRequests', message, { retryAfterSeconds: 1 });
    }
    return { cluster, prefix, user };
  }

  async #rememberedPort(): Promise<number> {
    try {
      return Number(await readFile(this.#portFile(), 'utf8')) || 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  }

  #portFile(): string {
    return join(this.#folder, 'port');
  }
}

/** The cluster whose client certificate the connection was opened with, and whose certificate it is. */
function holderOf(socket: unknown): { readonly cluster: string; readonly user: string } | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { O: organization, CN: name } = socket.getPeerCertificate().subject ?? {};
  const cluster = typeof organization === 'string' ? clusterOf(organization) : undefined;
  return cluster === undefined ? undefined : { cluster, user: String(name) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const message = `port ${port} of the simulated Kubernetes API is taken by another process`;
      const fix = 'Stop that process (kubeconfigs name this port), or start over with `petra local reset`.';
      return reject(new PetraError('LocalStartFailed', message, { fix, cause: error }));
    });
    server.listen(port, address, resolve);
  });
}
