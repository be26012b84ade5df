// One Pod of the stand-in kubelet: the container's program in a file system and, unless it is on the host's, a network of
// its own; started again when it ends, probed, its files kept up to date.

import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import type { ImageProgram } from './controller-images.ts';
import type { KubeletApi } from './kubelet-api.ts';
import type { PodAttachment, PodNetwork } from './pod-network.ts';
import { LivenessProbe, ReadinessProbe } from './pod-probes.ts';
import { type Container, commandOf, environmentOf, type PodTemplate, userOf } from './pod-template.ts';
import { PodVolumes } from './pod-volumes.ts';
import { type Processes, programPath, type RunningProcess } from './processes.ts';
import { RestartDelay } from './restart-delay.ts';
import { hasUsers } from './sandbox.ts';

const run = promisify(execFile);

/** Hosts outside of the cluster that Pods know, and whose certificates they trust. */
export interface Outside {
  readonly names: readonly string[];
  readonly address: string;
  /** PEM. */
  readonly authority: string;
}

export interface PodOptions {
  readonly api: KubeletApi;
  readonly processes: Processes;
  readonly network: PodNetwork;
  /** Where the file systems of Pods are. */
  readonly folder: string;
  readonly nodeAddress: string;
  readonly outside: Outside | undefined;
  readonly backOff?: { readonly firstSeconds: number; readonly longestSeconds: number };
  readonly eagerProbes: boolean;
  readonly say: (text: string) => void;
}

export interface PodDescription {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly template: PodTemplate;
  readonly container: Container;
  readonly program: ImageProgram;
}

interface Probes {
  readonly readiness: ReadinessProbe;
  readonly liveness: LivenessProbe;
}

const nodeName = 'stand-in-node';
const pauseMilliseconds = 200;
/** How often Secrets and tokens are looked at; the kubelet takes up to a minute. */
const refreshMilliseconds = 2_000;
const defaultGraceSeconds = 30;

export class Pod {
  readonly description: PodDescription;
  readonly #options: PodOptions;
  readonly #root: string;
  readonly #stopping = new AbortController();
  readonly #delay: RestartDelay;
  readonly #life: Promise<void>;
  #attachment: PodAttachment | undefined;
  #process: RunningProcess | undefined;
  #problem = '';
  /** How often its program was started again. */
  restarts = 0;
  isReady = false;

  constructor(description: PodDescription, options: PodOptions) {
    this.description = description;
    this.#options = options;
    this.#delay = new RestartDelay(options.backOff);
    const { namespace, name, uid } = description;
    this.#root = path.join(options.folder, `${namespace}_${name}_${uid.slice(0, 8)}`);
    this.#life = this.#live();
  }

  /** Undefined until it has one. */
  get address(): string | undefined {
    const isOnHost = this.description.template.spec.hostNetwork === true;
    return isOnHost ? this.#options.nodeAddress : this.#attachment?.address;
  }

  get pid(): number | undefined {
    return this.#process?.isRunning() ? this.#process.pid : undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#process?.stop();
    await this.#life;
    await this.#removeRoot();
    await this.#attachment?.detach();
  }

