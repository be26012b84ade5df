// What the user data of a server has for the kube-apiserver in k3s: arguments, and the files that they name.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface ApiServerSettings {
  /** `name=value`, as k3s takes them. */
  readonly args: readonly string[];
  /** By their paths on the machine. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Arguments for a kube-apiserver on this machine: what they say is on the server's disk, is in a folder that stands for
 * that disk.
 */
export async function settleOn(root: string, { args, files }: ApiServerSettings): Promise<readonly string[]> {
  const settled: string[] = [];
  for (const arg of args) {
    const [, name = arg, value = ''] = /^([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!value.startsWith('/')) {
      settled.push(`--${arg}`);
      continue;
    }
    const file = path.join(root, value);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const content = files.get(value);
    // What it writes, such as a log, is not there yet.
    if (content !== undefined) await writeFile(file, content, { mode: 0o600 });
    settled.push(`--${name}=${file}`);
  }
  return settled;
}
