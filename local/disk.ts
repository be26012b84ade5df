// What the simulated cloud and the simulated Kubernetes clusters remember. The only importer of classic-level.

import { ClassicLevel } from 'classic-level';
import { messageOf, PetraError } from '../core/errors.ts';

type Change =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

interface Waiting {
  readonly change: Change;
  resolve(): void;
  reject(error: PetraError): void;
}

/** A named set of JSON values: read from memory, written through to disk. */
export interface Collection<T> {
  get(key: string): T | undefined;
  /** In the order of the keys' first writing (after a restart: in key order). */
  entries(): IterableIterator<[string, T]>;
  /** Resolves when the value would survive the process being killed. */
  put(key: string, value: T): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A folder of collections. One process at a time may have it open. */
export class Disk {
  readonly #level: ClassicLevel<string, unknown> | undefined;
  readonly #collections = new Map<string, Map<string, unknown>>();
  /** Changes that wait for the write under way. */
  readonly #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Whether the last write failed, and the log may end in half a record. */
  #torn = false;

  private constructor(level?: ClassicLevel<string, unknown>) {
    this.#level = level;
  }

  /** Opens or makes the folder. Rejects when another process has it open, or it cannot be written. */
  static async open(folder: string): Promise<Disk> {
    const level = new ClassicLevel<string, unknown>(folder, { valueEncoding: 'json' });
    await level.open();
    const disk = new Disk(level);
    for await (const [key, value] of level.iterator()) {
      const separator = key.indexOf('\u0000');
      disk.#memory(key.slice(0, separator)).set(key.slice(separator + 1), value);
    }
    return disk;
  }

  /** A disk that forgets, for tests. */
  static inMemory(): Disk {
    return new Disk();
  }

  /**
   * The collection of this name. The caller vouches for the type: one name, one type. A write that the disk refuses
   * (full, read-only) rejects with StorageUnavailable and has not happened.
   */
  collection<T>(name: string): Collection<T> {
    const memory = this.#memory(name) as Map<string, T>;
    return {
      get: (key) => memory.get(key),
      entries: () => memory.entries(),
      put: async (key, value) => {
        const before = memory.get(key);
        const known = memory.has(key);
        memory.set(key, value);
        try {
          await this.#write({ type: 'put', key: `${name}\u0000${key}`, value });
        } catch (error) {
          if (memory.get(key) === value) {
            if (known) memory.set(key, before as T);
            else memory.delete(key);
          }
          throw error;
        }
      },
      delete: async (key) => {
        const before = memory.get(key);
        const known = memory.delete(key);
        try {
          await this.#write({ type: 'del', key: `${name}\u0000${key}` });
        } catch (error) {
          if (known && !memory.has(key)) memory.set(key, before as T);
          throw error;
        }
      },
    };
  }

  /** Names of the collections that were ever written to or asked for. */
  names(): readonly string[] {
    return [...this.#collections.keys()];
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#level?.close();
  }

  /** Resolves when the change would survive the process being killed. */
  #write(change: Change): Promise<void> {
    if (!this.#level) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ change, resolve, reject });
    this.#writing ??= this.#writeAll(this.#level);
    return promise;
  }

  /**
   * One group after the other, each as one write. LevelDB does not keep the order of writes that are under way at the
   * same time: a value could come back after its deletion.
   */
  async #writeAll(level: ClassicLevel<string, unknown>): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0);
      try {
        if (this.#torn) {
          await level.close();
          await level.open();
          this.#torn = false;
        }
        await level.batch(group.map(({ change }) => change));
        for (const { resolve } of group) resolve();
      } catch (error) {
        // What was cut off in the log would hide what is appended behind it. Opening again starts a new log.
        this.#torn = true;
        const reason = messageOf(error);
        const refusal = new PetraError(
          'StorageUnavailable',
          `the state folder cannot be written: ${reason}`,
          {
            cause: error,
          },
        );
        // The last first: each takes its own change back, and finds the one before it.
        for (const { reject } of group.reverse()) reject(refusal);
      }
    }
    // At once, so that no change is queued in between and then waits for nobody.
    this.#writing = undefined;
  }

  #memory(name: string): Map<string, unknown> {
    let memory = this.#collections.get(name);
    if (!memory) {
      memory = new Map();
      this.#collections.set(name, memory);
    }
    return memory;
  }
}
