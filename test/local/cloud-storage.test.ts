import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openPrivateDisk } from '../../local/cloud/private-disk.ts';
import { Disk } from '../../local/disk.ts';
import { cloudOf } from './cloud-fixture.ts';

const region = 'us-west-1';
const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'petra-cloud-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const token = { name: 'petra/uid-1/token', cluster: 'mgmt', uid: 'uid-1', value: 'secret' };

describe('simulated secrets', () => {
  it('survive a restart', async () => {
    const folder = await newFolder();
    const first = await Disk.open(folder);
    await cloudOf({ disk: first }).secrets.put(token);
    await first.close();
    const second = await Disk.open(folder);
    expect(await cloudOf({ disk: second }).secrets.read(token.name)).toBe('secret');
    await second.close();
  });

  it('are in a folder that only its user may enter, even if others could before', async () => {
    const folder = await newFolder();
    await chmod(folder, 0o755);
    const disk = await openPrivateDisk(folder);
    await cloudOf({ disk }).secrets.put(token);
    await disk.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('fail when Secrets Manager throttles, as often as it was asked for', async () => {
    const { secrets } = cloudOf({ faults: ['secretsmanager:ThrottlingException:1'] });
    await expect(secrets.createOnce(token)).rejects.toMatchObject({ code: 'Throttled' });
    expect(await secrets.createOnce(token)).toBe(true);
  });
});

describe('simulated artifacts', () => {
  it('refuse a file whose content does not match its name', async () => {
    const disk = Disk.inMemory();
    const { artifacts } = cloudOf({ disk });
    const sha256 = await artifacts.store('kind: Namespace\n');
    await disk.collection<string>('cloud.artifacts').put(sha256, 'kind: Other\n');
    await expect(artifacts.read(sha256)).rejects.toMatchObject({ code: 'ReleaseCorrupt' });
    // Storing the file again mends it.
    await artifacts.store('kind: Namespace\n');
    expect(await artifacts.read(sha256)).toBe('kind: Namespace\n');
  });

  it('fail when S3 throttles or is out of order', async () => {
    const { artifacts } = cloudOf({ faults: ['s3:SlowDown:1', 's3:InternalError:1'] });
    await expect(artifacts.store('a')).rejects.toMatchObject({ code: 'Throttled' });
    await expect(artifacts.store('a')).rejects.toMatchObject({ code: 'AwsUnavailable' });
    await artifacts.store('a');
  });
});

describe('simulated tagged resources', () => {
  const tag = { key: 'sigs.k8s.io/cluster-api-provider-aws/cluster/dev', value: 'owned' };

  it('include what a controller says it made, until it removes it', async () => {
    const { tagged } = cloudOf();
    await tagged.add(region, 'ec2:vpc', 'vpc-1', { [tag.key]: tag.value });
    await tagged.add(region, 'ec2:vpc', 'vpc-1', { [tag.key]: tag.value });
    await tagged.add(region, 'ec2:vpc', 'vpc-2', { [tag.key]: 'shared' });
    await tagged.add('eu-west-1', 'ec2:vpc', 'vpc-3', { [tag.key]: tag.value });
    expect(await tagged.find(region, tag)).toEqual([{ type: 'ec2:vpc', id: 'vpc-1' }]);
    await tagged.remove(region, 'vpc-1');
    await tagged.remove(region, 'vpc-1');
    expect(await tagged.find(region, tag)).toEqual([]);
    expect(await tagged.find('eu-west-1', tag)).toEqual([{ type: 'ec2:vpc', id: 'vpc-3' }]);
  });

  it('survive a restart', async () => {
    const disk = Disk.inMemory();
    await cloudOf({ disk }).tagged.add(region, 'ec2:vpc', 'vpc-1', { [tag.key]: tag.value });
    expect(await cloudOf({ disk }).tagged.find(region, tag)).toEqual([{ type: 'ec2:vpc', id: 'vpc-1' }]);
  });
});
