import type { IncomingMessage, RequestOptions } from 'node:http';
import type {
  ClusterView,
  Health,
  KubeconfigAnswer,
  List,
  ObjectTree,
  OperationAnswer,
  OperationView,
  UnlockAnswer,
} from '../core/api/contract.ts';
import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { PetraError } from '../core/errors.ts';
import type { ClusterKind, LedgerEvent } from '../core/fleet.ts';
import { problemToError } from './problem.ts';

/** Where a Petra answers, and what it asks of callers. */
export interface Connection {
  readonly url: string;
  /** Bearer token. A Petra on AWS will want signed requests instead: they belong beside this, in `headers()`. */
  readonly token?: string;
}

/** How to find the Petra to talk to. */
export interface Endpoint {
  /** Called before the first request and again after each failure to connect: a restarted local Petra has a new port. */
  locate(): Connection;
  /** Called once when the first request finds nobody, for example to start a local Petra. */
  revive?(): Promise<void>;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The API refuses larger pages. */
const largestPage = 100;

/** A single answer may take this long: the API only ever starts work, it does not wait for it. */
const answerLimitMilliseconds = 30_000;

/** The HTTP API as functions. Failures are PetraErrors: the server's own, or `PetraUnreachable`. */
export class ApiClient {
  readonly #endpoint: Endpoint;
  #connection: Connection | undefined;
  #reached = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** The address in use, for messages. */
  get url(): string {
    this.#connection ??= this.#endpoint.locate();
    return this.#connection.url;
  }

  /** Whether the next command starts this Petra when it does not run, which this one does not do a second time. */
  get isStartedByCommands(): boolean {
    return this.#endpoint.revive !== undefined;
  }

  health(): Promise<Health> {
    return this.#call('GET', '/health');
  }

  init(spec: ClusterSpec): Promise<OperationAnswer> {
    return this.#call('POST', '/management-clusters', {}, { spec });
  }

  create(spec: ClusterSpec, management?: string): Promise<OperationAnswer> {
    return this.#call('POST', '/clusters', {}, { spec, ...(management === undefined ? {} : { management }) });
  }

  delete(name: string): Promise<OperationAnswer> {
    return this.#call('DELETE', `/clusters/${encodeURIComponent(name)}`);
  }

  destroy(name: string, cascade: boolean): Promise<OperationAnswer> {
    return this.#call('DELETE', `/management-clusters/${encodeURIComponent(name)}`, {
      cascade: cascade || undefined,
    });
  }

  /** Every cluster, whatever number of pages the API needs; at most `most` when it is given. */
  clusters(query: { kind?: ClusterKind; management?: string; most?: number } = {}): Promise<ClusterView[]> {
    return this.#pages('/clusters', { kind: query.kind, management: query.management }, query.most);
  }

  cluster(name: string): Promise<ClusterView> {
    return this.#call('GET', `/clusters/${encodeURIComponent(name)}`);
  }

  kubeconfig(name: string): Promise<KubeconfigAnswer> {
    return this.#call('GET', `/clusters/${encodeURIComponent(name)}/kubeconfig`);
  }

  objects(name: string): Promise<ObjectTree> {
    return this.#call('GET', `/clusters/${encodeURIComponent(name)}/objects`);
  }

  /** One page of a cluster's ledger, from after an event's `<at>#<seq>` on. */
  events(name: string, query: { after?: string; limit?: number } = {}): Promise<List<LedgerEvent>> {
    return this.#call('GET', `/clusters/${encodeURIComponent(name)}/events`, query);
  }

  unlock(name: string): Promise<UnlockAnswer> {
    return this.#call('DELETE', `/clusters/${encodeURIComponent(name)}/lock`);
  }

  operations(query: { cluster?: string; most?: number } = {}): Promise<OperationView[]> {
    return this.#pages('/operations', { cluster: query.cluster }, query.most);
  }

  operation(id: string): Promise<OperationView> {
    return this.#call('GET', `/operations/${encodeURIComponent(id)}`);
  }

  async #pages<T>(path: string, query: Query, most = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const limit = Number.isFinite(most) ? Math.min(most - items.length, largestPage) : undefined;
      const page: List<T> = await this.#call('GET', path, { ...query, limit, cursor });
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined && items.length < most);
    return items.slice(0, most);
  }

  async #call<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const answer = await this.#reach(method, path, query, body);
    if (answer.status >= 400) throw problemToError(answer.status, answer.body, this.url);
    try {
      return JSON.parse(answer.body);
    } catch (cause) {
      throw new PetraError(
        'PetraUnreachable',
        `${this.url} answered, but not as a Petra does (${answer.type})`,
        {
          cause,
        },
      );
    }
  }

  async #reach(method: string, path: string, query: Query, body: unknown): Promise<Answer> {
    try {
      const answer = await this.#send(method, path, query, body);
      this.#reached = true;
      return answer;
    } catch (error) {
      this.#connection = undefined;
      if (this.#reached || this.#endpoint.revive === undefined) throw error;
      this.#reached = true;
      await this.#endpoint.revive();
      return await this.#send(method, path, query, body);
    }
  }

  #send(method: string, path: string, query: Query, body: unknown): Promise<Answer> {
    this.#connection ??= this.#endpoint.locate();
    const { url, token } = this.#connection;
    const target = new URL(`${url.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const options: RequestOptions = {
      method,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      },
      timeout: answerLimitMilliseconds,
      // One connection per request: a kept one could be closed by the server at the moment of the next poll.
      agent: false,
    };
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(unreachable(url, cause));
      const request = open(target, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? 'no content type',
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      request.on('timeout', () =>
        request.destroy(new Error(`no answer within ${answerLimitMilliseconds / 1000} s`)),
      );
      request.on('error', fail);
      request.end(payload);
    });
  }
}

/**
 * `import 'node:http'` evaluates every getter of the module, WebSocket and with it undici included: 45 ms.
 * Asking for the built-in module costs 4.
 */
function open(target: URL, options: RequestOptions, onResponse: (response: IncomingMessage) => void) {
  return target.protocol === 'https:'
    ? process.getBuiltinModule('node:https').request(target, options, onResponse)
    : process.getBuiltinModule('node:http').request(target, options, onResponse);
}

function unreachable(url: string, cause: unknown): PetraError {
  return new PetraError('PetraUnreachable', `the Petra API at ${url} does not answer`, { cause });
}
