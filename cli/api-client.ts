import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import type {
  ClusterView,
  FindingView,
  Health,
  KubeconfigAnswer,
  List,
  ObjectTree,
  OperationAnswer,
  OperationView,
  PreflightAnswer,
  UnlockAnswer,
} from '../core/api/contract.ts';
import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { PetraError } from '../core/errors.ts';
import type { ClusterKind, LedgerEvent } from '../core/fleet.ts';
import { isProblem, problemToError } from './problem.ts';
import type { Signer, UnsignedRequest } from './signer.ts';

/** Where a Petra answers, and what it asks of callers. */
export interface Connection {
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  /** A Petra on AWS wants signed requests instead. */
  readonly signer?: Signer;
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
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly body: string | undefined;
}

/** The API refuses larger pages. */
const largestPage = 100;

/** A single answer may take this long: the API only ever starts work, it does not wait for it. */
const answerLimitMilliseconds = 30_000;

/** The HTTP API as functions. Failures are PetraErrors: the server's own, or `PetraUnreachable`. */
export class ApiClient {
  readonly #endpoint: Endpoint;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #connection: Connection | undefined;
  #reached = false;

  /** `env` only explains failures to connect. */
  constructor(endpoint: Endpoint, env: Readonly<Record<string, string | undefined>> = {}) {
    this.#endpoint = endpoint;
    this.#env = env;
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

  init(spec: ClusterSpec, accept: readonly string[] = []): Promise<OperationAnswer> {
    return this.#call('POST', '/management-clusters', {}, { spec, ...(accept.length > 0 && { accept }) });
  }

  create(spec: ClusterSpec, management?: string, accept: readonly string[] = []): Promise<OperationAnswer> {
    const home = management === undefined ? {} : { management };
    return this.#call('POST', '/clusters', {}, { spec, ...home, ...(accept.length > 0 && { accept }) });
  }

  preflight(spec: ClusterSpec, management?: string): Promise<PreflightAnswer> {
    const home = management === undefined ? {} : { management };
    return this.#call('POST', '/preflights', {}, { spec, ...home });
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

  /** What is not as it should be, in the whole fleet or for one cluster. */
  findings(query: { cluster?: string } = {}): Promise<FindingView[]> {
    return this.#pages('/findings', query);
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
    const call = { method, path, query, body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await this.#reach(call);
    if (answer.status >= 400) throw problemToError(answer.status, answer.body, this.url);
    try {
      return JSON.parse(answer.body);
    } catch (cause) {
      const type = answer.headers['content-type'] ?? 'no content type';
      throw new PetraError('PetraUnreachable', `${this.url} answered, but not as a Petra does (${type})`, {
        cause,
      });
    }
  }

  async #reach(call: Call): Promise<Answer> {
    try {
      const answer = await this.#sendUntilAccepted(call);
      this.#reached = true;
      return answer;
    } catch (error) {
      this.#connection = undefined;
      if (this.#reached || this.#endpoint.revive === undefined) throw error;
      this.#reached = true;
      await this.#endpoint.revive();
      return await this.#sendUntilAccepted(call);
    }
  }

  /** Sends once more when the caller's credentials were renewed meanwhile. */
  async #sendUntilAccepted(call: Call): Promise<Answer> {
    this.#connection ??= this.#endpoint.locate();
    const connection = this.#connection;
    const { signer } = connection;
    const request = unsigned(connection.url, call);
    const answer = await this.#send(connection, request, call.body);
    if (signer === undefined || !isGatewayRefusal(answer)) return answer;
    const second = (await signer.renew()) ? await this.#send(connection, request, call.body) : answer;
    if (isGatewayRefusal(second)) throw await signer.explain(request, second);
    return second;
  }

  async #send(
    { url, token, signer }: Connection,
    request: UnsignedRequest,
    body: string | undefined,
  ): Promise<Answer> {
    const options: RequestOptions = {
      method: request.method,
      headers: {
        accept: 'application/json',
        ...request.headers,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(signer === undefined ? {} : await signer.sign(request)),
      },
      timeout: answerLimitMilliseconds,
      // One connection per request: a kept one could be closed by the server at the moment of the next poll.
      agent: false,
    };
    try {
      return await exchange(request.url, options, body);
    } catch (cause) {
      const { unreachable } = await import('./unreachable.ts');
      throw unreachable(url, cause, this.#env);
    }
  }
}

/** Whether something before Petra refused the request, and not Petra. */
function isGatewayRefusal({ status, body }: Answer): boolean {
  return (status === 401 || status === 403) && !isProblem(body);
}

function unsigned(address: string, { method, path, query, body }: Call): UnsignedRequest {
  const url = new URL(`${address.replace(/\/+$/, '')}${path}`);
  // Not by searchParams: a blank has to be %20 where requests are signed, and they write a plus sign.
  url.search = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return {
    method,
    url,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body ?? '',
  };
}

function exchange(target: URL, options: RequestOptions, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = open(target, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('timeout', () =>
      request.destroy(new Error(`no answer within ${answerLimitMilliseconds / 1000} s`)),
    );
    request.on('error', reject);
    request.end(body);
  });
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
