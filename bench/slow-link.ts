// A way to a server that takes as long as a network of this round trip would: what arrives on either side waits half of
// it, in order, and a new connection waits a whole one for its handshake. In a thread of its own, so that who is measured
// cannot hold it up. Its bandwidth is that of this machine.

import { connect, createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface SlowLink {
  readonly port: number;
  close(): Promise<void>;
}

interface Ends {
  readonly host: string;
  readonly port: number;
  readonly roundTripMilliseconds: number;
}

/** Opens the way on the same host, at a free port. */
export async function openSlowLink(ends: Ends): Promise<SlowLink> {
  const worker = new Worker(new URL(import.meta.url), { workerData: ends });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { port, close: async () => void (await worker.terminate()) };
}

function serve({ host, port, roundTripMilliseconds }: Ends): void {
  const server = createServer((near) => {
    near.setNoDelay(true);
    near.on('error', () => near.destroy());
    near.pause();
    setTimeout(() => {
      const far = connect({ host, port, noDelay: true });
      far.on('error', () => far.destroy());
      passOn(near, far, roundTripMilliseconds / 2);
      passOn(far, near, roundTripMilliseconds / 2);
    }, roundTripMilliseconds);
  });
  server.listen(0, host, () => {
    const address = server.address();
    parentPort?.postMessage(typeof address === 'object' && address ? address.port : 0);
  });
}

function passOn(from: Socket, to: Socket, milliseconds: number): void {
  const later = (work: () => void) => setTimeout(() => !to.destroyed && work(), milliseconds);
  from.on('data', (chunk) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroy()));
  from.resume();
}

if (!isMainThread) serve(workerData as Ends);
