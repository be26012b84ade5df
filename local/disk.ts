// What the simulated cloud and the simulated Kubernetes clusters remember. The only importer of classic-level.

import { ClassicLevel } from 'classic-level';

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

  /** The collection of this name. The caller vouches for the type: one name, one type. */
  collection<T>(name: string): Collection<T> {
    const memory = this.#memory(name) as Map<string, T>;
    return {
      get: (key) => memory.get(key),
      entries: () => memory.entries(),
      put: async (key, value) => {
        memory.set(key, value);
        await this.#level?.put(`${name}\u0000${key}`, value);
      },
      delete: async (key) => {
        memory.delete(key);
        await this.#level?.del(`${name}\u0000${key}`);
      },
    };
  }

  /** Names of the collections that were ever written to or asked for. */
  names(): readonly string[] {
    return [...this.#collections.keys()];
  }

  async close(): Promise<void> {
    await this.#level?.close();
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
