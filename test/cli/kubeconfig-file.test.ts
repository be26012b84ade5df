import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultKubeconfigFile, mergeIntoFile } from '../../cli/kubeconfig-file.ts';
import { petra } from './run-petra.ts';
import { StubApi, stubCluster, stubKubeconfig } from './stub-api.ts';
import { temporaryFolder } from './temporary-folder.ts';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

const theirs = '# mine\nusers:\n- name: me\n  user: {token: secret}\n';

describe('merging into a file', () => {
  it('makes the file and its folder, for the owner only', async () => {
    const file = path.join(folder, '.kube', 'config');
    await mergeIntoFile(file, stubKubeconfig, 'dev', false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(readdirSync(path.dirname(file))).toEqual(['config']);
  });

  it('takes away the rights of others, now that there are credentials in it', async () => {
    const file = path.join(folder, 'config');
    writeFileSync(file, theirs);
    chmodSync(file, 0o644);
    await mergeIntoFile(file, stubKubeconfig, 'dev', false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('follows links, and leaves them links', async () => {
    mkdirSync(path.join(folder, 'dotfiles'));
    const real = path.join(folder, 'dotfiles', 'kubeconfig');
    const link = path.join(folder, 'config');
    symlinkSync('dotfiles/kubeconfig', link);
    await mergeIntoFile(link, stubKubeconfig, 'dev', false);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('petra-dev');
  });

  it('leaves a broken file as it was', async () => {
    const file = path.join(folder, 'config');
    writeFileSync(file, 'clusters: [\n');
    await expect(mergeIntoFile(file, stubKubeconfig, 'dev', false)).rejects.toMatchObject({
      code: 'FileUnreadable',
    });
    expect(readFileSync(file, 'utf8')).toBe('clusters: [\n');
    expect(readdirSync(folder)).toEqual(['config']);
  });

  it('loses nothing when several merge at once', async () => {
    const file = path.join(folder, 'config');
    writeFileSync(file, theirs);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(names.map((name) => mergeIntoFile(file, stubKubeconfig, name, false)));
    const text = readFileSync(file, 'utf8');
    for (const name of names) expect(text).toContain(`name: petra-${name}\n`);
    expect(text).toContain('# mine');
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it('goes to the first file of KUBECONFIG, else to the home folder', () => {
    expect(defaultKubeconfigFile({ KUBECONFIG: ':/a:/b', HOME: '/h' })).toBe('/a');
    expect(defaultKubeconfigFile({ HOME: '/h' })).toBe('/h/.kube/config');
  });
});

describe('cluster-kubeconfig --merge', () => {
  let api: StubApi;

  beforeEach(async () => {
    api = await new StubApi().open();
    api.clusters.set('workload-dev', stubCluster());
  });

  afterEach(() => api.close());

  it('merges, and says which context it made', async () => {
    const file = path.join(folder, 'config');
    writeFileSync(file, `${theirs}current-context: me\n`);
    const env = { ...api.env, KUBECONFIG: file };
    const run = await petra(['capi', 'cluster-kubeconfig', 'workload-dev', '--merge'], { env });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr).toContain(`context petra-workload-dev added in ${file}`);
    const again = await petra(['capi', 'cluster-kubeconfig', 'workload-dev', '--merge', '--set-current'], {
      env,
    });
    expect(again.stderr).toContain(`context petra-workload-dev updated in ${file}, and current`);
  });

  it.runIf(spawnSync('kubectl', ['version', '--client']).status === 0)(
    'makes a file kubectl reads',
    async () => {
      const file = path.join(folder, 'config');
      writeFileSync(file, theirs);
      await petra(['capi', 'cluster-kubeconfig', 'workload-dev', '--merge', file, '--set-current'], {
        env: api.env,
      });
      const kubectl = (...args: string[]) =>
        spawnSync('kubectl', ['--kubeconfig', file, ...args], { encoding: 'utf8' }).stdout;
      expect(kubectl('config', 'current-context')).toBe('petra-workload-dev\n');
      expect(kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).toBe(
        'https://10.0.0.1:6443',
      );
      expect(kubectl('config', 'get-users')).toBe('NAME\nme\npetra-workload-dev\n');
    },
  );
});
