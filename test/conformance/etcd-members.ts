// Stands in for the etcd of a workload cluster's servers as far as the k3s control-plane provider asks it: who are the
// members, who leads, and are there alarms. gRPC by hand: five calls, whose messages are a few numbers and names.

import { createHash } from 'node:crypto';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { issueCertificate, type KeyPair } from '../../local/kubernetes/certificates.ts';

/** One server's etcd. */
interface Member {
  readonly id: bigint;
  readonly name: string;
}

const clusterId = 7n;

export class EtcdMembers {
  readonly #server: Http2SecureServer;
  /** Names of Nodes that are servers now, the longest there first: that one leads unless another was told to. */
  readonly #servers: () => readonly string[];
  #leader: bigint | undefined;

  private constructor(server: Http2SecureServer, servers: () => readonly string[]) {
    this.#server = server;
    this.#servers = servers;
    server.on('stream', (stream, headers) => {
      this.#serve(stream, headers).catch(() => stream.destroy());
    });
  }

  /** Admits clients of the authority, as etcd does. */
  static async of(authority: KeyPair, servers: () => readonly string[]): Promise<EtcdMembers> {
    const { certificate, key } = await issueCertificate(
      { subject: 'CN=etcd-server', names: ['localhost'] },
      authority,
    );
    const server = createSecureServer({
      cert: certificate,
      key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    return new EtcdMembers(server, servers);
  }

  /** Takes over a connection to the port of a member. */
  connect(connection: Duplex): void {
    this.#server.emit('connection', connection);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    // Five bytes come before the one message.
    const answer = this.#answer(headers[':path'] ?? '', Buffer.concat(chunks).subarray(5));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': answer ? '0' : '12' }));
    if (!answer) return void stream.end();
    const before = Buffer.alloc(5);
    before.writeUInt32BE(answer.length, 1);
    stream.end(Buffer.concat([before, answer]));
  }

  /** Undefined: no such call here. Field numbers: etcd, api/etcdserverpb/rpc.proto. */
  #answer(path: string, message: Buffer): Buffer | undefined {
    const members = this.#members();
    const leader = members.find(({ id }) => id === this.#leader) ?? members[0];
    const header = bytes(1, Buffer.concat([number(1, clusterId), number(2, leader?.id ?? 0n)]));
    switch (path) {
      case '/etcdserverpb.Maintenance/Status':
        return Buffer.concat([header, bytes(2, Buffer.from('3.6.6')), number(4, leader?.id ?? 0n)]);
      case '/etcdserverpb.Cluster/MemberList':
        return Buffer.concat([header, ...members.map((member) => bytes(2, described(member)))]);
      case '/etcdserverpb.Maintenance/Alarm':
        return header;
      case '/etcdserverpb.Maintenance/MoveLeader':
        this.#leader = firstNumber(message);
        return header;
      default:
        return undefined;
    }
  }

  #members(): readonly Member[] {
    return this.#servers().map((node) => {
      const digest = createHash('sha256').update(node).digest();
      // k3s adds a hyphen and a few random characters to the Node's name.
      return { id: digest.readBigUInt64BE() >> 1n, name: `${node}-${digest.toString('hex').slice(0, 8)}` };
    });
  }
}

function described({ id, name }: Member): Buffer {
  return Buffer.concat([
    number(1, id),
    bytes(2, Buffer.from(name)),
    bytes(3, Buffer.from('https://127.0.0.1:2380')),
    bytes(4, Buffer.from('https://127.0.0.1:2379')),
  ]);
}

/** A field of Protocol Buffers that is a number: its tag, then seven bits in each byte, the lowest first. */
function number(field: number, value: bigint): Buffer {
  return Buffer.concat([Buffer.from([field << 3]), variable(value)]);
}

/** A field that is text, bytes or a message. */
function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2]), variable(BigInt(value.length)), value]);
}

function variable(value: bigint): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Buffer.from([...out, Number(rest)]);
}

/** The number in the first field of a message. */
function firstNumber(message: Buffer): bigint {
  let value = 0n;
  for (const [index, byte] of message.subarray(1).entries()) {
    value |= BigInt(byte & 127) << BigInt(7 * index);
    if (byte < 128) break;
  }
  return value;
}
