// Runs the command line as a user does: a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

export const repository = path.resolve(import.meta.dirname, '../..');

/** Node as it comes with the project, also when the tests were started by another. */
export const node = path.join(repository, 'node_modules', '.bin', 'node');

const main = path.join(repository, 'cli', 'main.ts');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
}

/** An environment without anything of the developer's own. */
export function cleanEnv(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const home = temporaryFolder();
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    // A state folder that does not exist: a command that should not start a local Petra must not find one.
    PETRA_STATE: path.join(home, 'state'),
    NODE_COMPILE_CACHE: path.join(tmpdir(), 'petra-test-compile-cache'),
    ...env,
  };
}

/** A running command, to be looked at, written to and signalled. */
export class Running {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Run>;

  constructor(command: string, args: readonly string[], options: RunOptions = {}) {
    this.process = spawn(command, args, {
      env: cleanEnv(options.env),
      cwd: options.cwd ?? repository,
      stdio: 'pipe',
    });
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString('utf8');
    });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    this.ended = new Promise((resolve) =>
      this.process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr })),
    );
  }

  /** Waits until the command has said this. */
  async says(text: string | RegExp, limitMilliseconds = 15_000): Promise<void> {
    const deadline = Date.now() + limitMilliseconds;
    const all = () => this.stdout + this.stderr;
    while (typeof text === 'string' ? !all().includes(text) : !text.test(all())) {
      if (Date.now() > deadline || this.process.exitCode !== null) {
        throw new Error(`the command never said ${text}; it said: ${all()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Starts a command and returns at once. */
export function startPetra(args: readonly string[], options: RunOptions = {}): Running {
  return new Running(node, [main, ...args], options);
}

/** Runs a command to its end. */
export async function petra(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const running = startPetra(args, options);
  running.process.stdin?.end(options.stdin ?? '');
  return await running.ended;
}

/** Starts a command on a terminal of its own (util-linux `script`): both its streams arrive as stdout. */
export function petraOnTerminal(args: readonly string[], options: RunOptions = {}): Running {
  const quoted = [node, main, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return new Running('script', ['-qec', `stty cols 100 rows 30; ${quoted}`, '/dev/null'], {
    ...options,
    env: { TERM: 'xterm', ...options.env },
  });
}
