// The servers of the virtual account: all on 127.0.0.1, on any free port.

import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Server } from 'node:net';

/** Begins to listen; the port that it got. */
export async function listenOnLoopback(server: Server): Promise<number> {
  // An address, not a name: the SDK then puts buckets into the path.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server listens on no port');
  return address.port;
}

/** Ends a server and what is connected to it; one that was never started is none. */
export async function stopServer(server: HttpServer | HttpsServer | undefined): Promise<void> {
  if (!server) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
