// Namespaces of Linux for a script and all that it starts: a network without a way out, where every address and port is
// free, and process numbers of its own, so that nothing outlives the script, however it ends.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** The bridge that joins the networks of Pods, and the node's address on it. */
export const podBridge = { name: 'petra-pods', gateway: '10.42.0.1', prefix: '10.42.0', bits: 24 } as const;

const mark = 'PETRA_SANDBOX';

const namespaces = ['--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc'];
/** Only root exists in a user namespace that an ordinary user makes: what should run as another user, runs as that root. */
const withUserNamespace = ['--user', '--map-root-user', ...namespaces];

const script = path.join(import.meta.dirname, 'sandbox.sh');

/** Whether this process is the script inside, rather than the one that was called. */
export function isInSandbox(): boolean {
  // The variable alone could have been left in somebody's shell.
  return process.env[mark] === '1' && process.ppid === 1;
}

/** Whether more users than one exist here, such as the one that images of controllers name. */
export function hasUsers(): boolean {
  // Three numbers: first user inside, the same outside, how many (user_namespaces(7)).
  return Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]) > 1;
}

/**
 * Runs the calling script again inside the sandbox, with its arguments, standard streams and exit code, and returns only
 * there. Ctrl-C and SIGTERM reach the script inside; whatever ends either of the two ends everything in the sandbox.
 * @throws when this machine gives no namespaces, with what is missing
 */
export async function enterSandbox(): Promise<void> {
  if (isInSandbox()) return;
  const isRoot = process.getuid?.() === 0;
  const flags = isRoot ? namespaces : withUserNamespace;
  const why = whyNoSandbox(flags);
  if (why !== undefined) throw new Error(why);
  const arguments_ = [...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...flags, 'sh', script, process.execPath, ...arguments_], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [mark]: '1' },
  });
  const control = child.stdio[3];
  // The terminal sends SIGINT to the script inside as well, which then ends as it likes.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => control && 'write' in control && control.write(`${signal.slice(3)}\n`));
  }
  // Writing to a script that has just ended.
  control?.on('error', () => {});
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
  process.exit(code);
}

/** Gives the sandbox one more address of its own. Safe to repeat. */
export async function addAddress(ip: string): Promise<void> {
  await promisify(execFile)('ip', ['address', 'replace', `${ip}/32`, 'dev', 'lo']);
}

/** All of a range at once. Who connects where nobody listens is refused at once, and does not wait for an answer. */
export async function addAddresses(range: string): Promise<void> {
  await promisify(execFile)('ip', ['route', 'replace', 'local', range, 'dev', 'lo']);
}

/** Safe to repeat: an address that is already gone is fine. */
export async function removeAddress(ip: string): Promise<void> {
  const { stdout } = await promisify(execFile)('ip', [
    '-o',
    'address',
    'show',
    'dev',
    'lo',
    'to',
    `${ip}/32`,
  ]);
  if (stdout !== '') await promisify(execFile)('ip', ['address', 'delete', `${ip}/32`, 'dev', 'lo']);
}

function whyNoSandbox(flags: readonly string[]): string | undefined {
  const attempt = spawnSync('unshare', [...flags, 'sh', script], { encoding: 'utf8' });
  if (attempt.status === 0) return undefined;
  return describeMissing((attempt.error?.message ?? attempt.stderr).trim(), flags.includes('--user'));
}

/** What to tell a user whose machine refused, from what the attempt wrote. */
export function describeMissing(written: string, isOrdinaryUser: boolean): string {
  const fix = fixOf(written, isOrdinaryUser);
  return `no sandbox on this machine: ${written || 'unshare failed without a word'}. ${fix}`;
}

function fixOf(written: string, isOrdinaryUser: boolean): string {
  if (written.includes('ENOENT')) return 'Install util-linux, which has unshare; it needs Linux.';
  if (/\bip: (?:command )?not found/.test(written)) return 'Install iproute2, which has ip.';
  if (/Unknown device type|not supported/.test(written)) return 'The kernel needs bridge and veth devices.';
  return isOrdinaryUser
    ? 'Run it as root, or let users make namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone).'
    : 'Root may not make namespaces here; a container needs the capabilities SYS_ADMIN and NET_ADMIN.';
}
