// Merging into a kubeconfig file that other programs read and write at the same time.

import { chmod, open, readFile, readlink, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PetraError } from '../core/errors.ts';
import { type MergedKubeconfig, mergeKubeconfig } from './kubeconfig-merge.ts';
import { makeFolder } from './make-folder.ts';

/** Where kubectl would write: the first file of KUBECONFIG, or `~/.kube/config`. */
export function defaultKubeconfigFile(env: Readonly<Record<string, string | undefined>>): string {
  const first = env.KUBECONFIG?.split(path.delimiter).find((entry) => entry !== '');
  return first ?? path.join(env.HOME || '/', '.kube', 'config');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The file at the end of a chain of links, which may not exist yet: a link must stay a link. */
async function followLinks(file: string): Promise<string> {
  let current = path.resolve(file);
  for (let hops = 0; hops < 40; hops++) {
    try {
      current = path.resolve(path.dirname(current), await readlink(current));
    } catch {
      return current;
    }
  }
  throw new PetraError('FileUnreadable', `${file} is a chain of links without end`);
}

/** kubectl's own lock, so that neither loses the other's change. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      if (Date.now() > deadline) {
        throw new PetraError('FileUnreadable', `${file} is locked by another program for 10 s now`, {
          fix: `Remove ${lock} when nothing writes to the file any more.`,
        });
      }
      await sleep(20);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** The new text replaces the old one in a single step, readable only by its owner. */
async function replaceFile(file: string, content: string): Promise<void> {
  const temporary = `${file}.petra-${process.pid}`;
  const owner = await stat(file).catch(() => undefined);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      // Matters when an administrator merges into someone else's file; not allowed to anyone else.
      if (owner) await handle.chown(owner.uid, owner.gid).catch(() => undefined);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Merges a cluster's kubeconfig into a file, which is made when it is missing.
 * @throws FileUnreadable; the file is as it was then
 */
export async function mergeIntoFile(
  file: string,
  kubeconfig: string,
  cluster: string,
  setCurrent: boolean,
): Promise<MergedKubeconfig> {
  try {
    const target = await followLinks(file);
    makeFolder(path.dirname(target));
    return await withLock(target, async () => {
      const existing = await readExisting(target);
      const merged = mergeKubeconfig(existing, kubeconfig, { cluster, setCurrent, what: file });
      await replaceFile(target, merged.text);
      return merged;
    });
  } catch (cause) {
    if (cause instanceof PetraError) throw cause;
    throw new PetraError('FileUnreadable', `cannot merge into ${file}`, { cause });
  }
}

async function readExisting(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
