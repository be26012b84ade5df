/** Numbers of the kubelet: pkg/kubelet/kubelet.go, `containerBackOffPeriod` and `MaxContainerBackOff`. */
export const kubeletBackOff = { firstSeconds: 10, longestSeconds: 300 };

/**
 * How long a container that ended waits for its restart: not at all after the first end, then the first delay, doubled
 * each time. One that ran for twice the longest delay begins anew (client-go, util/flowcontrol/backoff.go).
 */
export class RestartDelay {
  readonly #firstSeconds: number;
  readonly #longestSeconds: number;
  #nextSeconds = 0;

  constructor({ firstSeconds, longestSeconds } = kubeletBackOff) {
    this.#firstSeconds = firstSeconds;
    this.#longestSeconds = longestSeconds;
  }

  /** The delay after an end, by how long the container had run. */
  afterRunning(seconds: number): number {
    if (seconds > 2 * this.#longestSeconds) this.#nextSeconds = 0;
    const delay = this.#nextSeconds;
    this.#nextSeconds = Math.min(delay === 0 ? this.#firstSeconds : 2 * delay, this.#longestSeconds);
    return delay;
  }
}
