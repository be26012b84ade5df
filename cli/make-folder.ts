import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those above it, for their owner only. Not by `recursive`, which never comes back where a file
 * system answers that a folder is missing to what it will not make, as /proc does.
 */
export function makeFolder(folder: string): void {
  const parent = path.dirname(folder);
  try {
    mkdirSync(folder, { mode: 0o700 });
    return;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
  }
  makeFolder(parent);
  makeFolder(folder);
}
