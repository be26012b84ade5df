// A Petra API that plays scripts: the routes of contract.ts over HTTP, with clusters and operations that do what a
// test tells them. It decides nothing by itself, unlike a real Petra.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  ClusterView,
  ObjectTree,
  OperationAnswer,
  OperationView,
  PlannedStep,
  PreflightAnswer,
  Problem,
} from '../../core/api/contract.ts';
import { toProblem } from '../../core/api/problem.ts';
import { type ErrorCode, type ErrorDetails, PetraError } from '../../core/errors.ts';
import type { Failure, LedgerEvent, ResidueLine, Verb } from '../../core/fleet.ts';
import type { SignedRequest } from '../aws-signature.ts';

export const stubToken = 'stub-token';

const start = Date.parse('2026-11-20T10:00:00Z');

/** The time so many seconds after the stub's beginning. */
export function at(seconds: number): string {
  return new Date(start + seconds * 1000).toISOString();
}

export const plannedSteps: readonly PlannedStep[] = [
  { name: 'Preflight', title: 'check names, versions and quotas', phase: 'preflight' },
  { name: 'LaunchControlPlane', title: 'launch the control plane', phase: 'machines' },
  { name: 'WaitForNodes', title: 'wait for the nodes', phase: 'machines' },
  { name: 'RecordReady', title: 'record that it is ready', phase: 'record' },
];

/** A ready workload cluster, changed as a test needs. */
export function stubCluster(change: Partial<ClusterView> = {}): ClusterView {
  return {
    name: 'workload-dev',
    uid: '1a2b3c4d-0000-4000-8000-000000000000',
    kind: 'workload',
    management: 'petra-mgmt',
    phase: 'Ready',
    region: 'us-west-1',
    version: 'v1.35.3+k3s1',
    controlPlaneCount: 1,
    workerCount: 2,
    deletionProtection: false,
    operation: { id: 'create-workload-dev-1a2b3c4d-1', verb: 'create', attempt: 1, options: {} },
    observed: {
      phase: 'Provisioned',
      controlPlaneReadyReplicas: 1,
      workerReadyReplicas: 2,
      endpoint: 'https://10.0.0.1:6443',
      observedAt: at(600),
    },
    createdAt: at(0),
    updatedAt: at(600),
    readyAt: at(600),
    ...change,
  };
}

/** An operation with this many of its steps done, each of which took ten seconds. */
export function stubOperation(change: Partial<OperationView> = {}, done = 0): OperationView {
  const verb: Verb = change.verb ?? 'create';
  const cluster = change.cluster ?? 'workload-dev';
  const isEnded = done >= plannedSteps.length;
  return {
    id: `${verb}-${cluster}-1a2b3c4d-${change.attempt ?? 1}`,
    verb,
    cluster,
    uid: '1a2b3c4d-0000-4000-8000-000000000000',
    attempt: 1,
    fence: 1,
    specHash: 'hash',
    caller: 'local:tester',
    status: isEnded ? 'Succeeded' : 'Running',
    options: {},
    startedAt: at(0),
    ...(isEnded ? { endedAt: at(done * 10) } : {}),
    steps: plannedSteps.slice(0, done + 1).map((step, index) => ({
      name: step.name,
      status: index < done ? 'Succeeded' : 'Running',
      startedAt: at(index * 10),
      ...(index < done ? { endedAt: at(index * 10 + 10) } : {}),
      runs: 1,
      ...(step.name === 'WaitForNodes' ? { message: '1 of 3 nodes are ready' } : {}),
    })),
    warnings: [],
    plannedSteps,
    ...change,
  };
}

/** What became of a started operation, look by look: each GET gives the next view, the last one stays. */
export type Script = readonly OperationView[];

/** From start to success, one step a look. */
export function successScript(change: Partial<OperationView> = {}): Script {
  return [0, 1, 2, 3, 4].map((done) => stubOperation(change, done));
}

/** Fails in the second step. */
export function failureScript(changes: Partial<Failure> = {}): Script {
  const running = stubOperation({}, 1);
  const failure: Failure = {
    code: 'BootTimedOut',
    message: 'server-0 did not bring up its API within 15m',
    fix: 'Read the console output, then repeat the command.',
    retryable: true,
    source: 'aws',
    step: 'LaunchControlPlane',
    evidence: ['console: k3s.service: Failed'],
    causes: ['connect ECONNREFUSED 10.0.0.1:6443'],
    ...changes,
  };
  return [
    running,
    stubOperation({
      status: 'Failed',
      endedAt: at(40),
      steps: running.steps.map((step) =>
        step.name === 'LaunchControlPlane' ? { ...step, status: 'Failed', endedAt: at(40), failure } : step,
      ),
      failure,
    }),
  ];
}

/** Nothing left of three kinds of things. */
export const cleanResidue: readonly ResidueLine[] = [
  { type: 'EC2 instances', searched: 'tag petra.sh/uid=1a2b3c4d', found: [] },
  { type: 'secrets', searched: 'prefix petra/1a2b3c4d', found: [] },
];

export const stubKubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: workload-dev
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority-data: Q0E=
contexts:
- name: admin@workload-dev
  context:
    cluster: workload-dev
    user: admin
