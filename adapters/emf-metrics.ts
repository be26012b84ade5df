import type { Clock, Metrics } from '../core/ports.ts';

/**
 * Metrics as lines of a function's log, from which CloudWatch takes them (its embedded metric format): no call, no
 * permission, no wait. They are in the namespace `Petra`, counted, and without dimensions.
 */
export class EmfMetrics implements Metrics {
  readonly #write: (line: string) => void;
  readonly #clock: Clock;

  /** `write` puts a line into the log, exactly as it is: anything before or after it hides the metric. */
  constructor(write: (line: string) => void, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  record(values: Readonly<Record<string, number>>): void {
    // JSON has no other numbers, and one wrong value would void the whole line.
    const metrics = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    if (metrics.length === 0) return;
    const directive = {
      Namespace: 'Petra',
      Dimensions: [[]],
      Metrics: metrics.map(([Name]) => ({ Name, Unit: 'Count' })),
    };
    const metadata = { Timestamp: this.#clock.now().getTime(), CloudWatchMetrics: [directive] };
    try {
      this.#write(JSON.stringify({ ...Object.fromEntries(metrics), _aws: metadata }));
    } catch {
      // What is counted matters more than the count.
    }
  }
}
