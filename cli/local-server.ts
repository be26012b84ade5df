// Starts, finds and stops the server of a local Petra.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Health } from '../core/api/contract.ts';
import { hasCode, PetraError } from '../core/errors.ts';
import { localClient } from './local-client.ts';
import { isAlive, type LocalEndpoint, prepareStateFolder, readEndpoint, stateFiles } from './local-state.ts';

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
export function serverArguments(folder: string, options: LocalOptions): string[] {
  return [
    serverFile,
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
export async function startServer(folder: string, options: LocalOptions): Promise<RunningServer> {
  prepareStateFolder(folder);
  const deadline = Date.now() + startLimitMilliseconds;
  const logStart = logSize(folder);
  let exit: { readonly code: number | null } | undefined;
  let locked = takeStartLock(folder);
  try {
    if (locked)
      spawnServer(folder, options, (code) => {
        exit = { code };
      });
    while (Date.now() < deadline && exit === undefined) {
      const server = await findServer(folder);
      if (server) return server;
      await sleep(25);
      if (!locked && takeStartLock(folder)) {
        // The command that was starting it gave up.
        locked = true;
        spawnServer(folder, options, (code) => {
          exit = { code };
        });
      }
    }
    // A server that found another one in its folder exits; the other one is as good.
    const other = await findServer(folder);
    if (other) return other;
    throw new PetraError(
      'LocalStartFailed',
      exit === undefined
        ? `the local Petra did not answer within ${startLimitMilliseconds / 1000} s`
        : `the local Petra ended while it started (exit code ${exit.code ?? 'none: killed'})`,
      { evidence: logTail(folder, logStart, 20) },
    );
  } finally {
    if (locked) rmSync(stateFiles(folder).startLock, { force: true });
  }
}

function spawnServer(folder: string, options: LocalOptions, onExit: (code: number | null) => void): void {
  const log = openSync(stateFiles(folder).log, 'a', 0o600);
  const child = spawn(process.execPath, serverArguments(folder, options), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.on('exit', onExit);
  child.on('error', () => onExit(null));
  child.unref();
  closeSync(log);
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
