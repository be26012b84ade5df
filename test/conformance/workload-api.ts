// The API of a workload cluster, at the address that its load balancer has. Most are simulated, since a real
// kube-apiserver takes some 300 MB and a fleet has fifty of them.

import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { Disk } from '../../local/disk.ts';
import { answer } from '../../local/kubernetes/api-answer.ts';
import { Clusters } from '../../local/kubernetes/api-clusters.ts';
import { parseQuery, readBody } from '../../local/kubernetes/api-requests.ts';
import { send, sendFailure } from '../../local/kubernetes/api-sending.ts';
import { ApiStatusError } from '../../local/kubernetes/api-status.ts';
import { issueCertificate } from '../../local/kubernetes/certificates.ts';
import { stopServer } from '../virtual-account/loopback.ts';
import { type ApiServerOptions, startApiServer } from './api-server.ts';
import type { ClusterAuthorities } from './k3s-machine.ts';

export interface WorkloadApiRequest {
  readonly cluster: string;
  /** Of the cluster's load balancer. */
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  readonly version: string;
  readonly authorities: ClusterAuthorities;
  /** What its certificate must be good for, as k3s was told. */
  readonly names: readonly string[];
}

/** An API server that runs. */
export interface WorkloadApi {
  readonly url: string;
  stop(): Promise<void>;
}

export type StartWorkloadApi = (request: WorkloadApiRequest) => Promise<WorkloadApi>;

/** Petra's simulated API server, in memory, under the cluster's own authorities. */
export const startSimulatedWorkloadApi: StartWorkloadApi = async (request) => {
  const { cluster: id, address, port, version, authorities, names } = request;
  const clusters = new Clusters(Disk.inMemory());
  const cluster = await clusters.ensure({ id, name: id, version });
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
      const url = new URL(incoming.url ?? '/', `https://${address}`);
      Promise.resolve()
        .then(() => {
          if (!isAdmitted(incoming)) throw new ApiStatusError(401, 'Unauthorized', 'Unauthorized');
          return answer(cluster, {
            method: incoming.method ?? 'GET',
            path: url.pathname.replace(/\/$/, '') || '/',
            prefix: '',
            query: parseQuery(url.searchParams),
            accept: incoming.headers.accept ?? '',
            contentType: incoming.headers['content-type'],
            userAgent: incoming.headers['user-agent'] ?? '',
            body: () => readBody(incoming),
          });
        })
        .then(
          (reply) => send(incoming, response, reply),
          (error: unknown) => sendFailure(response, error),
        );
    },
  );
  // Watches last for half an hour.
  server.timeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  return {
    url: `https://${address}:${typeof bound === 'object' && bound ? bound.port : port}`,
    stop: async () => {
      clusters.closeAll();
      await stopServer(server);
    },
  };
};

/** A real kube-apiserver with an etcd, under the cluster's own authorities. Nothing schedules or runs Pods. */
export function startRealWorkloadApi(
  given: Pick<ApiServerOptions, 'processes' | 'binaries'> & { readonly folder: string },
): StartWorkloadApi {
  return async ({ cluster, address, port, authorities, names }) => {
    const { processes, binaries } = given;
    const running = await startApiServer({
      processes,
      binaries,
      folder: path.join(given.folder, cluster),
      address,
      port,
      name: `workload-${cluster}`,
      names,
      authorities,
      controllers: false,
    });
    return { url: running.server, stop: () => running.end() };
  };
}

/** Whoever has a certificate of the client authority is an administrator: nobody else has one here. */
function isAdmitted({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}
