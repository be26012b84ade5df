// Who uses processor and memory in a run: by what a process is, for all processes in the sandbox, since no other can be
// seen in there.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const everyMilliseconds = 1_000;
/** Of `/proc/PID/stat`: USER_HZ, which is 100 wherever Node runs. */
const ticksPerSecond = 100;

export interface Usage {
  readonly cpuSeconds: number;
  /** The most that all of its processes had at once that is theirs alone, programs' own text aside. */
  readonly peakBytes: number;
  /** How many there were at once, at most. */
  readonly processes: number;
}

/** What a process is, from its command line. */
export function programOf(argv: readonly string[]): string {
  const [program = '', ...args] = argv;
  if (args.some((arg) => arg.endsWith('moto-server.py'))) return 'moto';
  if (args.some((arg) => arg.endsWith('function-process.ts'))) return 'functions';
  if (args.some((arg) => arg.endsWith('cli/main.ts'))) return 'petra';
  return path.basename(program);
}

interface Counted {
  readonly program: string;
  readonly first: number;
  last: number;
}

/** Counts from its beginning on. What a process used in its last second is not seen. */
export class UsageWatch {
  readonly #counted = new Map<string, Counted>();
  readonly #peaks = new Map<string, { bytes: number; processes: number }>();
  readonly #timer: NodeJS.Timeout;
  #peakBytes = 0;

  constructor() {
    this.#look(true);
    this.#timer = setInterval(() => this.#look(false), everyMilliseconds);
  }

  /** Of all together. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** The greatest user of the processor first. */
  byProgram(): ReadonlyMap<string, Usage> {
    const seconds = new Map<string, number>();
    for (const { program, first, last } of this.#counted.values())
      seconds.set(program, (seconds.get(program) ?? 0) + (last - first));
    return new Map(
      [...seconds]
        .toSorted(([, a], [, b]) => b - a)
        .map(([program, cpuSeconds]) => {
          const { bytes = 0, processes = 0 } = this.#peaks.get(program) ?? {};
          return [program, { cpuSeconds, peakBytes: bytes, processes }];
        }),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look(false);
  }

  #look(isFirst: boolean): void {
    const now = new Map<string, { bytes: number; processes: number }>();
    for (const pid of readdirSync('/proc')) {
      const seen = /^\d+$/.test(pid) ? readProcess(pid) : undefined;
      if (!seen) continue;
      const { identity, program, cpuSeconds, bytes } = seen;
      const known = this.#counted.get(identity);
      if (known) known.last = cpuSeconds;
      else this.#counted.set(identity, { program, first: isFirst ? cpuSeconds : 0, last: cpuSeconds });
      const sum = now.get(program) ?? { bytes: 0, processes: 0 };
      now.set(program, { bytes: sum.bytes + bytes, processes: sum.processes + 1 });
    }
    let all = 0;
    for (const [program, { bytes, processes }] of now) {
      const peak = this.#peaks.get(program) ?? { bytes: 0, processes: 0 };
      this.#peaks.set(program, {
        bytes: Math.max(peak.bytes, bytes),
        processes: Math.max(peak.processes, processes),
      });
      all += bytes;
    }
    this.#peakBytes = Math.max(this.#peakBytes, all);
  }
}

function readProcess(pid: string) {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // It has ended, and its parent has not asked how; what it used is known from before.
    if (argv[0] === '') return undefined;
    const { cpuSeconds, start } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // A number may be given again to another process, at another time.
    return {
      identity: `${pid} ${start} ${argv[0]}`,
      program: programOf(argv),
      cpuSeconds,
      bytes: Number(kilobytes ?? 0) * 1024,
    };
  } catch {
    // It has just ended.
    return undefined;
  }
}

/** Fields behind the program's name, which may hold blanks and parentheses (proc_pid_stat(5)). */
export function parseStat(text: string): { readonly cpuSeconds: number; readonly start: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = [fields[11], fields[12]].map(Number);
  return { cpuSeconds: (user + system) / ticksPerSecond, start: fields[19] ?? '' };
}
