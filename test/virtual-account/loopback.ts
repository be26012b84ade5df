// The servers of the virtual account: on 127.0.0.1 and any free port, where nothing else is asked for.

import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Server } from 'node:net';

/** Begins to listen; the port that it got. */
export async function listenOnLoopback(server: Server): Promise<number> {
  // An address, not a name: the SDK then puts buckets into the path.
  return listenOn(server, { address: '127.0.0.1', port: 0 });
}

/** The same, where it is said; any free port is 0. @throws when it may not, or somebody else does */
export async function listenOn(
  server: Server,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<number> {
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('a server listens on no port');
  return bound.port;
}

/** Ends a server and what is connected to it; one that was never started is none. */
export async function stopServer(server: HttpServer | HttpsServer | undefined): Promise<void> {
  if (!server) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