  async #live(): Promise<void> {
    const { namespace, template, container } = this.description;
    const { api } = this.#options;
    const serviceAccount = template.spec.serviceAccountName ?? 'default';
    const user = hasUsers() ? userOf(template.spec, container) : undefined;
    const volumes = new PodVolumes(api, this.#root, template.spec, container, {
      namespace,
      serviceAccount,
      user,
    });
    let isPrepared = false;
    while (!this.#stopping.signal.aborted) {
      let probes: Probes;
      try {
        if (!isPrepared) {
          await this.#prepare();
          await volumes.refresh();
          isPrepared = true;
        }
        probes = this.#probes();
        this.#process = this.#start(serviceAccount, user);
      } catch (error) {
        this.#waitBecause(error);
        await this.#pause(pauseMilliseconds);
        continue;
      }
      const startedAt = Date.now();
      await this.#accompany(this.#process, probes, volumes);
      const { code, signal } = await this.#process.ended;
      if (this.#stopping.signal.aborted) break;
      const seconds = (Date.now() - startedAt) / 1000;
      const delay = this.#delay.afterRunning(seconds);
      this.#say(`ended with ${signal ?? code} after ${seconds.toFixed(1)} s, starts again in ${delay} s`);
      await this.#pause(delay * 1000);
      this.restarts += 1;
    }
  }

  /** Safe to repeat. */
  async #prepare(): Promise<void> {
    const { template, program, container, name } = this.description;
    const [command = ''] = container.command ?? program.command;
    const binary = path.join(this.#root, command);
    if (!template.spec.hostNetwork) this.#attachment ??= await this.#options.network.attach();
    // What an earlier Pod of this Deployment left when it was not stopped.
    await this.#removeRoot();
    await mkdir(path.dirname(binary), { recursive: true });
    await mkdir(path.join(this.#root, 'etc'), { recursive: true });
    await writeFile(binary, '');
    await run('mount', ['--bind', program.binary, binary]);
    const { outside } = this.#options;
    const hosts = [
      '127.0.0.1 localhost',
      `${this.address ?? ''} ${name}`,
      ...(outside ? outside.names.map((host) => `${outside.address} ${host}`) : []),
    ];
    await writeFile(path.join(this.#root, 'etc/hosts'), `${hosts.join('\n')}\n`);
    if (outside) await this.#trust(outside.authority);
    await mkdir(path.join(this.#root, 'tmp'), { recursive: true, mode: 0o1777 });
    const home = path.join(this.#root, 'home/nonroot');
    await mkdir(home, { recursive: true });
    const { user, group } = userOf(template.spec, container);
    if (hasUsers())
      for (const folder of [home, path.join(this.#root, 'tmp')]) await chown(folder, user, group);
  }

  /** Where images have the authorities that everybody trusts. */
  async #trust(authority: string): Promise<void> {
    const folder = path.join(this.#root, 'etc/ssl/certs');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'ca-certificates.crt'), authority);
  }

  async #removeRoot(): Promise<void> {
    const { program, container } = this.description;
    const [command = ''] = container.command ?? program.command;
    await run('umount', [path.join(this.#root, command)]).catch(() => {});
    await rm(this.#root, { recursive: true, force: true });
  }

  #start(serviceAccount: string, user: ReturnType<typeof userOf> | undefined): RunningProcess {
    const { namespace, name, uid, template, container, program } = this.description;
    const { api, processes, nodeAddress } = this.#options;
    const identity = {
      namespace,
      name,
      uid,
      serviceAccount,
      nodeName,
      nodeAddress,
      address: this.address ?? '',
    };
    const environment = environmentOf(container, identity, {
      PATH: programPath,
      HOME: '/home/nonroot',
      HOSTNAME: name,
      // A cluster has a Service there; here it is the API server itself.
      KUBERNETES_SERVICE_HOST: api.host,
      KUBERNETES_SERVICE_PORT: api.port,
    });
    const chroot = [
      'chroot',
      ...(user ? [`--userspec=${user.user}:${user.group}`, `--groups=${user.group}`] : []),
      this.#root,
    ];
    const words = [
      ...(this.#attachment?.enter ?? []),
      ...chroot,
      ...commandOf(container, program.command, environment),
    ];
    const [command = '', ...args] = words;
    const started = processes.start(`${namespace}-${name}`, command, args, {
      env: environment,
      patienceMilliseconds: (template.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1000,
    });
    this.#problem = '';
    this.#say(`runs as ${namespace}/${serviceAccount}, pid ${started.pid}, restarts: ${this.restarts}`);
    return started;
  }

  #probes(): Probes {
    const { template, container } = this.description;
    const target = { host: this.address ?? '', containers: template.spec.containers };
    return {
      readiness: new ReadinessProbe(container.readinessProbe, target, this.#options.eagerProbes),
      liveness: new LivenessProbe(container.livenessProbe, target),
    };
  }

  /** Probes the program and keeps its files as long as it runs. */
  async #accompany(
    running: RunningProcess,
    { readiness, liveness }: Probes,
    volumes: PodVolumes,
  ): Promise<void> {
    let refreshAt = Date.now() + refreshMilliseconds;
    const ended = running.ended.then(() => 'ended' as const);
    while (running.isRunning() && !this.#stopping.signal.aborted) {
      this.#tellReadiness((await readiness.isReady()) && running.isRunning());
      if (await liveness.isDead()) {
        this.#say('fails its liveness probe');
        void running.stop();
      }
      if (Date.now() > refreshAt) {
        // Files stay as they are while the API is away.
        await volumes.refresh().catch(() => {});
        refreshAt = Date.now() + refreshMilliseconds;
      }
      await Promise.race([ended, this.#pause(pauseMilliseconds)]);
    }
    this.#tellReadiness(false);
  }

  #tellReadiness(isReady: boolean): void {
    if (isReady !== this.isReady) this.#say(isReady ? 'is ready' : 'is not ready');
    this.isReady = isReady;
  }

  #waitBecause(error: unknown): void {
    const problem = messageOf(error);
    if (problem !== this.#problem) this.#say(`waits: ${problem}`);
    this.#problem = problem;
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #say(text: string): void {
    this.#options.say(`${this.description.namespace}/${this.description.name} ${text}`);
  }
}
