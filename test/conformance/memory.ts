// How much memory a run takes: of all processes in the sandbox, since no other can be seen in there.

import { readdirSync, readFileSync } from 'node:fs';

const everyMilliseconds = 2_000;

export class MemoryWatch {
  /** In bytes: the most that all processes together had at once that is theirs alone, programs' own text aside. */
  peak = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.peak = Math.max(this.peak, anonymousMemory());
    }, everyMilliseconds);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function anonymousMemory(): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => sum + ofProcess(pid), 0);
}

function ofProcess(pid: string): number {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}
