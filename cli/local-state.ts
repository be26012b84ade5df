// The state folder of a local Petra as commands see it. The server owns what is in it; commands read where it
// answers, and remove the folder as a whole.

import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PetraError } from '../core/errors.ts';
import { type LocalEndpoint, stateFileNames } from '../core/local-state.ts';
import { makeFolder } from './make-folder.ts';

/** Where the state is when no option says so. */
export function defaultStateFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (env.PETRA_STATE) return path.resolve(env.PETRA_STATE);
  const base = env.XDG_STATE_HOME || path.join(env.HOME || '/', '.local', 'state');
  return path.join(base, 'petra', 'local');
}

/** Files of a state folder that commands use. */
export function stateFiles(folder: string) {
  return {
    marker: path.join(folder, stateFileNames.marker),
    endpoint: path.join(folder, stateFileNames.endpoint),
    token: path.join(folder, stateFileNames.token),
    log: path.join(folder, stateFileNames.log),
    startLock: path.join(folder, stateFileNames.startLock),
  };
}

/**
 * Whether a process of this user has this id. Another user's does not count: it took over the id of a server or command
 * that died, and must not be shown the token.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @throws StorageUnavailable for what another user's folder answers, which says nothing of what is in it */
function refuseForeign(error: unknown, folder: string): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) return;
  throw new PetraError('StorageUnavailable', `you may not read the state folder ${folder}`, {
    cause: error,
    fix: 'Give a folder of your own with --state or PETRA_STATE.',
  });
}

/**
 * Where the server of this folder answers; undefined when none runs, a file left by a killed one included.
 * @throws StorageUnavailable when the folder may not be read
 */
export function readEndpoint(folder: string): LocalEndpoint | undefined {
  try {
    const endpoint: Partial<LocalEndpoint> = JSON.parse(readFileSync(stateFiles(folder).endpoint, 'utf8'));
    const { url, pid, startedAt = '', version = '', speed = 1 } = endpoint;
    if (typeof url !== 'string' || typeof pid !== 'number' || !isAlive(pid)) return undefined;
    return { url, pid, startedAt, version, speed };
  } catch (error) {
    refuseForeign(error, folder);
    return undefined;
  }
}

/**
 * The bearer token of the folder.
 * @throws Unauthorized when it cannot be read
 */
export function readToken(folder: string): string {
  const { token } = stateFiles(folder);
  try {
    return readFileSync(token, 'utf8').trim();
  } catch (cause) {
    throw new PetraError('Unauthorized', `cannot read the token of the local Petra, ${token}`, { cause });
  }
}

/**
 * Whether the folder was made by Petra.
 * @throws StorageUnavailable when it may not be read
 */
export function isStateFolder(folder: string): boolean {
  try {
    readFileSync(stateFiles(folder).marker);
    return true;
  } catch (error) {
    refuseForeign(error, folder);
    return false;
  }
}

/**
 * Makes the folder, or closes it to everyone but its owner, and marks it.
 * @throws InvalidUsage when it holds something else, StorageUnavailable when it cannot be made or is another user's
 */
export function prepareStateFolder(folder: string): void {
  try {
    makeFolder(folder);
    const isNew = !isStateFolder(folder);
    if (isNew && readdirSync(folder).length > 0) {
      throw new PetraError('InvalidUsage', `${folder} is not empty, and not a state folder of Petra`, {
        fix: 'Give another folder with --state or PETRA_STATE.',
      });
    }
    // Fails for a folder of another user, who could have put links into it that lead elsewhere.
    chmodSync(folder, 0o700);
    if (!isNew) return;
    writeFileSync(stateFiles(folder).marker, `${JSON.stringify({ createdAt: new Date().toISOString() })}\n`, {
      mode: 0o600,
      flag: 'a',
    });
  } catch (cause) {
    if (cause instanceof PetraError) throw cause;
    throw new PetraError('StorageUnavailable', `cannot make ${folder} a state folder of your own`, {
      cause,
      fix: 'Choose a folder you may write to with --state or PETRA_STATE.',
    });
  }
}
