// What a local Petra keeps on disk. Everything in it belongs to one user and one server at a time.

import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PetraError } from '../core/errors.ts';

/** Where a running server is found. */
export interface Endpoint {
  readonly url: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly version: string;
  readonly speed: number;
}

export interface StateFolder {
  readonly folder: string;
  /** What a client must send; made once. */
  readonly token: string;
  /** A folder inside, made private. */
  inside(name: string): Promise<string>;
  /** The given speed, remembered for later starts; without one, the last that was given, if any. */
  speed(given: number | undefined): Promise<number | undefined>;
  publish(endpoint: Endpoint): Promise<void>;
  unpublish(): Promise<void>;
}

/** Opens the folder, or makes it: 0700, with its marker and its token. @throws LocalStartFailed */
export async function openStateFolder(folder: string): Promise<StateFolder> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await writeOnce(
      path.join(folder, 'petra-state.json'),
      JSON.stringify({ createdAt: new Date().toISOString() }),
    );
    const tokenFile = path.join(folder, 'token');
    await writeOnce(tokenFile, randomBytes(32).toString('hex'));
    await chmod(tokenFile, 0o600);
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const endpointFile = path.join(folder, 'endpoint.json');
    return {
      folder,
      token,
      inside: async (name) => {
        const inner = path.join(folder, name);
        await mkdir(inner, { recursive: true, mode: 0o700 });
        return inner;
      },
      speed: async (given) => {
        const file = path.join(folder, 'settings.json');
        if (given !== undefined) {
          await replace(file, JSON.stringify({ speed: given }));
          return given;
        }
        const text = await readFile(file, 'utf8').catch(() => '{}');
        const { speed }: { readonly speed?: unknown } = JSON.parse(text);
        return typeof speed === 'number' ? speed : undefined;
      },
      publish: (endpoint) => replace(endpointFile, JSON.stringify(endpoint)),
      unpublish: () => rm(endpointFile, { force: true }),
    };
  } catch (error) {
    throw new PetraError('LocalStartFailed', `the state folder ${folder} cannot be used: ${reason(error)}`, {
      fix: 'Check its permissions and the free space, or choose another folder with --state.',
      cause: error,
    });
  }
}

/** Whole or not at all: a process killed in between must not leave an empty token behind. */
async function writeOnce(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, content, { mode: 0o600 });
  try {
    await link(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function replace(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, file);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
