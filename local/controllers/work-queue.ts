/** What a reconciliation wants next: nothing until something changes, or another look after some time. */
export type Again = number | undefined;

interface Options {
  /** Works on one key; resolves with the real milliseconds after which to look again, if at all. */
  readonly work: (key: string) => Promise<Again>;
  /** Called when work failed, before it is tried again. */
  readonly onError: (key: string, error: unknown, attempt: number) => void;
}

/** How many keys of one queue are worked on at a time: the default of Cluster API's controllers. */
const concurrency = 10;
const firstRetryMilliseconds = 20;
const longestRetryMilliseconds = 10_000;

/**
 * A level-triggered work queue: a key is worked on by one worker at a time; being added while waiting is one run,
 * being added while running is one more run. Failed work is tried again with back-off. No key is polled.
 */
export class WorkQueue {
  readonly #options: Options;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#clearTimer(key);
    this.#waiting.add(key);
    this.#start();
  }

  /** Lets running work end, and starts none any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    for (const key of [...this.#timers.keys()]) this.#clearTimer(key);
    await Promise.all(this.#running.values());
  }

  #start(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= concurrency) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key));
    }
  }

  async #run(key: string): Promise<void> {
    // Leaves the caller's stack first: it may be the store, in the middle of telling everyone about a change.
    await Promise.resolve();
    // What was added since is covered by this run, which reads everything anew.
    this.#waiting.delete(key);
    let again: Again;
    try {
      again = await this.#options.work(key);
      this.#failures.delete(key);
    } catch (error) {
      const attempt = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, attempt);
      again = Math.min(firstRetryMilliseconds * 2 ** (attempt - 1), longestRetryMilliseconds);
      if (!this.#stopped) this.#options.onError(key, error, attempt);
    }
    this.#running.delete(key);
    if (this.#stopped) return;
    if (again !== undefined && !this.#waiting.has(key)) this.#later(key, again);
    this.#start();
  }

  #later(key: string, milliseconds: number): void {
    this.#clearTimer(key);
    const timer = setTimeout(() => this.add(key), Math.ceil(milliseconds));
    this.#timers.set(key, timer);
  }

  #clearTimer(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}
