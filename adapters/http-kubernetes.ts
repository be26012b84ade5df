// The Kubernetes API over node:https. Objects are sent and returned as plain JSON: a generated client would drop
// fields that its models do not know.

import { PetraError } from '../core/errors.ts';
import { isTrueAt } from '../core/json-fields.ts';
import type {
  AccessQuestion,
  Kubernetes,
  KubernetesAccess,
  KubernetesObject,
  ObjectReference,
} from '../core/ports.ts';
import { type HttpsAnswer, HttpsConnection } from './https-connection.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { failureOf, isAbsent, isUnknownResource, statusOf } from './kubernetes-errors.ts';
import { isDiscovered, KubernetesResources } from './kubernetes-resources.ts';

export interface HttpKubernetesOptions {
  /** For one request with its answer. */
  readonly timeoutMilliseconds?: number;
  /** How often a request that the server throttles is repeated before KubernetesThrottled. */
  readonly throttleRetries?: number;
}

/** Kubeconfigs change when certificates are renewed; connections of old ones need not be kept. */
const keptConnections = 32;

export class HttpKubernetesAccess implements KubernetesAccess {
  readonly #options: HttpKubernetesOptions;
  readonly #clients = new Map<string, HttpKubernetes>();

  constructor(options: HttpKubernetesOptions = {}) {
    this.#options = options;
  }

