// Passing HTTP requests on to moto.

import {
  createServer,
  type IncomingMessage,
  request as openRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { WireAnswer } from './aws-refusals.ts';
import type { WireRequest } from './aws-request.ts';
import { listenOnLoopback } from './loopback.ts';

export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export async function readWhole(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = 'GET', url = '/', headers } = incoming;
  return { method, url, headers, body: Buffer.concat(chunks) };
}

export function sendWhole(
  response: ServerResponse,
  { status, headers, body }: WireAnswer | ForwardedAnswer,
): void {
  // The body is whole here, whatever way it came.
  const { 'transfer-encoding': _, connection: __, ...kept } = headers as IncomingMessage['headers'];
  const length = response.req.method === 'HEAD' ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...kept, ...length });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** moto tells services apart by the host's name, and takes `localhost` for any. */
export function forwardTo(
  upstream: string,
  { method, url, headers, body }: WireRequest,
): Promise<ForwardedAnswer> {
  const { expect: _, 'transfer-encoding': __, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const request = openRequest(
      `${upstream}${url}`,
      { method, headers: { ...kept, host: new URL(upstream).host, 'content-length': body.length } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 502,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/**
 * A server that passes everything on, for clients that need an address where moto wants a name: the SDK puts buckets
 * into the path only for an address, and no resolver need know `<bucket>.localhost`.
 */
export async function startForwarder(
  upstream: string,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((incoming, response) => {
    readWhole(incoming)
      .then((wire) => forwardTo(upstream, { ...wire, body: named(wire.body) }))
      .then(
        (answer) => sendWhole(response, answer),
        () => response.destroy(),
      );
  });
  return { url: `http://127.0.0.1:${await listenOnLoopback(server)}`, server };
}

/** moto reads a template's address only where that has a name. */
function named(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const address = /(TemplateURL=http%3A%2F%2F)127\.0\.0\.1/;
  return address.test(text) ? Buffer.from(text.replace(address, '$1localhost'), 'latin1') : body;
}
