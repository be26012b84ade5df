// A process with a simulated cloud on disk, for a test to kill. Its Kubernetes is a file of its own, as the real one
// outlives a kill as well. Argument: the folder.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateDisk } from '../../local/cloud/private-disk.ts';
import { cloudOf, launchNode, makeSecrets, RecordedKubernetes } from './cloud-fixture.ts';

const folder = process.argv[2] ?? '';
const file = join(folder, 'kubernetes.json');

/** Remembers in a file which nodes were registered, by cluster, name and machine. */
class FileKubernetes extends RecordedKubernetes {
  override async addNode(...[id, node]: Parameters<RecordedKubernetes['addNode']>): Promise<void> {
    await super.addNode(id, node);
    const nodes = new Set([...this.#known(), `${id} ${node.name} ${node.providerId}`]);
    writeFileSync(`${file}.new`, JSON.stringify([...nodes]));
    renameSync(`${file}.new`, file);
  }

  #known(): string[] {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  }
}

const disk = await openPrivateDisk(join(folder, 'disk'));
const cloud = cloudOf({ disk, speed: 100, kubernetes: new FileKubernetes() });
cloud.start();
await makeSecrets(cloud, 'uid-1');
const owner = { cluster: 'mgmt', uid: 'uid-1', region: 'us-west-1', name: 'server-0' };
const { id: interfaceId, address } = await cloud.networks.reserveInterface(owner);
await launchNode(cloud, 'uid-1', { name: 'server-0', first: true, interfaceId });
await launchNode(cloud, 'uid-1', { name: 'agent-0', serverAddress: address });
process.stdout.write('launched\n');
