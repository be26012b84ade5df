// Requests to a Kubernetes API by path, for what Petra itself never does and its adapter has no method for: statuses,
// tokens, and parts of objects that others own.

import { type HttpsAnswer, HttpsConnection } from '../../adapters/https-connection.ts';
import { type Credentials, parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { statusOf } from '../../adapters/kubernetes-errors.ts';
import { textAt } from '../../core/json-fields.ts';

/** Each method gives the API's answer, and throws Error with its words for one that is not a success. */
export class ApiRequests {
  readonly #connection: HttpsConnection;
  readonly #fieldManager: string;

  constructor(
    credentials: Credentials,
    { fieldManager, timeoutMilliseconds = 30_000 }: { fieldManager: string; timeoutMilliseconds?: number },
  ) {
    this.#connection = new HttpsConnection(credentials, { timeoutMilliseconds });
    this.#fieldManager = fieldManager;
  }

  static of(kubeconfig: string, fieldManager: string): ApiRequests {
    return new ApiRequests(parseKubeconfig(kubeconfig), { fieldManager });
  }

  /** Undefined when there is no such object. */
  async read(path: string): Promise<unknown> {
    return ifFound(path, await this.#connection.send({ method: 'GET', path }));
  }

  async create(path: string, object: object): Promise<unknown> {
    const sent = { method: 'POST', path, contentType: 'application/json', body: JSON.stringify(object) };
    return contentOf(path, await this.#connection.send(sent));
  }

  /** Server-side, and by force. */
  async apply(path: string, object: object): Promise<unknown> {
    const answer = await this.#connection.send({
      method: 'PATCH',
      path: `${path}?fieldManager=${this.#fieldManager}&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(object),
    });
    return contentOf(path, answer);
  }

  /** Changes some fields; undefined when there is no such object. */
  async merge(path: string, change: object): Promise<unknown> {
    const contentType = 'application/merge-patch+json';
    const sent = { method: 'PATCH', path, contentType, body: JSON.stringify(change) };
    return ifFound(path, await this.#connection.send(sent));
  }

  /** One that is already gone is success. */
  async remove(path: string): Promise<void> {
    ifFound(path, await this.#connection.send({ method: 'DELETE', path }));
  }
}

function ifFound(path: string, answer: HttpsAnswer): unknown {
  return answer.code === 404 ? undefined : contentOf(path, answer);
}

function contentOf(path: string, answer: HttpsAnswer): unknown {
  const { code, text } = answer;
  if (code < 300) return JSON.parse(text);
  throw new Error(`${path}: ${code} ${textAt(statusOf(answer), 'message') ?? text.slice(0, 200)}`);
}
