import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { Disk } from '../../local/disk.ts';
import { SimulatedKubernetes } from '../../local/kubernetes/api-server.ts';
import { kubernetesContract } from './kubernetes.contract.ts';

kubernetesContract(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'petra-kubernetes-'));
  const server = new SimulatedKubernetes({ disk: Disk.inMemory(), folder });
  await server.start();
  await server.ensureCluster('contract', { name: 'contract' });
  return {
    kubernetes: new HttpKubernetesAccess().connect(await server.kubeconfig('contract')),
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
});
