// The HTTP API of a local Petra: the routes that API Gateway serves on AWS, on the loopback interface only.

import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { toProblem } from '../core/api/problem.ts';
import type { ApiResponse } from '../core/api/request.ts';
import { bodyTooLong, maximumBody, parseBody } from '../core/api/request-body.ts';
import { type Route, routes } from '../core/api/routes.ts';
import { PetraError } from '../core/errors.ts';
import type { Ports } from '../core/petra.ts';
import type { Log } from './log.ts';

/** Who asks, for the ledger. A container's user may have no name. */
const caller = `local:${userName() ?? `uid-${process.getuid?.() ?? 'unknown'}`}`;

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

export interface LocalServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1. Every request needs the token; a page in a browser gets nothing, since it can neither know the
 * token nor send a foreign Host or Origin. Rejects when the port is taken.
 */
export async function serveApi(
  ports: Ports,
  { token, port, log }: { readonly token: string; readonly port: number; readonly log: Log },
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    respond(ports, token, request, response, log).catch((error: unknown) => {
      log('answering failed', { error: String(error) });
      response.destroy();
    });
  });
  server.requestTimeout = 30_000;
  await listen(server, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  }).catch((error: unknown) => {
    throw new PetraError('LocalStartFailed', `port ${port} of the loopback interface cannot be used`, {
      fix: 'Choose another --port, or leave it out.',
      cause: error,
    });
  });
}

async function respond(
  ports: Ports,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
  log: Log,
): Promise<void> {
  try {
    guard(request, token);
    const { status, body } = await answer(ports, request);
    send(response, status, 'application/json', body);
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500)
      log('request failed', { path: pathOf(request), code: problem.code, error: String(error) });
    send(response, problem.status, 'application/problem+json', problem);
  }
}

/** @throws Forbidden, Unauthorized */
function guard(request: IncomingMessage, token: string): void {
  const { host, origin, authorization } = request.headers;
  const port = request.socket.localPort;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
    throw new PetraError('Forbidden', `the Host header "${host ?? ''}" is not this server's`);
  }
  if (origin !== undefined) throw new PetraError('Forbidden', 'requests from web pages are not answered');
  const given = Buffer.from(authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new PetraError('Unauthorized', 'the token is missing or wrong');
  }
}

async function answer(ports: Ports, request: IncomingMessage): Promise<ApiResponse> {
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  if (!url) throw new PetraError('InvalidRequest', 'the address of the request is not a URL');
  const found = findRoute(request.method ?? 'GET', url.pathname);
  return found.route.answer(ports, {
    path: found.parts,
    query: Object.fromEntries(url.searchParams),
    body: await readBody(request),
    caller,
  });
}

function findRoute(
  method: string,
  path: string,
): { readonly route: Route; readonly parts: Record<string, string> } {
  for (const route of routes) {
    if (route.method !== method) continue;
    const parts = matchPath(route.path, path);
    if (parts) return { route, parts };
  }
  throw new PetraError('InvalidRequest', `there is no route ${method} ${path}`);
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, want] of wanted.entries()) {
    const part = given[index] ?? '';
    if (want.startsWith('{')) parts[want.slice(1, -1)] = decode(part);
    else if (want !== part) return undefined;
  }
  return parts;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new PetraError('InvalidRequest', `the path has a wrong escape: ${part}`);
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // What is too long is read to its end, within reason: an answer to someone who is still sending may get lost.
    if (length <= maximumBody) chunks.push(chunk);
    if (length > 16 * maximumBody) break;
  }
  if (length > maximumBody) throw bodyTooLong();
  return parseBody(Buffer.concat(chunks));
}

function send(response: ServerResponse, status: number, type: string, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': type,
    'content-length': text.length,
    'cache-control': 'no-store',
  });
  response.end(text);
}

function pathOf(request: IncomingMessage): string {
  return `${request.method} ${(request.url ?? '').split('?')[0]}`;
}
