// A management node in a sandbox: the real user data, run by the real script, on a file system and a network of its own.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { managementNodes, renderManagementUserData } from '../../core/management/k3s-user-data.ts';
import { example } from '../core/capi/translate-samples.ts';
import { instanceId, releasePort } from './cloud.ts';

const uid = '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab';
const serverAddresses = ['10.0.0.10', '10.0.0.11', '10.0.0.12'];
export const tokenSecret = `petra/${uid}/join-token`;
export const kubeconfigSecret = `petra/${uid}/kubeconfig`;

/** What cloud-init reads of user data. */
export interface CloudConfig {
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions: string;
    readonly content: string;
  }[];
  readonly runcmd: readonly (readonly string[])[];
}

/** The user data of `server-0`, `server-1`, `agent-0` … of a cluster with three servers, with k3s from the sandbox. */
export function userDataOf(name: string): string {
  const spec = structuredClone(example('management.yaml'));
  spec.spec.nodes.controlPlane.count = serverAddresses.length;
  const k3sBaseUrl = `http://127.0.0.1:${releasePort}/k3s`;
  const nodes = managementNodes({
    name: 'petra-mgmt',
    uid,
    region: 'us-west-1',
    spec,
    serverAddresses,
    k3sBaseUrl,
  });
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new Error(`no ${name}`);
  return renderManagementUserData(node);
}

/** As root in namespaces of its own, whoever runs the tests. */
const namespaces = process.getuid?.() === 0 ? ['--mount', '--net'] : ['--map-root-user', '--mount', '--net'];

/** A start takes about a second; a machine that is busy with other tests may take long. */
export const sandboxTimeout = 120_000;

const probe = spawnSync('unshare', [...namespaces, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });

/** Why the sandbox cannot be had here; empty where it can. In CI it must be had. */
export const whyNoSandbox =
  probe.status === 0 || process.env.CI === 'true'
    ? ''
    : ` (skipped: no namespaces of Linux here: ${(probe.error?.message ?? probe.stderr).trim()})`;

/** Runs a shell script in namespaces of its own. */
export function inNamespaces(script: string, ...args: readonly string[]) {
  return spawnSync('unshare', [...namespaces, 'sh', script, ...args], {
    encoding: 'utf8',
    timeout: sandboxTimeout,
  });
}

/** How a start ended, seen from outside. */
export interface Outcome {
  readonly status: number;
  readonly console: readonly string[];
}

export class SandboxedMachine {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'petra-node-'));
  readonly #config: CloudConfig;

  /** Is gone when the test ends. */
  constructor(name: string) {
    onTestFinished(() => rmSync(this.#folder, { recursive: true }));
    // cloud-init reads no more of it than this.
    this.#config = parse(userDataOf(name)) as CloudConfig;
    for (const folder of [
      'usr-local/bin',
      'usr-local/sbin',
      'root/usr',
      'root/tmp',
      'root/run',
      'root/cloud/refuse',
    ])
      mkdirSync(path.join(this.#folder, folder), { recursive: true });
    cpSync(path.join(import.meta.dirname, 'stand-ins'), path.join(this.#folder, 'root/stand-ins'), {
      recursive: true,
    });
    this.write('/cloud/instance', instanceId);
    this.write('/cloud/certificate', 'Zmlyc3Q=');
    this.write(`/cloud/secrets/${tokenSecret}`, 'a-join-token\n');
  }

  /** The first start: cloud-init writes the files and runs its commands. */
  firstStart(): Outcome {
    for (const { path: file, content, permissions } of this.#config.write_files) {
      this.write(file, content);
      chmodSync(this.#path(file), Number.parseInt(permissions, 8));
    }
    const commands = this.#config.runcmd.map((words) => words.map((word) => `'${word}'`).join(' '));
    this.write('/run/runcmd', commands.join('\n'));
    return this.#run('sh', '/run/runcmd');
  }

  /** systemd starts the unit again, as it does some time after a failure. */
  startAgain(): Outcome {
    return this.#run('systemctl', 'enable', '--now', '--no-block', 'petra-node.service');
  }

  /** systemd starts what is enabled; what was in memory is gone. */
  reboot(): Outcome {
    rmSync(this.#path('/run'), { recursive: true });
    mkdirSync(this.#path('/run'));
    return this.#run('systemctl', 'default');
  }

  /** k3s starts anew with another certificate, and systemd's path unit sees the file that it writes. */
  renewCertificates(certificate: string): Outcome {
    this.write('/cloud/certificate', certificate);
    rmSync(this.#path('/run/active/k3s.service'), { force: true });
    this.write('/run/restart', 'systemctl start k3s.service\nsystemctl start petra-kubeconfig.service\n');
    const outcome = this.#run('sh', '/run/restart');
    // A oneshot service without RemainAfterExit is inactive again once it is done.
    rmSync(this.#path('/run/active/petra-kubeconfig.service'), { force: true });
    return outcome;
  }

  /** Refuses the next calls of an AWS CLI command. */
  refuse(command: string, times: number, code: string, message: string): void {
    this.write(`/cloud/refuse/${command}`, `${times} ${code} ${message}\n`);
  }

  /** Spoils the next downloads of k3s. */
  spoilDownloads(how: 'missing' | 'altered' | 'cut', times: number): void {
    this.write('/cloud/release', `${how} ${times}`);
  }

  has(file: string): boolean {
    return existsSync(this.#path(file));
  }

  read(file: string): string {
    return readFileSync(this.#path(file), 'utf8');
  }

  /** The lines of a file; none when it is not there. */
  lines(file: string): readonly string[] {
    return this.has(file) ? this.read(file).trimEnd().split('\n') : [];
  }

  mode(file: string): number {
    return statSync(this.#path(file)).mode & 0o777;
  }

  write(file: string, content: string): void {
    mkdirSync(path.dirname(this.#path(file)), { recursive: true });
    writeFileSync(this.#path(file), content);
  }

  remove(file: string): void {
    rmSync(this.#path(file), { recursive: true, force: true });
  }

  /** Every file of the node that outlives a reboot, with its content. */
  disk(): Readonly<Record<string, string>> {
    const entries = ['/etc', '/usr/local', '/var'].flatMap((folder) =>
      readdirSync(this.#path(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name)),
    );
    return Object.fromEntries(entries.map((file) => [file, readFileSync(file, 'utf8')]));
  }

  #path(file: string): string {
    const installed = '/usr/local';
    return file.startsWith(installed)
      ? path.join(this.#folder, 'usr-local', file.slice(installed.length))
      : path.join(this.#folder, 'root', file);
  }

  #run(...command: readonly string[]): Outcome {
    const sandbox = path.join(import.meta.dirname, 'sandbox.sh');
    const servers = path.join(import.meta.dirname, 'servers.ts');
    const result = inNamespaces(sandbox, this.#folder, process.execPath, servers, ...command);
    if (result.status === 70 || result.error) throw new Error(`the sandbox failed: ${result.stderr}`);
    const file = '/cloud/status-petra-node.service';
    return {
      status: this.has(file) ? Number(this.read(file)) : (result.status ?? 1),
      console: (result.stdout + result.stderr).trimEnd().split('\n'),
    };
  }
}
