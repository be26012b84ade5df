// Probes of a container, with the numbers and the defaults of its Pod's specification.

import { connect } from 'node:net';
import { type Container, type Probe, portOf } from './pod-template.ts';

export interface ProbeTarget {
  readonly host: string;
  readonly containers: readonly Container[];
}

class Attempts {
  readonly #probe: Probe;
  readonly #target: ProbeTarget;
  #nextAt: number;
  failures = 0;
  hasSucceeded = false;

  /** @throws for a probe that is not played here */
  constructor(probe: Probe, target: ProbeTarget, initialDelaySeconds: number) {
    const isPlayed = probe.tcpSocket ?? (probe.httpGet && (probe.httpGet.scheme ?? 'HTTP') === 'HTTP');
    if (!isPlayed) throw new Error(`the stand-in kubelet does not play the probe ${JSON.stringify(probe)}`);
    this.#probe = probe;
    this.#target = target;
    this.#nextAt = Date.now() + initialDelaySeconds * 1000;
  }

  /** Probes when it is time; an eager one does not wait before its first success. */
  async attempt(periodSeconds: number, isEager = false): Promise<void> {
    if (Date.now() < this.#nextAt) return;
    const isGood = await attempt(this.#probe, this.#target);
    this.failures = isGood ? 0 : this.failures + 1;
    this.hasSucceeded ||= isGood;
    this.#nextAt = isEager && !this.hasSucceeded ? 0 : Date.now() + periodSeconds * 1000;
  }
}

export class ReadinessProbe {
  readonly #attempts: Attempts | undefined;
  readonly #isEager: boolean;
  readonly #periodSeconds: number;
  readonly #failureThreshold: number;
  #isReady = false;

  /** An eager one probes at once and all the time until the first success. Without a probe a container is ready when it runs. */
  constructor(probe: Probe | undefined, target: ProbeTarget, isEager: boolean) {
    const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe ?? {};
    this.#attempts = probe && new Attempts(probe, target, isEager ? 0 : initialDelaySeconds);
    this.#isEager = isEager;
    this.#periodSeconds = periodSeconds;
    this.#failureThreshold = failureThreshold;
  }

  async isReady(): Promise<boolean> {
    const attempts = this.#attempts;
    if (!attempts) return true;
    await attempts.attempt(this.#periodSeconds, this.#isEager);
    if (attempts.hasSucceeded && attempts.failures === 0) this.#isReady = true;
    if (attempts.failures >= this.#failureThreshold) this.#isReady = false;
    return this.#isReady;
  }
}

export class LivenessProbe {
  readonly #attempts: Attempts | undefined;
  readonly #periodSeconds: number;
  readonly #failureThreshold: number;

  constructor(probe: Probe | undefined, target: ProbeTarget) {
    const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe ?? {};
    this.#attempts = probe && new Attempts(probe, target, initialDelaySeconds);
    this.#periodSeconds = periodSeconds;
    this.#failureThreshold = failureThreshold;
  }

  /** Whether it has failed as often as makes the kubelet start the container again. */
  async isDead(): Promise<boolean> {
    await this.#attempts?.attempt(this.#periodSeconds);
    return (this.#attempts?.failures ?? 0) >= this.#failureThreshold;
  }
}

async function attempt(probe: Probe, { host, containers }: ProbeTarget): Promise<boolean> {
  const timeoutMilliseconds = (probe.timeoutSeconds ?? 1) * 1000;
  const port = portOf(containers, (probe.httpGet ?? probe.tcpSocket)?.port);
  if (port === undefined) return false;
  if (!probe.httpGet) return accepts(host, port, timeoutMilliseconds);
  const { path = '/' } = probe.httpGet;
  try {
    const answer = await fetch(`http://${host}:${port}${path}`, {
      signal: AbortSignal.timeout(timeoutMilliseconds),
      redirect: 'manual',
      headers: { connection: 'close' },
    });
    await answer.arrayBuffer();
    return answer.status >= 200 && answer.status < 400;
  } catch {
    return false;
  }
}

function accepts(host: string, port: number, timeoutMilliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMilliseconds });
    const end = (isGood: boolean) => {
      socket.destroy();
      resolve(isGood);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}