  /** The same kubeconfig shares its connections and what was discovered. @throws KubernetesUnauthorized for one that cannot be used */
  connect(kubeconfig: string): Kubernetes {
    const known = this.#clients.get(kubeconfig);
    if (known) return known;
    const client = new HttpKubernetes(new HttpsConnection(parseKubeconfig(kubeconfig), this.#options));
    const [oldest] = this.#clients.keys();
    if (this.#clients.size >= keptConnections && oldest !== undefined) this.#clients.delete(oldest);
    this.#clients.set(kubeconfig, client);
    return client;
  }
}

const pageSize = 500;
const fieldManager = 'petra';

class HttpKubernetes implements Kubernetes {
  readonly #connection: HttpsConnection;
  readonly #resources: KubernetesResources;

  constructor(connection: HttpsConnection) {
    this.#connection = connection;
    this.#resources = new KubernetesResources(connection);
  }

  async apply(
    object: KubernetesObject,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<KubernetesObject> {
    const { apiVersion, kind, metadata } = object;
    const query = new URLSearchParams({
      fieldManager,
      force: 'true',
      // A field that the schema does not know is an error whatever is asked for here: server-side apply types the object.
      // `Strict`, and the default `Warn`, have the server read the body a second time, only to find keys that stand twice
      // (applyPatcher of k8s.io/apiserver/pkg/endpoints/handlers/patch.go); no key does here, and definitions are large.
      ...(options.dryRun ? { fieldValidation: 'Strict', dryRun: 'All' } : { fieldValidation: 'Ignore' }),
    });
    const { name, namespace } = metadata;
    const target = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const answer = await this.#request(target, query, {
      method: 'PATCH',
      body: yamlSafeJson(object),
      contentType: 'application/apply-patch+yaml',
    });
    if (answer?.code === 200 || answer?.code === 201) return objectOf(answer, object);
    throw failureOf(answer, { what: `apply ${describe(target)}`, kind, writes: true });
  }

  async read(reference: ObjectReference): Promise<KubernetesObject | undefined> {
    const answer = await this.#request(reference, new URLSearchParams(), { method: 'GET' });
    if (answer?.code === 200) return objectOf(answer, reference);
    if (isAbsent(answer)) return undefined;
    throw failureOf(answer, { what: `read ${describe(reference)}`, kind: reference.kind, writes: false });
  }

  async list(
    kind: { readonly apiVersion: string; readonly kind: string },
    query: { readonly namespace?: string; readonly labelSelector?: string } = {},
  ): Promise<readonly KubernetesObject[]> {
    const first = await this.#pages(kind, query);
    if (first !== 'expired') return first;
    // The server forgot the list before its last page was read; a second time would mean it is too large to read.
    const second = await this.#pages(kind, query);
    if (second !== 'expired') return second;
    throw failureOf(
      { code: 410, text: '', retryAfterSeconds: undefined },
      { what: `list ${kind.kind}`, kind: kind.kind, writes: false },
    );
  }

  async remove(reference: ObjectReference, options: { readonly uid?: string } = {}): Promise<void> {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
      ...(options.uid === undefined ? {} : { preconditions: { uid: options.uid } }),
    };
    const answer = await this.#request(reference, new URLSearchParams(), {
      method: 'DELETE',
      body: JSON.stringify(body),
      contentType: 'application/json',
    });
    if (isAbsent(answer) || answer?.code === 200 || answer?.code === 202) return;
    throw failureOf(answer, { what: `delete ${describe(reference)}`, kind: reference.kind, writes: true });
  }

  async allows(question: AccessQuestion): Promise<boolean> {
    const { namespace, name } = question.serviceAccount;
    const { verb, group, resource } = question;
    const kind = 'SubjectAccessReview';
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind,
      spec: {
        user: `system:serviceaccount:${namespace}:${name}`,
        // What the API server finds in the token of a ServiceAccount.
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes: { verb, group, resource },
      },
    };
    const answer = await this.#connection.send({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: JSON.stringify(review),
      contentType: 'application/json',
    });
    if (answer.code === 201) return isTrueAt(statusOf(answer), 'status', 'allowed');
    throw failureOf(answer, { what: `ask what ${namespace}/${name} may do`, kind, writes: false });
  }

  async #pages(
    { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
    { namespace, labelSelector }: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<readonly KubernetesObject[] | 'expired'> {
    const objects: KubernetesObject[] = [];
    let token = '';
    do {
      const query = new URLSearchParams({
        limit: String(pageSize),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(token === '' ? {} : { continue: token }),
      });
      const target = namespace === undefined ? { apiVersion, kind } : { apiVersion, kind, namespace };
      const answer = await this.#request(target, query, { method: 'GET' });
      if (isAbsent(answer)) return [];
      if (answer?.code === 410) return 'expired';
      if (answer?.code !== 200) throw failureOf(answer, { what: `list ${kind}`, kind, writes: false });
      const { items, metadata } = statusOf(answer);
      for (const item of Array.isArray(items) ? items : []) {
        // Items of built-in kinds come without apiVersion and kind.
        const object = parseItem(item, apiVersion, kind);
        if (object) objects.push(object);
      }
      token = isObject(metadata) && typeof metadata.continue === 'string' ? metadata.continue : '';
    } while (token !== '');
    return objects;
  }

  /** The server's answer; undefined when the kind is not served. */
  async #request(
    target: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace?: string;
      readonly name?: string;
    },
    query: URLSearchParams,
    request: { readonly method: string; readonly body?: string; readonly contentType?: string },
  ): Promise<HttpsAnswer | undefined> {
    for (let isSecondTry = false; ; isSecondTry = true) {
      const path = await this.#resources.pathOf(target);
      if (path === undefined) return undefined;
      const text = query.toString();
      const answer = await this.#connection.send({
        ...request,
        path: text === '' ? path : `${path}?${text}`,
      });
      if (!isUnknownResource(answer)) return answer;
      // A definition may have gone, or come anew under another plural, since it was discovered.
      if (isSecondTry || !isDiscovered(target)) return undefined;
      this.#resources.forget(target.apiVersion);
    }
  }
}

function describe({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/**
 * JSON is YAML but for characters that YAML allows only when escaped: DEL, C1 controls, the byte order mark and
 * the two last of the basic plane (yaml.org/spec/1.2.2, 5.1).
 */
function yamlSafeJson(object: KubernetesObject): string {
  return JSON.stringify(object).replace(
    /[\u007f-\u009f\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The object in an answer, with the kind that was asked for. */
function objectOf(
  answer: HttpsAnswer,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): KubernetesObject {
  const object = parseItem(statusOf(answer), apiVersion, kind);
  if (object) return object;
  throw new PetraError(
    'KubernetesUnreachable',
    `the Kubernetes API answered with something else than a ${kind}`,
  );
}

function parseItem(value: unknown, apiVersion: string, kind: string): KubernetesObject | undefined {
  if (!isObject(value) || !isObject(value.metadata)) return undefined;
  const { metadata } = value;
  if (typeof metadata.name !== 'string') return undefined;
  return { ...value, apiVersion, kind, metadata: { ...metadata, name: metadata.name } };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
