// Real API servers of workload clusters, at the addresses of their load balancers.

import path from 'node:path';
import { startApiServer } from './api-server.ts';
import { settleOn } from './api-server-settings.ts';
import type { Binaries } from './binaries.ts';
import type { Processes } from './processes.ts';
import type { StartWorkloadApi } from './workload-api.ts';

/**
 * Under the authorities that Cluster API made. Nothing runs Pods, so that the control-plane provider cannot ask the
 * servers' etcd: enough for one server, not for more.
 */
export function realWorkloadApis(parts: {
  readonly processes: Processes;
  readonly binaries: Binaries;
  readonly folder: string;
}): StartWorkloadApi {
  return async ({ cluster, address, port, authorities, names, settings }) => {
    // A cluster may come again under the same name, with other authorities.
    const folder = path.join(parts.folder, `${cluster}-${address}`);
    const api = await startApiServer({
      processes: parts.processes,
      binaries: parts.binaries,
      folder,
      address,
      port,
      name: `workload-${cluster}`,
      names,
      authorities,
      args: await settleOn(path.join(folder, 'disk'), settings),
      // Nothing in it waits for a controller.
      controllers: false,
    });
    return { url: api.server, stop: () => api.end() };
  };
}
