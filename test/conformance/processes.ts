// The processes of a run: each with a log of its own and only the environment that it is given.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  readonly ended: Promise<Ending>;
  isRunning(): boolean;
  /** Asks it to end and makes it end after its patience. Safe to repeat. */
  stop(): Promise<Ending>;
  kill(signal: NodeJS.Signals): void;
}

/** Where distributions have their programs. */
export const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const defaultPatienceMilliseconds = 10_000;

export class Processes {
  readonly #logs: string;
  readonly #running: RunningProcess[] = [];

  constructor({ logs }: { readonly logs: string }) {
    this.#logs = logs;
    mkdirSync(logs, { recursive: true, mode: 0o700 });
  }

  /**
   * Starts a program whose output goes to `<name>.log`, behind what an earlier one of that name wrote.
   * @throws when it cannot be started
   */
  start(
    name: string,
    command: string,
    args: readonly string[],
    options: {
      readonly env?: Readonly<Record<string, string>>;
      readonly cwd?: string;
      /** How long it may take to end when it is asked to. */
      readonly patienceMilliseconds?: number;
    } = {},
  ): RunningProcess {
    const log = path.join(this.#logs, `${name}.log`);
    const output = openSync(log, 'a', 0o600);
    const child = spawn(command, args, {
      // A session of its own: Ctrl-C is for the script, which stops its processes in order.
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH: programPath, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    closeSync(output);
    // Says nothing that a missing pid does not say, but is fatal unheard.
    child.on('error', () => {});
    if (child.pid === undefined) throw new Error(`${name} cannot be started: no program ${command}`);
    const running = runningProcess(name, child.pid, log, child, options.patienceMilliseconds);
    this.#running.push(running);
    void running.ended.then(() => this.#running.splice(this.#running.indexOf(running), 1));
    return running;
  }

  /** Ends all, the newest first: what was started later uses what was started earlier. */
  async stopAll(): Promise<void> {
    for (const running of [...this.#running].reverse()) await running.stop();
  }
}

function runningProcess(
  name: string,
  pid: number,
  log: string,
  child: ChildProcess,
  patienceMilliseconds = defaultPatienceMilliseconds,
): RunningProcess {
  const ended = new Promise<Ending>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    name,
    pid,
    log,
    ended,
    isRunning,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      if (!isRunning()) return ended;
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds);
      try {
        return await ended;
      } finally {
        clearTimeout(patience);
      }
    },
  };
}
