// What the stand-in kubelet reads and writes of a Kubernetes API.

import { parseKubeconfig } from '../../adapters/kubeconfig.ts';
import { listAt, textAt, textsAt } from '../../core/json-fields.ts';
import { ApiRequests } from './api-requests.ts';
import type { Deployment } from './deployment-status.ts';
import type { Service } from './endpoint-slices.ts';

export type Files = Readonly<Record<string, Buffer>>;

export interface AccountToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export class KubeletApi {
  readonly #requests: ApiRequests;
  /** Where its server is, and the authority of its certificate. */
  readonly host: string;
  readonly port: string;
  readonly authority: string;

  constructor(kubeconfig: string) {
    const credentials = parseKubeconfig(kubeconfig);
    this.host = credentials.server.hostname;
    this.port = credentials.server.port || '443';
    this.authority = credentials.authority ?? '';
    this.#requests = new ApiRequests(credentials, {
      fieldManager: 'stand-in-kubelet',
      timeoutMilliseconds: 5_000,
    });
  }

  async deployments(): Promise<readonly Deployment[]> {
    // The API server answers only what its schema allows, so the shape is not looked at again.
    return (await this.#list('/apis/apps/v1/deployments')) as readonly Deployment[];
  }

  async services(): Promise<readonly Service[]> {
    // As above.
    return (await this.#list('/api/v1/services')) as readonly Service[];
  }

  /** Undefined when there is no such Secret. */
  async secret(namespace: string, name: string): Promise<Files | undefined> {
    const secret = await this.#requests.read(`/api/v1/namespaces/${namespace}/secrets/${name}`);
    if (secret === undefined) return undefined;
    return mapValues(textsAt(secret, 'data'), (value) => Buffer.from(value, 'base64'));
  }

  /** Undefined when there is no such ConfigMap. */
  async configMap(namespace: string, name: string): Promise<Files | undefined> {
    const map = await this.#requests.read(`/api/v1/namespaces/${namespace}/configmaps/${name}`);
    if (map === undefined) return undefined;
    return {
      ...mapValues(textsAt(map, 'binaryData'), (value) => Buffer.from(value, 'base64')),
      ...mapValues(textsAt(map, 'data'), (value) => Buffer.from(value)),
    };
  }

  async token(
    namespace: string,
    account: string,
    options: { readonly audience?: string; readonly seconds: number },
  ): Promise<AccountToken> {
    const audiences = options.audience === undefined ? {} : { audiences: [options.audience] };
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const answer = await this.#requests.create(path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { ...audiences, expirationSeconds: options.seconds },
    });
    const token = textAt(answer, 'status', 'token');
    const expires = textAt(answer, 'status', 'expirationTimestamp');
    if (token === undefined || expires === undefined) throw new Error(`no token of ${namespace}/${account}`);
    return { token, expiresAt: new Date(expires) };
  }

  async applyEndpointSlice(slice: {
    readonly metadata: { readonly namespace: string; readonly name: string };
  }): Promise<void> {
    const { namespace, name } = slice.metadata;
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/${name}`;
    await this.#requests.apply(path, slice);
  }

  async patchDeploymentStatus({ metadata }: Deployment, status: object): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${metadata.namespace}/deployments/${metadata.name}/status`;
    await this.#requests.merge(path, { metadata: { uid: metadata.uid }, status });
  }

  async #list(path: string): Promise<readonly unknown[]> {
    return listAt(await this.#requests.read(path), 'items');
  }
}

function mapValues(
  texts: Readonly<Record<string, string>>,
  bytesOf: (text: string) => Buffer,
): Readonly<Record<string, Buffer>> {
  return Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, bytesOf(value)]));
}
