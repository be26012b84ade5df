// The workflows of a whole Petra, which can be ended at a point as a kill would end them, and opened again on the same
// ports. The kill of a whole process is in test/e2e; this one takes milliseconds.

import { setImmediate } from 'node:timers/promises';
import type { Ports } from '../../core/petra.ts';
import type { Workflows } from '../../core/ports.ts';
import type { Disk } from '../../local/disk.ts';
import { type Fault, Faults } from '../../local/faults.ts';
import type { Log } from '../../local/log.ts';
import type { Pace } from '../../local/pace.ts';
import { LocalWorkflows } from '../../local/workflows.ts';

/** `before` the state's work, or `after` it, when its answer is lost. */
export type When = 'before' | 'after';

interface Point {
  /** For example `init.LaunchServers`. */
  readonly state: string;
  readonly when: When;
  readonly reached: () => Promise<void>;
}

/** Faults whose crash is of the workflows alone. */
class CrashPoint extends Faults {
  readonly points = new Set<Point>();

  override async takeCrash(state: string, when: When): Promise<boolean> {
    for (const point of this.points) {
      if (point.state !== state || point.when !== when) continue;
      this.points.delete(point);
      await point.reached();
    }
    return false;
  }
}

export class InterruptibleWorkflows implements Workflows {
  readonly #parts: { readonly pace: Pace; readonly log: Log };
  readonly #crash: CrashPoint;
  #ports: Ports | undefined;
  #current: LocalWorkflows;

  constructor(parts: {
    readonly disk: Disk;
    readonly faults: readonly Fault[];
    readonly pace: Pace;
    readonly log: Log;
  }) {
    this.#parts = parts;
    this.#crash = new CrashPoint(parts.disk, parts.faults);
    this.#current = this.#open();
  }

  connect(ports: Ports): void {
    this.#ports = ports;
    this.#current.connect(ports);
  }

  start(execution: Parameters<Workflows['start']>[0]): Promise<void> {
    return this.#current.start(execution);
  }

  state(operation: Parameters<Workflows['state']>[0]): ReturnType<Workflows['state']> {
    return this.#current.state(operation);
  }

  settled(id: string): Promise<void> {
    return this.#current.settled(id);
  }

  stop(): Promise<void> {
    return this.#current.stop();
  }

  /** The next time this point is reached, the workflows end there; resolves when they have ended. */
  interruptAt(state: string, when: When): Promise<void> {
    return new Promise((ended, failed) => {
      this.#crash.points.add({
        state,
        when,
        // Never resolves: what comes after the point is not reached any more.
        reached: async () => {
          // The first state of an execution is reached while it is still being started.
          await setImmediate();
          this.#current.stop().then(ended, failed);
          return new Promise(() => {});
        },
      });
    });
  }

  /** The next time this point is reached, the workflow waits there until what `meanwhile` does is over. */
  pauseAt(state: string, when: When, meanwhile: () => Promise<void>): Promise<void> {
    return new Promise((over, failed) => {
      const reached = () => {
        const done = meanwhile();
        done.then(over, failed);
        return done;
      };
      this.#crash.points.add({ state, when, reached });
    });
  }

  /** Opens them again, as a process that is started again does; without `resume` nothing goes on by itself. */
  async restart({ resume = true } = {}): Promise<void> {
    await this.#current.stop();
    this.#current = this.#open();
    if (resume) await this.#current.resume();
  }

  #open(): LocalWorkflows {
    const workflows = new LocalWorkflows({ ...this.#parts, faults: this.#crash });
    if (this.#ports) workflows.connect(this.#ports);
    return workflows;
  }
}
