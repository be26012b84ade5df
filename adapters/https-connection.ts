// Requests to one server over kept-alive TLS connections, with one retry where that is safe and bounded patience
// where the server asks for it.

import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { PetraError } from '../core/errors.ts';
import type { Credentials } from './kubeconfig.ts';

export interface HttpsAnswer {
  readonly code: number;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
}

export interface HttpsRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** As many as an installation sends requests at once. */
const maxSockets = 32;
const defaultTimeoutMilliseconds = 30_000;
const defaultThrottleRetries = 4;
const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 10_000;

export class HttpsConnection {
  readonly #credentials: Credentials;
  readonly #agent: Agent;
  readonly #timeoutMilliseconds: number;
  readonly #throttleRetries: number;

  /** @throws KubernetesUnauthorized when certificates or key cannot be read */
  constructor(
    credentials: Credentials,
    options: { readonly timeoutMilliseconds?: number; readonly throttleRetries?: number } = {},
  ) {
    const { serverName, skipVerification } = credentials;
    this.#credentials = credentials;
    this.#timeoutMilliseconds = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds;
    this.#throttleRetries = options.throttleRetries ?? defaultThrottleRetries;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets,
      rejectUnauthorized: !skipVerification,
      // One for all connections: Node would read the certificates anew for each.
      secureContext: secureContextOf(credentials),
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
  }

  /**
   * The answer, whatever its code but 429. Requests must be safe to repeat.
   * @throws KubernetesUnreachable, KubernetesUnauthorized (TLS refused either side), KubernetesThrottled
   */
  async send(request: HttpsRequest): Promise<HttpsAnswer> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#sendOnce(request);
      if (answer.code !== 429) return answer;
      if (attempt >= this.#throttleRetries) {
        const { host } = this.#credentials.server;
        throw new PetraError('KubernetesThrottled', `the Kubernetes API at ${host} still asks to slow down`);
      }
      await sleep(pause(attempt, answer.retryAfterSeconds));
    }
  }

  async #sendOnce(request: HttpsRequest): Promise<HttpsAnswer> {
    const first = await this.#exchange(request);
    if (!(first instanceof ConnectionFailure)) return first;
    // The server may have closed an idle connection just when it was used again: that says nothing about the server.
    const second = first.wasReused ? await this.#exchange(request) : first;
    if (!(second instanceof ConnectionFailure)) return second;
    throw this.#translated(second);
  }

  #exchange(request: HttpsRequest): Promise<HttpsAnswer | ConnectionFailure> {
    const { server, token } = this.#credentials;
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    return new Promise((resolve) => {
      const patience = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      const outgoing = httpsRequest(
        {
          agent: this.#agent,
          host: server.hostname.replace(/^\[|\]$/g, ''),
          port: server.port || 443,
          method: request.method,
          path: `${server.pathname === '/' ? '' : server.pathname}${request.path}`,
          signal: patience.signal,
          headers: {
            accept: 'application/json',
            'user-agent': 'petra',
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined
              ? {}
              : { 'content-type': request.contentType, 'content-length': body.length }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', (error) => resolve(new ConnectionFailure(error, false)));
          incoming.on('end', () =>
            resolve({
              code: incoming.statusCode ?? 0,
              text: Buffer.concat(chunks).toString('utf8'),
              retryAfterSeconds: secondsOf(incoming.headers['retry-after']),
            }),
          );
        },
      );
      // From when it can be sent: of many requests at once most wait for others, and not for the server.
      outgoing.once('socket', () => {
        timer = setTimeout(() => patience.abort(), this.#timeoutMilliseconds);
      });
      outgoing.once('close', () => clearTimeout(timer));
      outgoing.on('error', (error) => resolve(new ConnectionFailure(error, outgoing.reusedSocket)));
      outgoing.end(body);
    });
  }

  #translated({ error }: ConnectionFailure): PetraError {
    const { host } = this.#credentials.server;
    if (error.name === 'TimeoutError' || error.name === 'AbortError') {
      const seconds = this.#timeoutMilliseconds / 1000;
      return new PetraError(
        'KubernetesUnreachable',
        `the Kubernetes API at ${host} did not answer within ${seconds} s`,
      );
    }
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (isAboutCertificates(code)) {
      const message = `TLS with the Kubernetes API at ${host} failed: ${code}`;
      return new PetraError('KubernetesUnauthorized', message, { cause: error });
    }
    const message = `the Kubernetes API at ${host} cannot be reached: ${code}`;
    return new PetraError('KubernetesUnreachable', message, { cause: error });
  }
}

function secureContextOf({ authority, certificate, key }: Credentials): SecureContext {
  try {
    return createSecureContext({
      ...(authority === undefined ? {} : { ca: authority }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    });
  } catch {
    // OpenSSL's words do not say which of them it is.
    const message = 'the kubeconfig cannot be used: one of its certificates or its key cannot be read';
    throw new PetraError('KubernetesUnauthorized', message);
  }
}

class ConnectionFailure {
  readonly error: Error;
  /** Whether the request went over a connection that had served another before. */
  readonly wasReused: boolean;

  constructor(error: Error, wasReused: boolean) {
    this.error = error;
    this.wasReused = wasReused && error.name !== 'TimeoutError' && error.name !== 'AbortError';
  }
}

/** Codes of OpenSSL's verification (X509_V_ERR_…), of Node's own check and of the server's TLS alerts. */
function isAboutCertificates(code: string): boolean {
  return (
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/.test(code) ||
    /^ERR_SSL_.*ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|ACCESS_DENIED)/.test(code)
  );
}

function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}

/** What the server asks for, else exponential with full jitter; never long. */
function pause(attempt: number, retryAfterSeconds: number | undefined): number {
  const wanted =
    retryAfterSeconds === undefined
      ? Math.random() * firstPauseMilliseconds * 2 ** (attempt + 1)
      : retryAfterSeconds * 1000;
  return Math.min(wanted, longestPauseMilliseconds);
}
