import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disk } from '../../local/disk.ts';
import { SimulatedKubernetes } from '../../local/kubernetes/api-server.ts';
import { kubernetesContract } from './kubernetes.contract.ts';

kubernetesContract(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'petra-kubernetes-'));
  const server = new SimulatedKubernetes({ disk: Disk.inMemory(), folder });
  await server.start();
  await server.ensureCluster('contract', { name: 'contract' });
  return {
    kubeconfig: await server.kubeconfig('contract'),
    powerlessUser: () => server.kubeconfig('contract', { user: 'powerless' }),
    throttledUser: async () => {
      server.throttle('contract', 'throttled');
      return server.kubeconfig('contract', { user: 'throttled' });
    },
    forgetOldStates: async () => server.forgetLists('contract'),
    kill: () => server.stop(),
    restart: () => server.start(),
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
});
