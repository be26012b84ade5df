// What a local Petra keeps on disk. Everything in it belongs to one user and one server at a time.

import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, PetraError } from '../core/errors.ts';
import { type LocalEndpoint, stateFileNames } from '../core/local-state.ts';

export interface StateFolder {
  readonly folder: string;
  /** What a client must send; made once. */
  readonly token: string;
  /** A folder inside, made private. */
  inside(name: string): Promise<string>;
  /** The given speed, remembered for later starts; without one, the last that was given, if any. */
  speed(given: number | undefined): Promise<number | undefined>;
  publish(endpoint: LocalEndpoint): Promise<void>;
  unpublish(): Promise<void>;
}

/** Opens the folder, or makes it: 0700, with its marker and its token. @throws LocalStartFailed */
export async function openStateFolder(folder: string): Promise<StateFolder> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await refuseForeign(folder);
    await chmod(folder, 0o700);
    await writeOnce(
      path.join(folder, stateFileNames.marker),
      JSON.stringify({ createdAt: new Date().toISOString() }),
    );
    const tokenFile = path.join(folder, stateFileNames.token);
    await writeOnce(tokenFile, randomBytes(32).toString('hex'));
    await chmod(tokenFile, 0o600);
    const token = (await readFile(tokenFile, 'utf8')).trim();
    const endpointFile = path.join(folder, stateFileNames.endpoint);
    return {
      folder,
      token,
      inside: async (name) => {
        const inner = path.join(folder, name);
        await mkdir(inner, { recursive: true, mode: 0o700 });
        return inner;
      },
      speed: async (given) => {
        const file = path.join(folder, stateFileNames.settings);
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
    if (error instanceof PetraError) throw error;
    throw new PetraError(
      'LocalStartFailed',
      `the state folder ${folder} cannot be used: ${messageOf(error)}`,
      {
        fix: 'Check its permissions and the free space, or choose another folder with --state.',
        cause: error,
      },
    );
  }
}

/** A folder of something else is not taken over: a later `petra local reset` would remove it. */
async function refuseForeign(folder: string): Promise<void> {
  const names = await readdir(folder);
  // Also the marker's temporary file, of a process that was killed before it could name it.
  if (names.length === 0 || names.some((name) => name.startsWith(stateFileNames.marker))) return;
  throw new PetraError('LocalStartFailed', `${folder} is not empty, and not a state folder of Petra`, {
    fix: 'Give another folder with --state or PETRA_STATE.',
  });
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
