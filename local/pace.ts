import { setTimeout as sleep } from 'node:timers/promises';

/** How fast simulated time passes. Every duration of the simulation goes through here. */
export class Pace {
  /** Simulated seconds per real second. */
  readonly speed: number;

  constructor(speed: number) {
    this.speed = speed;
  }

  /** Real milliseconds that `simulatedSeconds` take. */
  milliseconds(simulatedSeconds: number): number {
    return (simulatedSeconds * 1000) / this.speed;
  }

  /** Rejects with an AbortError when `signal` fires first. */
  async wait(simulatedSeconds: number, signal?: AbortSignal): Promise<void> {
    await sleep(this.milliseconds(simulatedSeconds), undefined, signal ? { signal } : {});
  }
}
