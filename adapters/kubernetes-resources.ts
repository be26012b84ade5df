// Where kinds are served: discovery, remembered per group and version.

import type { HttpsConnection } from './https-connection.ts';
import { failureOf, statusOf } from './kubernetes-errors.ts';

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

export class KubernetesResources {
  readonly #connection: HttpsConnection;
  readonly #versions = new Map<string, Promise<ReadonlyMap<string, Resource>>>();

  constructor(connection: HttpsConnection) {
    this.#connection = connection;
  }

  /**
   * The path of an object, or of a collection when there is no name; undefined for a kind that is not served.
   * An object of a namespaced kind without a namespace is in `default`, as for kubectl.
   */
  async pathOf(target: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string;
    readonly name?: string;
  }): Promise<string | undefined> {
    const { apiVersion, kind, namespace, name } = target;
    const resource = await this.#resource(apiVersion, kind);
    if (!resource) return undefined;
    const space = namespace ?? (name === undefined ? undefined : 'default');
    const scope =
      resource.namespaced && space !== undefined ? `/namespaces/${encodeURIComponent(space)}` : '';
    const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
    return `${rootOf(apiVersion)}${scope}/${resource.plural}${object}`;
  }

  /** Forgets what was discovered of a version, so that it is read again. */
  forget(apiVersion: string): void {
    this.#versions.delete(apiVersion);
  }

  async #resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const known = await this.#versions.get(apiVersion);
    const found = known?.get(kind);
    if (found) return found;
    // A miss is read anew: definitions are installed while this runs. Concurrent misses share one request.
    if (known) this.forget(apiVersion);
    const discovered = this.#versions.get(apiVersion) ?? this.#discover(apiVersion);
    this.#versions.set(apiVersion, discovered);
    try {
      return (await discovered).get(kind);
    } catch (error) {
      this.forget(apiVersion);
      throw error;
    }
  }

  async #discover(apiVersion: string): Promise<ReadonlyMap<string, Resource>> {
    const answer = await this.#connection.send({ method: 'GET', path: rootOf(apiVersion) });
    if (answer.code === 404) return new Map();
    if (answer.code !== 200) {
      throw failureOf(answer, { what: `discover ${apiVersion}`, kind: apiVersion, writes: false });
    }
    const { resources } = statusOf(answer);
    const byKind = new Map<string, Resource>();
    for (const resource of Array.isArray(resources) ? resources : []) {
      const { name, kind, namespaced } = resource;
      // `deployments/status` is a subresource; of some kinds it comes before the resource itself.
      if (typeof name === 'string' && typeof kind === 'string' && !name.includes('/')) {
        byKind.set(kind, { plural: name, namespaced: namespaced === true });
      }
    }
    return byKind;
  }
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
