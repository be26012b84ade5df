// Port forwarding as clients of Kubernetes ask an API server for it: a connection that becomes SPDY/3.1, and in it pairs
// of streams, one for errors and one for data (www.chromium.org/spdy/spdy-protocol, draft 3.1).

import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';

const frames = { synStream: 1, synReply: 2, reset: 3, ping: 6 } as const;
const headBytes = 8;
const finFlag = 1;

/**
 * Answers the upgrade and gives each data stream to `accept`. Headers of streams are not unpacked: the first of two
 * streams is for errors, the second for data, in all clients of Kubernetes.
 */
export function forwardPort(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  accept: (connection: Duplex) => void,
): void {
  if (!/^spdy\/3\.1$/i.test(request.headers.upgrade ?? '')) {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      'X-Stream-Protocol-Version: portforward.k8s.io',
      '\r\n',
    ].join('\r\n'),
  );
  const tunnel = new Tunnel(socket, accept);
  tunnel.read(head);
  socket.on('data', (chunk: Buffer) => tunnel.read(chunk));
  socket.on('error', () => tunnel.end());
  socket.on('close', () => tunnel.end());
}

class Tunnel {
  readonly #socket: Duplex;
  readonly #accept: (connection: Duplex) => void;
  readonly #streams = new Map<number, Duplex>();
  #unread = Buffer.alloc(0);
  #opened = 0;

  constructor(socket: Duplex, accept: (connection: Duplex) => void) {
    this.#socket = socket;
    this.#accept = accept;
  }

  read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= headBytes) {
      const end = headBytes + this.#unread.readUIntBE(5, 3);
      if (this.#unread.length < end) return;
      const frame = this.#unread.subarray(0, end);
      this.#unread = this.#unread.subarray(end);
      this.#take(frame);
    }
  }

  end(): void {
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
  }

  #take(frame: Buffer): void {
    const content = frame.subarray(headBytes);
    const isFinal = (frame.readUInt8(4) & finFlag) !== 0;
    const isControl = (frame.readUInt8(0) & 0x80) !== 0;
    if (!isControl) {
      const stream = this.#streams.get(frame.readUInt32BE(0));
      if (content.length > 0) stream?.push(content);
      if (isFinal) stream?.push(null);
      return;
    }
    switch (frame.readUInt16BE(2)) {
      case frames.synStream:
        this.#open(content.readUInt32BE(0) & 0x7fffffff);
        break;
      case frames.reset:
        this.#streams.get(content.readUInt32BE(0) & 0x7fffffff)?.destroy();
        break;
      case frames.ping:
        this.#send(frame);
        break;
    }
  }

  #open(id: number): void {
    const isData = this.#opened % 2 === 1;
    this.#send(synReply(id, this.#opened === 0));
    this.#opened += 1;
    if (!isData) return;
    let isOpen = true;
    const close = () => {
      if (isOpen) this.#send(dataFrame(id, Buffer.alloc(0), finFlag));
      isOpen = false;
    };
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => {
        this.#send(dataFrame(id, chunk, 0));
        done();
      },
      final: (done) => {
        close();
        done();
      },
      // The other side would wait for ever.
      destroy: (error, done) => {
        close();
        done(error);
      },
    });
    stream.on('error', () => this.#streams.delete(id));
    this.#streams.set(id, stream);
    this.#accept(stream);
  }

  #send(frame: Buffer): void {
    if (this.#socket.writable) this.#socket.write(frame);
  }
}

/**
 * That a stream is open, with no headers: the number 0 in four bytes. Headers are one stream of zlib through the whole
 * connection; a stored block needs no compressor, only zlib's two bytes before the first one. The empty block at the end
 * makes readers hand out what they have.
 */
function synReply(id: number, isFirst: boolean): Buffer {
  const block = Buffer.from([0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xff, 0xff]);
  const headers = isFirst ? Buffer.concat([Buffer.from([0x78, 0x01]), block]) : block;
  const frame = Buffer.alloc(headBytes + 4);
  frame.writeUInt16BE(0x8003, 0);
  frame.writeUInt16BE(frames.synReply, 2);
  frame.writeUIntBE(4 + headers.length, 5, 3);
  frame.writeUInt32BE(id, headBytes);
  return Buffer.concat([frame, headers]);
}

function dataFrame(id: number, content: Buffer, flags: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(id, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(content.length, 5, 3);
  return Buffer.concat([head, content]);
}
