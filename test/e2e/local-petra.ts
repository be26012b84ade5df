// A local Petra as a process of its own, for tests that kill it. Talks to it over its HTTP API, as the CLI does.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { ClusterView, List, OperationAnswer, OperationView, Problem } from '../../core/api/contract.ts';
import { parseClusterSpec } from '../../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';

export const root = path.join(import.meta.dirname, '..', '..');

/** Fast enough that a test does not wait, slow enough that states are seen one after the other. */
const testSpeed = 600;

/** The user's own example, parsed. */
export function example(file: 'management.yaml' | 'workload-dev.yaml'): ClusterSpec {
  return parseClusterSpec(readFileSync(path.join(root, 'examples', file)), { file, expect: 'any' });
}

/** A folder for this test alone, and its removal. */
export async function temporaryFolder(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'petra-test-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const running = new Set<ChildProcess>();

/** Ends every server that a failed test left running; it would keep its ports from the next. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export class LocalPetra {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #token: string;
  readonly #log: () => string;

  private constructor(child: ChildProcess, url: string, token: string, log: () => string) {
    this.#child = child;
    this.#url = url;
    this.#token = token;
    this.#log = log;
  }

  /** Starts a server on a state folder. Rejects with its log when it ends instead of getting ready. */
  static async start(
    state: string,
    options: {
      readonly faults?: readonly string[];
      readonly speed?: number;
      readonly shortestLimit?: number;
      /** No file may grow beyond this: as a full disk refuses writes. */
      readonly fileLimitKiB?: number;
    } = {},
  ): Promise<LocalPetra> {
    const limit = options.fileLimitKiB === undefined ? 'unlimited' : String(options.fileLimitKiB);
    const child = spawn(
      'bash',
      [
        '-c',
        'ulimit -f "$0" && exec "$@"',
        limit,
        process.execPath,
        path.join(root, 'local', 'main.ts'),
        '--state',
        state,
        '--speed',
        String(options.speed ?? testSpeed),
        '--shortest-limit',
        String(options.shortestLimit ?? 60),
        ...(options.faults ?? []).flatMap((fault) => ['--fault', fault]),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    running.add(child);
    child.once('exit', () => running.delete(child));
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
    });
    const endpointFile = path.join(state, 'endpoint.json');
    for (let waited = 0; waited < 30_000; waited += 20) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${log}`);
      const endpoint = await readFile(endpointFile, 'utf8').then(parse, () => undefined);
      if (endpoint?.pid === child.pid) {
        const token = await readFile(path.join(state, 'token'), 'utf8');
        return new LocalPetra(child, endpoint.url, token, () => log);
      }
      await sleep(20);
    }
    child.kill('SIGKILL');
    throw new Error(`the server did not get ready: ${log}`);
  }

  /** One request; `body` makes it a POST unless a method is given. */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', route: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(`${this.#url}${route}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  init(spec = example('management.yaml')): Promise<Answer<OperationAnswer & Problem>> {
    return this.call('POST', '/management-clusters', { spec });
  }

  create(spec = example('workload-dev.yaml')): Promise<Answer<OperationAnswer & Problem>> {
    return this.call('POST', '/clusters', { spec });
  }

  delete(name = 'workload-dev'): Promise<Answer<OperationAnswer & Problem>> {
    return this.call('DELETE', `/clusters/${name}`);
  }

  destroy(name = 'petra-mgmt', { cascade = false } = {}): Promise<Answer<OperationAnswer & Problem>> {
    return this.call('DELETE', `/management-clusters/${name}?cascade=${cascade}`);
  }

  async clusters(): Promise<readonly ClusterView[]> {
    return (await this.call<List<ClusterView>>('GET', '/clusters')).body.items;
  }

  /** Waits until an operation has ended, however it did. */
  async ended(id: string, seconds = 60): Promise<OperationView> {
    for (let waited = 0; waited < seconds * 1000; waited += 50) {
      const { body } = await this.call<OperationView>('GET', `/operations/${id}`);
      if (body.status !== 'Running') return body;
      await sleep(50);
    }
    throw new Error(`operation ${id} did not end\n${this.#log()}`);
  }

  /** Begins an operation and waits for its end. @throws when it was refused */
  async finish(begin: Promise<Answer<OperationAnswer & Problem>>): Promise<OperationView> {
    const { status, body } = await begin;
    if (!body.operation) throw new Error(`nothing runs (${status}): ${JSON.stringify(body)}`);
    return this.ended(body.operation.id);
  }

  /** Resolves when the process has killed itself. */
  async crashed(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    if (this.#child.signalCode !== 'SIGKILL') throw new Error(`it ended without a kill: ${this.#log()}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.crashed();
  }

  /** Ends it as `petra local down` does. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  get log(): string {
    return this.#log();
  }
}
