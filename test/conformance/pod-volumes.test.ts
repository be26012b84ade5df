import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Files } from './kubelet-api.ts';
import type { PodSpec } from './pod-template.ts';
import { PodVolumes, type VolumeObjects } from './pod-volumes.ts';

const accountFolder = 'var/run/secrets/kubernetes.io/serviceaccount';

/** The API's objects in memory. Each token is another one and lasts as long as it is asked for. */
class Objects implements VolumeObjects {
  readonly authority = 'an authority';
  readonly secrets = new Map<string, Files>();
  readonly configMaps = new Map<string, Files>();
  now = 0;
  #tokens = 0;

  async secret(namespace: string, name: string) {
    return this.secrets.get(`${namespace}/${name}`);
  }

  async configMap(namespace: string, name: string) {
    return this.configMaps.get(`${namespace}/${name}`);
  }

  async token(
    namespace: string,
    account: string,
    { audience, seconds }: { audience?: string; seconds: number },
  ) {
    this.#tokens += 1;
    const token = [namespace, account, audience ?? 'api', this.#tokens].join(' ');
    return { token, expiresAt: new Date(this.now + seconds * 1000) };
  }
}

function volumesOf(spec: Omit<PodSpec, 'containers'>, mounts: Readonly<Record<string, string>>) {
  const root = mkdtempSync(path.join(tmpdir(), 'petra-volumes-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const objects = new Objects();
  const volumeMounts = Object.entries(mounts).map(([name, mountPath]) => ({ name, mountPath }));
  const container = { name: 'manager', image: 'x', volumeMounts };
  const owner = { namespace: 'a', serviceAccount: 'manager', user: undefined };
  const whole = { ...spec, containers: [container] };
  const volumes = new PodVolumes(objects, root, whole, container, owner, () => objects.now);
  return { volumes, objects, root, read: (file: string) => readFileSync(path.join(root, file), 'utf8') };
}

test('a Pod has the credentials of its ServiceAccount where in-cluster clients look for them', async () => {
  const { volumes, read, root } = volumesOf({}, {});
  await volumes.refresh();
  expect(read(`${accountFolder}/token`)).toBe('a manager api 1');
  expect(read(`${accountFolder}/ca.crt`)).toBe('an authority');
  expect(read(`${accountFolder}/namespace`)).toBe('a');
  expect(statSync(path.join(root, accountFolder, 'token')).mode & 0o077).toBe(0);
});

test('a token is another one before the old one expires, and not sooner', async () => {
  const { volumes, objects, read } = volumesOf({}, {});
  await volumes.refresh();
  objects.now = 2_800_000;
  await volumes.refresh();
  expect(read(`${accountFolder}/token`)).toBe('a manager api 1');
  objects.now = 2_900_000;
  await volumes.refresh();
  expect(read(`${accountFolder}/token`)).toBe('a manager api 2');
});

test('a Pod that does not want credentials has none', async () => {
  const { volumes, root } = volumesOf({ automountServiceAccountToken: false }, {});
  await volumes.refresh();
  expect(readdirSync(root)).toEqual([]);
});

test('a Pod waits for its Secret, whose changes then reach its folder', async () => {
  const spec = { volumes: [{ name: 'cert', secret: { secretName: 'serving' } }] };
  const { volumes, objects, read, root } = volumesOf(spec, { cert: '/certs' });
  await expect(volumes.refresh()).rejects.toThrow('Secret a/serving is not there yet');
  objects.secrets.set('a/serving', { 'tls.crt': Buffer.from('first') });
  await volumes.refresh();
  expect(read('certs/tls.crt')).toBe('first');
  objects.secrets.set('a/serving', { 'tls.crt': Buffer.from('second') });
  await volumes.refresh();
  expect(read('certs/tls.crt')).toBe('second');
  expect(statSync(path.join(root, 'certs/tls.crt')).mode & 0o077).toBe(0);
});

test('what is optional may be missing, and an empty volume is a folder', async () => {
  const spec = {
    volumes: [
      { name: 'settings', configMap: { name: 'settings', optional: true } },
      { name: 'cache', emptyDir: {} },
    ],
  };
  const { volumes, root } = volumesOf(spec, { settings: '/settings', cache: '/cache' });
  await volumes.refresh();
  expect(readdirSync(path.join(root, 'settings'))).toEqual([]);
  expect(readdirSync(path.join(root, 'cache'))).toEqual([]);
});

test('a projected volume has keys under other names and tokens for other audiences', async () => {
  const spec = {
    volumes: [
      {
        name: 'all',
        projected: {
          sources: [
            { secret: { name: 'one', items: [{ key: 'key', path: 'deep/file' }] } },
            { configMap: { name: 'two' } },
            { serviceAccountToken: { path: 'aws-token', audience: 'sts.amazonaws.com' } },
          ],
        },
      },
    ],
  };
  const { volumes, objects, read, root } = volumesOf(spec, { all: '/all' });
  objects.secrets.set('a/one', { key: Buffer.from('value'), other: Buffer.from('unseen') });
  objects.configMaps.set('a/two', { 'two.txt': Buffer.from('two') });
  await volumes.refresh();
  expect(read('all/deep/file')).toBe('value');
  expect(read('all/two.txt')).toBe('two');
  expect(read('all/aws-token')).toBe('a manager sts.amazonaws.com 1');
  expect(readdirSync(path.join(root, 'all')).sort()).toEqual(['aws-token', 'deep', 'two.txt']);
});

test('a kind of volume that is not played is an error that names the volume', async () => {
  const { volumes } = volumesOf({ volumes: [{ name: 'disk' }] }, { disk: '/disk' });
  await expect(volumes.refresh()).rejects.toThrow('volume disk');
});
