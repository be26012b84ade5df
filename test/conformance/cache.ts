// What the conformance run makes once and keeps outside the repository. Each thing is a folder, whose name changes with
// anything that it is made of, and which appears in one step.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../../scripts/python-tools.ts';

const workFolderPrefix = 'building-';
const longestBuildHours = 24;

/** Where a folder of this name is kept. */
export function cached(name: string): string {
  return path.join(cacheFolder(), 'go', name);
}

/** Gives a folder to make something in, on the file system of the cache, and removes it afterwards. */
export async function inWorkFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = cached(`${workFolderPrefix}${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    await removeAbandoned(path.dirname(folder));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Puts a whole folder into the cache; another process may have been faster, and then its folder stays. */
export async function offer(folder: string, target: string): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    const names = await readdir(folder);
    const isThere = names.every((name) => existsSync(path.join(target, name)));
    if (!isThere) throw new Error(`cannot put anything at ${target}: remove what is there`, { cause: error });
  }
}

/** Folders of processes that were killed. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(workFolderPrefix)) continue;
    const folder = path.join(cache, name);
    const changed = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(), // Its owner has just removed it.
    );
    if (Date.now() - changed > longestBuildHours * 3_600_000) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
