// Which Petra commands use when nothing else says so. Written by `petra config use-stack`; never holds a credential.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PetraError } from '../core/errors.ts';
import { isObject } from '../core/json-fields.ts';
import { makeFolder } from './make-folder.ts';

export interface Config {
  /** Address of the API. */
  readonly endpoint: string;
  readonly region: string;
  /** Of the AWS configuration; absent for the usual chain of credentials. */
  readonly profile?: string;
  /** Name of the stack that has the API. */
  readonly stack: string;
}

/** Where the configuration is: PETRA_CONFIG, or petra/config.json under XDG_CONFIG_HOME. */
export function configFile(env: Readonly<Record<string, string | undefined>>): string {
  if (env.PETRA_CONFIG) return path.resolve(env.PETRA_CONFIG);
  return path.join(env.XDG_CONFIG_HOME || path.join(env.HOME || '/', '.config'), 'petra', 'config.json');
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function unreadable(file: string, what: string, cause?: unknown): PetraError {
  return new PetraError('FileUnreadable', `${file}, the configuration of this command line, ${what}`, {
    fix: 'Correct or remove the file (`petra config reset`), then `petra config use-stack`; --local and --endpoint do without it.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The configuration; undefined when there is none.
 * @throws FileUnreadable for one that is not understood: to go on without it could mean another Petra
 */
export function readConfig(file: string): Config | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(file, error instanceof SyntaxError ? 'is not JSON' : 'cannot be read', error);
  }
  if (!isObject(value)) throw unreadable(file, 'is not an object');
  const { endpoint, region, profile, stack } = value;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) {
    throw unreadable(file, `has no address at "endpoint": ${JSON.stringify(endpoint)}`);
  }
  if (typeof region !== 'string' || region === '') throw unreadable(file, 'has no "region"');
  if (typeof stack !== 'string' || stack === '') throw unreadable(file, 'has no "stack"');
  if (profile !== undefined && (typeof profile !== 'string' || profile === '')) {
    throw unreadable(file, `has something else than a name at "profile": ${JSON.stringify(profile)}`);
  }
  return { endpoint, region, stack, ...(profile === undefined ? {} : { profile }) };
}

/** Replaces the configuration in a single step. @throws FileUnreadable; the file is as it was then */
export function writeConfig(file: string, config: Config): void {
  const temporary = `${file}.${process.pid}`;
  try {
    makeFolder(path.dirname(file));
    writeFileSync(temporary, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new PetraError('FileUnreadable', `cannot write ${file}`, {
      cause,
      fix: 'Check the permissions of its folder, or name another file with PETRA_CONFIG.',
    });
  }
}

/** Removes the configuration; false when there was none. */
export function removeConfig(file: string): boolean {
  try {
    rmSync(file);
    return true;
  } catch (cause) {
    if (isAbsent(cause)) return false;
    throw new PetraError('FileUnreadable', `cannot remove ${file}`, { cause });
  }
}
