// Starts, finds and stops the server of a local Petra.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Health } from '../core/api/contract.ts';
import { hasCode, PetraError } from '../core/errors.ts';
import { textAt } from '../core/json-fields.ts';
import type { LocalEndpoint } from '../core/local-state.ts';
import { localClient } from './local-client.ts';
import { isAlive, prepareStateFolder, readEndpoint, stateFiles } from './local-state.ts';

/** How a local Petra can be started. */
export interface LocalOptions {
  readonly port?: number;
  readonly speed?: number;
  readonly faults: readonly string[];
}

/** A cold start opens an embedded database and serves a first request: a second or two; CI machines take longer. */
const startLimitMilliseconds = 15_000;
const stopLimitMilliseconds = 15_000;

const serverFile = fileURLToPath(new URL('../local/main.ts', import.meta.url));

/** The arguments of the server's process. */
export function serverArguments(folder: string, options: LocalOptions, program = serverFile): string[] {
  return [
    program,
    '--state',
    folder,
    ...(options.port === undefined ? [] : ['--port', String(options.port)]),
    ...(options.speed === undefined ? [] : ['--speed', String(options.speed)]),
    ...options.faults.flatMap((fault) => ['--fault', fault]),
  ];
}

/** A server that runs and answers. */
export interface RunningServer {
  readonly endpoint: LocalEndpoint;
  readonly health: Health;
}

/** The server of this folder, when it runs and answers with this folder's token. */
export async function findServer(folder: string): Promise<RunningServer | undefined> {
  const endpoint = readEndpoint(folder);
  if (endpoint === undefined) return undefined;
  try {
    return { endpoint, health: await localClient(folder).health() };
  } catch (error) {
    // Someone else's process has the recorded pid or port: the file is left over.
    if (hasCode(error, 'PetraUnreachable', 'Unauthorized')) return undefined;
    throw error;
  }
}

/**
 * Starts the server unless it runs, and waits until it answers. Of several commands that do so at once, one
 * starts it and the others wait for that one.
 * @throws LocalStartFailed with the end of the server's log
 */
export async function startServer(
  folder: string,
  options: LocalOptions,
  { program = serverFile, limitMilliseconds = startLimitMilliseconds } = {},
): Promise<RunningServer> {
  prepareStateFolder(folder);
  const deadline = Date.now() + limitMilliseconds;
  const logStart = logSize(folder);
  let child: ChildProcess | undefined;
  let isOurs = false;
  try {
    while (Date.now() < deadline && !hasEnded(child)) {
      const server = await findServer(folder);
      if (server) return server;
      if (isOurs && child === undefined)
        child = spawnServer(folder, serverArguments(folder, options, program));
      // Having become the one to start it, look again first: another command may just have done so.
      else if (!isOurs) isOurs = takeStartLock(folder);
      if (!isOurs || child !== undefined) await sleep(25);
    }
    // A server that finds another one in its folder ends; the other one is as good.
    const other = await findServer(folder);
    if (other) return other;
    throw startFailed(child, logTail(folder, logStart, 20), limitMilliseconds);
  } finally {
    if (isOurs) rmSync(stateFiles(folder).startLock, { force: true });
  }
}

function hasEnded(child: ChildProcess | undefined): boolean {
  return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
}

/** What a server that ended by itself says of the reason in its last line; a wrong setting is the caller's mistake. */
function ownWords(log: readonly string[]): PetraError | undefined {
  let last: unknown;
  try {
    last = JSON.parse(log.at(-1) ?? '');
  } catch {
    return undefined;
  }
  const error = textAt(last, 'error');
  if (textAt(last, 'message') !== 'start failed' || error === undefined) return undefined;
  const fix = textAt(last, 'fix');
  const details = fix === undefined ? {} : { fix };
  return textAt(last, 'code') === 'InvalidUsage'
    ? new PetraError('InvalidUsage', error, details)
    : new PetraError('LocalStartFailed', `the local Petra did not start: ${error}`, details);
}

function startFailed(
  child: ChildProcess | undefined,
  log: readonly string[],
  limitMilliseconds: number,
): PetraError {
  if (hasEnded(child)) {
    const said = ownWords(log);
    if (said) return said;
    const how = child?.signalCode ?? `exit code ${child?.exitCode}`;
    return new PetraError('LocalStartFailed', `the local Petra ended while it started (${how})`, {
      evidence: log,
    });
  }
  child?.kill();
  return new PetraError(
    'LocalStartFailed',
    `the local Petra did not answer within ${limitMilliseconds / 1000} s`,
    { evidence: log },
  );
}

function spawnServer(folder: string, args: readonly string[]): ChildProcess {
  const log = openSync(stateFiles(folder).log, 'a', 0o600);
  const child = spawn(process.execPath, args, { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  child.unref();
  closeSync(log);
  return child;
}

/** Whether this command is the one to start the server. The lock of a command that died is taken over. */
function takeStartLock(folder: string): boolean {
  const { startLock } = stateFiles(folder);
  try {
    writeFileSync(startLock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    try {
      const holder = Number(readFileSync(startLock, 'utf8'));
      const age = Date.now() - statSync(startLock).mtimeMs;
      if (holder > 0 ? isAlive(holder) && age < 2 * startLimitMilliseconds : age < 1000) return false;
      rmSync(startLock, { force: true });
    } catch {
      // Its holder just let go of it; the next round takes it.
    }
    return false;
  }
}

/**
 * Asks the server to end and waits for it; what was unfinished continues when it starts again.
 * Resolves to false when none runs.
 * @throws PetraUnreachable when it does not end in time
 */
export async function stopServer(folder: string): Promise<boolean> {
  // Only a process that answers with this folder's token is surely ours: a recorded pid may be reused.
  const server = await findServer(folder);
  if (server === undefined) return false;
  const { pid } = server.endpoint;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < stopLimitMilliseconds; waited += 25) {
    if (!isAlive(pid)) return true;
    await sleep(25);
  }
  throw new PetraError('PetraUnreachable', `the local Petra (pid ${pid}) did not end within 15 s`, {
    fix: `Look at \`petra local logs\`; \`kill -9 ${pid}\` is safe: unfinished operations continue after a restart.`,
  });
}

function logSize(folder: string): number {
  try {
    return statSync(stateFiles(folder).log).size;
  } catch {
    return 0;
  }
}

/** The last lines of the log, from a position on. */
export function logTail(folder: string, from: number, lines: number): string[] {
  try {
    const text = readFileSync(stateFiles(folder).log).subarray(from).toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-lines);
  } catch {
    return [];
  }
}