users:
- name: admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
current-context: admin@workload-dev
`;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function problem(code: ErrorCode, message: string, details: ErrorDetails = {}): Answer {
  const body: Problem = toProblem(new PetraError(code, message, details));
  return { status: body.status, body };
}

export class StubApi {
  readonly clusters = new Map<string, ClusterView>();
  readonly kubeconfigs = new Map<string, string>();
  readonly trees = new Map<string, ObjectTree>();
  readonly scripts = new Map<string, Script>();
  events: readonly LedgerEvent[] = [];
  pageSize = 100;
  /** What the next POST or DELETE answers. */
  reply: OperationAnswer | undefined;
  /** What stands before the API instead of its token, as API Gateway does: answers what it does not let through. */
  gate: ((request: SignedRequest) => Answer | undefined) | undefined;
  /** What a preflight answers. */
  preflight: PreflightAnswer = {
    findings: [],
    plan: { zones: [], items: [], unchecked: [] },
    checkedAt: at(0),
    durationMs: 1234,
  };
  readonly seen: Seen[] = [];
  readonly #refusals = new Map<string, Answer>();
  readonly #looks = new Map<string, number>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What commands need to find this stub and no other Petra. */
  get env(): Record<string, string> {
    return { PETRA_ENDPOINT: this.url, PETRA_TOKEN: stubToken };
  }

  /** The requests that would have changed something. */
  get writes(): readonly Seen[] {
    return this.seen.filter((request) => request.method !== 'GET');
  }

  /** Listens; after a close, on the same port again. */
  async open(): Promise<this> {
    const server = createServer((request, response) => void this.#respond(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    const address: AddressInfo | string | null = server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
    return this;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }

  /** Requests of this method and path are refused from now on. */
  refuse(route: string, code: ErrorCode, message: string, details: ErrorDetails = {}): this {
    this.#refusals.set(route, problem(code, message, details));
    return this;
  }

  /** The answer to the next POST or DELETE, and what its operation does afterwards. */
  accept(outcome: OperationAnswer['outcome'], script: Script, cluster = stubCluster()): this {
    const [operation] = script;
    this.reply = { outcome, cluster, ...(operation ? { operation } : {}), warnings: [] };
    if (operation) this.scripts.set(operation.id, script);
    this.clusters.set(cluster.name, cluster);
    return this;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString('utf8');
    const method = request.method ?? '';
    const url = new URL(request.url ?? '/', 'http://stub');
    this.seen.push({
      method,
      path: `${url.pathname}${url.search}`,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const turnedAway = this.gate
      ? this.gate({
          method,
          path: url.pathname,
          query: url.search.slice(1),
          headers: request.headers,
          body: text,
        })
      : request.headers.authorization !== `Bearer ${stubToken}` &&
        problem('Unauthorized', 'the token is missing or wrong');
    const answer =
      turnedAway || (this.#refusals.get(`${method} ${url.pathname}`) ?? this.#answer(method, url));
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  #answer(method: string, url: URL): Answer {
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const [collection, name = '', part] = parts;
    if (method === 'GET' && collection === 'health')
      return ok({ status: 'ok', version: '0.1.0', mode: 'local' });
    if (method === 'GET' && collection === 'operations') {
      return name === '' ? this.#page(url, this.#operations()) : this.#operation(name);
    }
    if (method === 'GET' && collection === 'clusters' && name === '') return this.#list(url);
    if (method === 'POST' && collection === 'preflights') return ok(this.preflight);
    if (method === 'POST' || (method === 'DELETE' && part === undefined)) return this.#accepted(method, name);
    if (method === 'GET' && part === 'events') return this.#eventPage(url);
    const cluster = this.clusters.get(name);
    if (!cluster) return problem('ClusterNotFound', `there is no cluster "${name}"`);
    if (method === 'DELETE') {
      return ok({ cluster: { ...cluster, lock: undefined }, abandoned: cluster.lock?.operationId ?? '' });
    }
    if (part === 'kubeconfig')
      return ok({ cluster: name, kubeconfig: this.kubeconfigs.get(name) ?? stubKubeconfig });
    if (part === 'objects') return ok(this.trees.get(name) ?? { cluster, causes: [] });
    return ok(cluster);
  }

  #accepted(method: string, name: string): Answer {
    if (this.reply) return { status: this.reply.operation ? 202 : 200, body: this.reply };
    return method === 'DELETE'
      ? problem('ClusterNotFound', `there is no cluster "${name}"`)
      : problem('InternalError', 'the test gave no answer');
  }

  #operations(): OperationView[] {
    return [...this.scripts.values()].flatMap((script) => script.slice(-1));
  }

  #operation(id: string): Answer {
    const script = this.scripts.get(id);
    const look = this.#looks.get(id) ?? 0;
    this.#looks.set(id, look + 1);
    const view = script?.[Math.min(look, script.length - 1)];
    return view ? ok(view) : problem('OperationNotFound', `there is no operation "${id}"`);
  }

  #list(url: URL): Answer {
    const kind = url.searchParams.get('kind');
    const management = url.searchParams.get('management');
    const clusters = [...this.clusters.values()].filter(
      (cluster) =>
        (kind === null || cluster.kind === kind) &&
        (management === null || cluster.management === management),
    );
    return this.#page(url, clusters);
  }

  #page(url: URL, all: readonly unknown[]): Answer {
    const limit = Math.min(Number(url.searchParams.get('limit') ?? this.pageSize), this.pageSize);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const next = from + limit < all.length ? { next: String(from + limit) } : {};
    return ok({ items: all.slice(from, from + limit), ...next });
  }

  #eventPage(url: URL): Answer {
    const after = url.searchParams.get('after');
    const rest =
      after === null ? this.events : this.events.filter((event) => `${event.at}#${event.seq}` > after);
    const items = rest.slice(0, this.pageSize);
    const last = items.at(-1);
    return ok({ items, ...(rest.length > items.length && last ? { next: `${last.at}#${last.seq}` } : {}) });
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
