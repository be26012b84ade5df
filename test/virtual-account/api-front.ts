// Stands in for API Gateway in front of the deployed HTTP API: its own routes and integrations, read from moto, with IAM
// authorization that really checks the signature and the caller's policy. Not simulated: throttling, access log, TLS.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isTrueAt, listAt, numberAt, recordAt, textAt } from '../../core/json-fields.ts';
import { verifySignature } from '../aws-signature.ts';
import type { DeployedFunction } from './deployed-functions.ts';
import type { LambdaHost } from './lambda-host.ts';
import { listenOnLoopback, stopServer } from './loopback.ts';
import type { MotoCalls } from './moto-calls.ts';
import { isAllowed, type Question, type Statement } from './role-policies.ts';

/** Someone with an access key of the account. */
export interface Caller {
  readonly name: string;
  readonly arn: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly statements: readonly Statement[];
  /** Condition keys that come with it, such as its tags. */
  readonly keys: Question['keys'];
}

interface DeployedRoute {
  readonly key: string;
  readonly method: string;
  readonly path: readonly string[];
  readonly iam: boolean;
  readonly target: DeployedFunction;
}

/** What an HTTP API waits for an integration at most. */
const integrationLimitMilliseconds = 30_000;

export class ApiFront {
  readonly #parts: {
    readonly apiId: string;
    readonly region: string;
    readonly account: string;
    readonly routes: readonly DeployedRoute[];
    readonly callers: readonly Caller[];
    readonly host: LambdaHost;
    readonly log: (line: string) => void;
  };
  /** Requests by route. */
  readonly requests = new Map<string, number>();
  #server: Server | undefined;

  private constructor(parts: {
    readonly apiId: string;
    readonly region: string;
    readonly account: string;
    readonly routes: readonly DeployedRoute[];
    readonly callers: readonly Caller[];
    readonly host: LambdaHost;
    readonly log: (line: string) => void;
  }) {
    this.#parts = parts;
  }

  /** The front of the one HTTP API of the account. */
  static async of(
    moto: MotoCalls,
    options: {
      readonly region: string;
      readonly account: string;
      readonly functions: readonly DeployedFunction[];
      readonly callers: readonly Caller[];
      readonly host: LambdaHost;
      readonly log: (line: string) => void;
    },
  ): Promise<ApiFront> {
    const { functions, ...others } = options;
    const [api] = listAt(await moto.json('apigateway', '/v2/apis'), 'items');
    const apiId = textAt(api, 'apiId');
    if (apiId === undefined) throw new Error('no HTTP API is deployed');
    const integrations = listAt(await moto.json('apigateway', `/v2/apis/${apiId}/integrations`), 'items');
    const routes = listAt(await moto.json('apigateway', `/v2/apis/${apiId}/routes`), 'items').map((item) => {
      const key = textAt(item, 'routeKey') ?? '';
      const [method = '', path = ''] = key.split(' ');
      const wanted = (textAt(item, 'target') ?? '').replace('integrations/', '');
      const integration = integrations.find((one) => textAt(one, 'integrationId') === wanted);
      const uri = textAt(integration, 'integrationUri') ?? '';
      const target = functions.find(({ arn }) => uri.includes(arn));
      if (!target) throw new Error(`the route ${key} leads to no function that is deployed: ${uri}`);
      return {
        key,
        method,
        path: path.split('/'),
        iam: textAt(item, 'authorizationType') === 'AWS_IAM',
        target,
      };
    });
    return new ApiFront({ ...others, apiId, routes });
  }

  get routeKeys(): readonly string[] {
    return this.#parts.routes.map(({ key }) => key);
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#parts.log(`api: ${request.method} ${request.url}: ${String(error)}`);
        sendMessage(response, 500, 'Internal Server Error');
      });
    });
    this.#server = server;
    return `http://127.0.0.1:${await listenOnLoopback(server)}`;
  }

  async stop(): Promise<void> {
    await stopServer(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = request;
    const [path = '/', query = ''] = (request.url ?? '/').split('?');
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const found = this.#findRoute(method, path);
    if (!found) return sendMessage(response, 404, 'Not Found');
    const { route, parameters } = found;
    this.requests.set(route.key, (this.requests.get(route.key) ?? 0) + 1);
    const caller = route.iam ? this.#authorize({ method, path, query, headers, body }) : undefined;
    if (route.iam && !caller) return sendMessage(response, 403, 'Forbidden');
    const event = this.#event({ route, parameters, method, path, query, headers, body, caller });
    const cluster = parameters.name ?? clusterOf(parameters.id) ?? bodyCluster(body);
    const invoked = this.#parts.host.invoke(route.target, event, cluster);
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), integrationLimitMilliseconds).unref();
    });
    const result = await Promise.race([invoked, late]);
    if (!result) return sendMessage(response, 503, 'Service Unavailable');
    if (result.failed) return sendMessage(response, 500, 'Internal Server Error');
    const answer: unknown = JSON.parse(result.payload);
    const text = textAt(answer, 'body') ?? '';
    const sent = Buffer.from(text, isTrueAt(answer, 'isBase64Encoded') ? 'base64' : 'utf8');
    const answered = Object.fromEntries(
      Object.entries(recordAt(answer, 'headers')).map(([name, value]) => [name, String(value)]),
    );
    response.writeHead(numberAt(answer, 'statusCode') ?? 200, { ...answered, 'content-length': sent.length });
    response.end(sent);
  }

  #findRoute(
    method: string,
    path: string,
  ): { readonly route: DeployedRoute; readonly parameters: Readonly<Record<string, string>> } | undefined {
    const given = path.split('/');
    for (const route of this.#parts.routes) {
      if (route.method !== method || route.path.length !== given.length) continue;
      const parameters: Record<string, string> = {};
      const fits = route.path.every((part, index) => {
        const text = given[index] ?? '';
        if (!part.startsWith('{')) return part === text;
        parameters[part.slice(1, -1)] = decodeURIComponent(text);
        return text !== '';
      });
      if (fits) return { route, parameters };
    }
    return undefined;
  }

  /** The caller whose signature and policy are right. API Gateway tells nobody what was wrong. */
  #authorize(request: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }): Caller | undefined {
    const { region, account, apiId, callers, log } = this.#parts;
    const verdict = verifySignature(request, {
      service: 'execute-api',
      region,
      now: new Date(),
      secretOf: (id) => callers.find(({ accessKeyId }) => accessKeyId === id)?.secretAccessKey,
    });
    if (!verdict.valid) {
      log(`api: refused ${request.method} ${request.path}: ${verdict.reason}`);
      return undefined;
    }
    const caller = callers.find(({ accessKeyId }) => accessKeyId === verdict.accessKeyId);
    const resource = `arn:aws:execute-api:${region}:${account}:${apiId}/$default/${request.method}${request.path}`;
    const may =
      caller && isAllowed(caller.statements, { action: 'execute-api:Invoke', resource, keys: caller.keys });
    if (may) return caller;
    log(`api: refused ${caller?.name} ${request.method} ${request.path}: no permission`);
    return undefined;
  }

  /** Payload format 2.0, which the integrations ask for. */
  #event(request: {
    readonly route: DeployedRoute;
    readonly parameters: Readonly<Record<string, string>>;
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
    readonly caller: Caller | undefined;
  }): unknown {
    const { apiId, account } = this.#parts;
    const { route, parameters, method, path, query, headers, body, caller } = request;
    const searched = Object.fromEntries(new URLSearchParams(query));
    const now = new Date();
    return {
      version: '2.0',
      routeKey: route.key,
      rawPath: path,
      rawQueryString: query,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      ...(query === '' ? {} : { queryStringParameters: searched }),
      requestContext: {
        accountId: account,
        apiId,
        ...(caller === undefined ? {} : { authorizer: { iam: identity(caller, account) } }),
        domainName: headers.host ?? '',
        domainPrefix: apiId,
        http: {
          method,
          path,
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: headers['user-agent'] ?? '',
        },
        requestId: randomUUID(),
        routeKey: route.key,
        stage: '$default',
        time: now.toISOString(),
        timeEpoch: now.getTime(),
      },
      ...(Object.keys(parameters).length === 0 ? {} : { pathParameters: parameters }),
      ...(body.length === 0 ? {} : { body: body.toString('utf8') }),
      isBase64Encoded: false,
    };
  }
}

function identity({ accessKeyId, arn, name }: Caller, accountId: string): unknown {
  return {
    accessKey: accessKeyId,
    accountId,
    callerId: `AIDA${name.toUpperCase()}`,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: arn,
    userId: `AIDA${name.toUpperCase()}`,
  };
}

/** An operation's id has the cluster's name between verb, uid and attempt. */
function clusterOf(operation: string | undefined): string | undefined {
  return /^[a-z]+-(.+)-[0-9a-f]{8}-\d+$/.exec(operation ?? '')?.[1];
}

function bodyCluster(body: Buffer): string | undefined {
  try {
    return textAt(JSON.parse(body.toString('utf8')), 'spec', 'metadata', 'name');
  } catch {
    return undefined;
  }
}

function sendMessage(response: ServerResponse, status: number, message: string): void {
  const text = JSON.stringify({ message });
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
}
