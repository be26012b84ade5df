// Runs the script of a management node in a folder that stands for its file system, with stand-ins for what it calls.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { managementNodes, renderManagementUserData } from '../../../core/management/k3s-user-data.ts';
import { example } from '../capi/translate-samples.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'petra-node-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('the first server', () => {
  test('fetches the token, installs k3s, starts it and stores the kubeconfig with its own address', () => {
    boot('server-0');
    const { status, output } = run();
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(read('etc/rancher/k3s/join-token')).toBe('join-token\n');
    expect(statSync(path.join(root, 'etc/rancher/k3s/join-token')).mode & 0o077).toBe(0);
    expect(calls()).toContain('systemctl start --no-block k3s.service');
    expect(read('stored')).toContain('server: https://10.0.0.10:6443');
    expect(output.trim().split('\n').at(-1)).toBe('petra: server-0 is ready');
    expect(existsSync(path.join(root, 'etc/rancher/k3s/config.yaml.d/90-petra-join.yaml'))).toBe(false);
  });

  test('does the same again after a reboot, without a second download', () => {
    boot('server-0');
    run();
    writeFileSync(path.join(root, 'calls'), '');
    expect(run().status).toBe(0);
    expect(calls()).not.toContain('curl');
    expect(read('stored')).toContain('server: https://10.0.0.10:6443');
  });

  test('waits for a role that does not work yet', () => {
    boot('server-0');
    writeFileSync(path.join(root, 'deny'), '3');
    expect(run().status).toBe(0);
    expect(calls().match(/get-secret-value/g)).toHaveLength(4);
  });

  test('joins the servers that are there when it is a replacement, rather than start a second cluster', () => {
    boot('server-0');
    writeFileSync(path.join(root, 'alive'), '10.0.0.12');
    const { status, output } = run();
    expect(status).toBe(0);
    expect(output).toContain('joins the cluster found at 10.0.0.12');
    expect(parse(read('etc/rancher/k3s/config.yaml.d/90-petra-join.yaml'))).toEqual({
      'cluster-init': false,
      server: 'https://10.0.0.12:6443',
    });
  });

  test('starts as itself when it has data of its own, whoever else is there', () => {
    boot('server-0');
    writeFileSync(path.join(root, 'alive'), '10.0.0.12');
    mkdirSync(path.join(root, 'var/lib/rancher/k3s/server/db'), { recursive: true });
    expect(run().status).toBe(0);
    expect(existsSync(path.join(root, 'etc/rancher/k3s/config.yaml.d/90-petra-join.yaml'))).toBe(false);
  });

  test('refuses a k3s whose checksum is wrong, and shows why on the console', () => {
    boot('server-0');
    writeFileSync(path.join(root, 'release/k3s'), 'something else');
    const { status, output } = run();
    expect(status).toBe(1);
    expect(output).toContain('petra: cannot download k3s v1.35.3+k3s1');
    expect(output).toContain('the log of k3s');
    expect(existsSync(path.join(root, 'usr/local/bin/k3s'))).toBe(false);
  });

  test('says which secret it cannot read, and never what is in one', () => {
    boot('server-0');
    writeFileSync(path.join(root, 'deny'), '1000');
    const { status, output } = run();
    expect(status).toBe(1);
    expect(output).toMatch(/cannot read the secret petra\/\S+\/join-token/);
    boot('server-0');
    expect(run().output).not.toContain('join-token\n');
  });
});

test.each(['server-1', 'agent-0'])('%s joins and stores no kubeconfig', (name) => {
  boot(name);
  expect(run().status).toBe(0);
  expect(calls()).toContain('systemctl start --no-block k3s.service');
  expect(existsSync(path.join(root, 'stored'))).toBe(false);
});

/** Writes the files of a node's user data, and stand-ins for AWS, the network and systemd. */
function boot(name: string): void {
  const spec = structuredClone(example('management.yaml'));
  spec.spec.nodes.controlPlane.count = 3;
  const serverAddresses = ['10.0.0.10', '10.0.0.11', '10.0.0.12'];
  const uid = '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab';
  const node = managementNodes({ name: 'petra-mgmt', uid, region: 'us-west-1', spec, serverAddresses }).find(
    (one) => one.name === name,
  );
  if (!node) throw new Error(`no ${name}`);
  const files: { path: string; content: string }[] = parse(renderManagementUserData(node)).write_files;
  for (const file of files)
    write(file.path.slice(1), file.content.replaceAll(/(?<![\w}:/])\/(etc|usr|var)\//g, `${root}/$1/`));

  write('deny', '0');
  write('release/k3s', '#!/bin/sh\necho "k3s version v1.35.3+k3s1 (0123abcd)"\n');
  write('etc/rancher/k3s/k3s.yaml', 'server: https://127.0.0.1:6443\n');
  const log = `echo "$(basename "$0") $*" >> ${root}/calls\n`;
  stub(
    'aws',
    `${log}case "$*" in
*get-secret-value*) left=$(cat ${root}/deny); [ "$left" -eq 0 ] || { echo $((left - 1)) > ${root}/deny; exit 254; }; echo join-token ;;
*put-secret-value*) for last; do :; done; cp "\${last#file://}" ${root}/stored ;;
esac`,
  );
  stub(
    'curl',
    `${log}for last; do :; done
case "$last" in
*/v1.35.3%2Bk3s1/sha256sum-*) echo "$(printf '#!/bin/sh\\necho "k3s version v1.35.3+k3s1 (0123abcd)"\\n' | sha256sum | cut -d' ' -f1)  k3s" > sums ;;
*/v1.35.3%2Bk3s1/k3s) cp ${root}/release/k3s k3s ;;
https://*:6443/ping) case "$last" in *"$(cat ${root}/alive 2> /dev/null || echo nobody)"*) ;; *) exit 7 ;; esac ;;
*) exit 22 ;;
esac`,
  );
  stub('uname', 'echo x86_64');
  stub('systemctl', `${log}case "$*" in *start*) mkdir -p ${root}/var/lib/rancher/k3s/server/db ;; esac`);
  stub('sysctl', log);
  stub('sleep', '');
  stub('journalctl', 'echo "the log of k3s"');
  mkdirSync(path.join(root, 'usr/local/bin'), { recursive: true });
}

function run(): { readonly status: number | null; readonly output: string } {
  const script = path.join(root, 'usr/local/sbin/petra-node');
  const result = spawnSync('sh', [script], {
    encoding: 'utf8',
    env: { PATH: `${root}/stubs:/usr/bin:/bin` },
  });
  return { status: result.status, output: result.stdout + result.stderr };
}

function calls(): string {
  return read('calls');
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

function write(file: string, content: string): void {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, content);
}

function stub(name: string, body: string): void {
  write(`stubs/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(path.join(root, 'stubs', name), 0o755);
}
