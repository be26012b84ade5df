import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { request as openRequest } from 'node:https';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpsConnection } from '../../adapters/https-connection.ts';
import { listAt, textAt } from '../../core/json-fields.ts';
import { issueCertificate, type KeyPair, makeAuthority } from '../../local/kubernetes/certificates.ts';
import type { ClusterAuthorities } from './k3s-machine.ts';
import { startSimulatedWorkloadApi } from './simulated-workload-api.ts';
import type { WorkloadApi } from './workload-api.ts';

/** The frame that opens a stream; nobody unpacks its headers here. */
function open(stream: number): Buffer {
  const frame = Buffer.alloc(18);
  frame.writeUInt32BE(0x80030001, 0);
  frame.writeUInt32BE(10, 4);
  frame.writeUInt32BE(stream, 8);
  return frame;
}

/** The data stream of a forwarded port as a client sees it. */
class Forwarded extends Duplex {
  readonly #socket: Duplex;
  #unread = Buffer.alloc(0);
  replies = 0;

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('close', () => this.push(null));
    socket.write(open(1));
    socket.write(open(3));
  }

  override _read(): void {
    // Data comes when it comes.
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(3, 0);
    head.writeUInt32BE(chunk.length, 4);
    this.#socket.write(Buffer.concat([head, chunk]));
    done();
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 8) {
      const end = 8 + this.#unread.readUIntBE(5, 3);
      if (this.#unread.length < end) return;
      const isControl = (this.#unread.readUInt8(0) & 0x80) !== 0;
      if (isControl) this.replies += 1;
      else if (end > 8) this.push(Buffer.from(this.#unread.subarray(8, end)));
      else this.push(null);
      this.#unread = this.#unread.subarray(end);
    }
  }
}

describe('the stand-in etcd of a workload cluster', () => {
  let authorities: ClusterAuthorities;
  let api: WorkloadApi;
  let client: KeyPair;
  const opened: Duplex[] = [];
  beforeEach(async () => {
    const [server, ofClients, etcd] = await Promise.all([1, 2, 3].map(() => makeAuthority('CN=kubernetes')));
    if (!server || !ofClients || !etcd) throw new Error('three authorities were asked for');
    authorities = { server, client: ofClients, etcd };
    client = await issueCertificate({ subject: 'CN=admin' }, ofClients);
    api = await startSimulatedWorkloadApi({
      cluster: 'one',
      address: '127.0.0.1',
      port: 0,
      version: 'v1.35.3+k3s1',
      settings: { args: [], files: new Map() },
      authorities,
      names: ['127.0.0.1'],
    });
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) one.destroy();
    await api?.stop();
  });

  async function proxies(): Promise<readonly string[]> {
    const credentials = {
      server: new URL(api.url),
      authority: authorities.server.certificate,
      skipVerification: false,
    };
    const path = '/api/v1/namespaces/kube-system/pods?labelSelector=app%3Detcd-proxy';
    const { text } = await new HttpsConnection({ ...credentials, ...client }).send({ method: 'GET', path });
    return listAt(JSON.parse(text), 'items').map((pod) => textAt(pod, 'metadata', 'name') ?? '');
  }

  /** As the provider does: through the API server to the Pod, and there with TLS to etcd. */
  async function forward(pod: string): Promise<ClientHttp2Session> {
    const request = openRequest(`${api.url}/api/v1/namespaces/kube-system/pods/${pod}/portforward`, {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
      ca: authorities.server.certificate,
      cert: client.certificate,
      key: client.key,
    });
    request.end();
    const [response, socket] = await new Promise<[IncomingMessage, Duplex]>((resolve, reject) => {
      request.once('upgrade', (...given) => resolve([given[0], given[1]]));
      request.once('response', ({ statusCode }) => reject(new Error(`answered ${statusCode}`)));
      request.once('error', reject);
    });
    expect(response.statusCode).toBe(101);
    opened.push(socket);
    const identity = await issueCertificate({ subject: 'CN=cluster-api.x-k8s.io' }, authorities.etcd);
    const tls = connectTls({
      socket: new Forwarded(socket),
      cert: identity.certificate,
      key: identity.key,
      ca: authorities.etcd.certificate,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
    });
    await once(tls, 'secureConnect');
    return connectHttp2('https://localhost', { createConnection: () => tls });
  }

  async function call(session: ClientHttp2Session, path: string): Promise<{ text: string; status: unknown }> {
    const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers' });
    stream.end(Buffer.alloc(5));
    const trailers = once(stream, 'trailers');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const [{ 'grpc-status': status }] = await trailers;
    return { text: Buffer.concat(chunks).toString('latin1'), status };
  }

  it('tells through a forwarded port who its members are', async () => {
    await api.serverJoined?.('server-1');
    await api.serverJoined?.('server-2');
    const [pod = ''] = await proxies();
    const session = await forward(pod);
    const { text, status } = await call(session, '/etcdserverpb.Cluster/MemberList');
    expect(status).toBe('0');
    expect(text).toMatch(/server-1-[0-9a-f]{8}.*server-2-[0-9a-f]{8}/s);
    expect((await call(session, '/etcdserverpb.Maintenance/Status')).text).toContain('3.6.6');
    expect((await call(session, '/etcdserverpb.KV/Range')).status).toBe('12');
    session.destroy();
  });

  it('leads nowhere from a Pod that is not a proxy', async () => {
    await expect(forward('other')).rejects.toThrow('answered 404');
  });

  it('forgets a member whose server has left', async () => {
    await api.serverJoined?.('server-1');
    await api.serverJoined?.('server-2');
    const session = await forward((await proxies())[0] ?? '');
    expect((await call(session, '/etcdserverpb.Cluster/MemberList')).text).toContain('server-1');
    await api.serverLeft?.('server-1');
    expect((await call(session, '/etcdserverpb.Cluster/MemberList')).text).not.toContain('server-1');
    expect(await proxies()).toHaveLength(1);
    session.destroy();
  });
});
