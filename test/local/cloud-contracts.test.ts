import { expect } from 'vitest';
import { Ec2Records } from '../../local/cloud/ec2-records.ts';
import { Disk } from '../../local/disk.ts';
import { artifactsContract } from '../adapters/artifacts.contract.ts';
import { machinesContract } from '../adapters/machines.contract.ts';
import { networksContract } from '../adapters/networks.contract.ts';
import { nodeDiagnosisContract } from '../adapters/node-diagnosis.contract.ts';
import { quotasContract } from '../adapters/quotas.contract.ts';
import { secretsContract } from '../adapters/secrets.contract.ts';
import { taggedResourcesContract } from '../adapters/tagged-resources.contract.ts';
import { cloudOf } from './cloud-fixture.ts';

async function open() {
  const disk = Disk.inMemory();
  const cloud = cloudOf({ disk });
  cloud.start();
  return {
    ...cloud,
    sayProgress: (id: string, word: string) => sayProgress(disk, id, word),
    region: 'us-west-1',
    instanceType: 'm5a.large',
    close: () => cloud.stop(),
  };
}

/** A simulated machine says on its console what a real one says in a tag as well. */
async function sayProgress(disk: Disk, machineId: string, word: string): Promise<void> {
  const { boots } = new Ec2Records(disk);
  // The boot of this machine ends at once, because its user data says nothing of a cluster.
  await expect.poll(() => boots.get(machineId)?.halted, { timeout: 20_000 }).toBe(true);
  const boot = boots.get(machineId);
  if (boot) await boots.put(machineId, { ...boot, console: [...boot.console, `[   9.000] petra: ${word}`] });
}

machinesContract('the simulated cloud', open);
networksContract('the simulated cloud', open);
nodeDiagnosisContract('the simulated cloud', open);
quotasContract('the simulated cloud', open);
secretsContract('the simulated cloud', open);
artifactsContract('the simulated cloud', open);
taggedResourcesContract('the simulated cloud', open);
