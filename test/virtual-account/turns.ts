// Who may work at once at something, and who waits: in the order in which they came.

export class Turns {
  readonly #atOnce: number;
  readonly #working = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** `atOnce` for each thing that is worked at. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Works when it is its turn. */
  async take<T>(what: string, work: () => Promise<T>): Promise<T> {
    const working = this.#working.get(what) ?? 0;
    if (working < this.#atOnce) this.#working.set(what, working + 1);
    else await this.#queue(what);
    try {
      return await work();
    } finally {
      // The next one works in its place.
      const next = this.#waiting.get(what)?.shift();
      if (next) next();
      else this.#working.set(what, (this.#working.get(what) ?? 1) - 1);
    }
  }

  #queue(what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(what) ?? [];
    waiting.push(resolve);
    this.#waiting.set(what, waiting);
    return promise;
  }
}
