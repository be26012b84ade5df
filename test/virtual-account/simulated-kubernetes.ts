// The simulated Kubernetes of a local Petra, with its simulated Cluster API, for a virtual account.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectLoadBalancing } from '../../adapters/load-balancing-client.ts';
import { hasCode } from '../../core/errors.ts';
import { Disk } from '../../local/disk.ts';
import { Faults } from '../../local/faults.ts';
import { SimulatedKubernetes } from '../../local/kubernetes/api-server.ts';
import { ManagementClusters } from '../../local/management-clusters.ts';
import { Pace } from '../../local/pace.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';
import type { AccountParts } from './account.ts';
import type { AccountKubernetes, KubernetesSurroundings } from './account-kubernetes.ts';
import { CapaInventory } from './capa-inventory.ts';
import type { FindRelease } from './release-mirror.ts';

/** Waits of state machines, and controllers, run this much faster. */
const speed = { stepFunctions: 20, controllers: 120 };

/** Never released, though a spec in the README of the first days asks for it. */
const withheld = { repository: 'kubernetes-sigs/cluster-api-provider-aws', version: 'v2.7.4' };

/** Synthetic manifests too: real releases are other projects' files, and need the internet. */
export function simulatedParts(): AccountParts {
  return {
    kubernetes: openSimulatedKubernetes,
    releases: syntheticReleases(),
    speed: speed.stepFunctions,
  };
}

async function openSimulatedKubernetes({
  folder,
  config,
  log,
}: KubernetesSurroundings): Promise<AccountKubernetes> {
  const disk = Disk.inMemory();
  const kubernetes = new SimulatedKubernetes({ disk, folder: path.join(folder, 'kubernetes') });
  await kubernetes.start();
  const clusters = new ManagementClusters({
    disk,
    kubernetes,
    pace: new Pace(speed.controllers),
    faults: new Faults(disk, []),
    log: (line, fields) => log(`kubernetes: ${line} ${JSON.stringify(fields ?? {})}`),
  });
  clusters.start(
    new CapaInventory({
      ec2: (inRegion) => connectEc2(config(inRegion)),
      balancing: (inRegion) => connectLoadBalancing(config(inRegion)),
    }),
  );
  return {
    nodes: clusters,
    port: Number(await readFile(path.join(folder, 'kubernetes', 'port'), 'utf8')),
    stop: async () => {
      await clusters.stop();
      await kubernetes.stop();
    },
  };
}

function syntheticReleases(): FindRelease {
  const releases = new SyntheticReleases();
  return async (asset) => {
    if (asset.repository === withheld.repository && asset.version === withheld.version) return undefined;
    try {
      return await releases.fetch(asset);
    } catch (error) {
      if (hasCode(error, 'ReleaseNotFound')) return undefined;
      throw error;
    }
  };
}
