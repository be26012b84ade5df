// Where kinds are served: the same place in every cluster for Kubernetes' own, and for those whose definitions Petra
// installs at versions of its own; of others discovery says it, and is remembered per group and version.

import type { HttpsConnection } from './https-connection.ts';
import { failureOf, statusOf } from './kubernetes-errors.ts';

interface Type {
  readonly apiVersion: string;
  readonly kind: string;
}

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const ofCluster = (plural: string): Resource => ({ plural, namespaced: false });
const ofNamespace = (plural: string): Resource => ({ plural, namespaced: true });

/** Those that Petra asks for most, so that the first request for them need not wait for another. */
export const builtIn: ReadonlyMap<string, Resource> = new Map([
  ['v1 Namespace', ofCluster('namespaces')],
  ['v1 Node', ofCluster('nodes')],
  ['v1 Secret', ofNamespace('secrets')],
  ['v1 Service', ofNamespace('services')],
  ['v1 ServiceAccount', ofNamespace('serviceaccounts')],
  ['apps/v1 Deployment', ofNamespace('deployments')],
  ['rbac.authorization.k8s.io/v1 ClusterRole', ofCluster('clusterroles')],
  ['rbac.authorization.k8s.io/v1 ClusterRoleBinding', ofCluster('clusterrolebindings')],
  ['rbac.authorization.k8s.io/v1 Role', ofNamespace('roles')],
  ['rbac.authorization.k8s.io/v1 RoleBinding', ofNamespace('rolebindings')],
  ['apiextensions.k8s.io/v1 CustomResourceDefinition', ofCluster('customresourcedefinitions')],
  [
    'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration',
    ofCluster('mutatingwebhookconfigurations'),
  ],
  [
    'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
    ofCluster('validatingwebhookconfigurations'),
  ],
]);

/** Those that an installation asks for, just when their definitions have come. */
const installed: ReadonlyMap<string, Resource> = new Map([
  ['cert-manager.io/v1 Issuer', ofNamespace('issuers')],
  ['cert-manager.io/v1 Certificate', ofNamespace('certificates')],
  ['clusterctl.cluster.x-k8s.io/v1alpha3 Provider', ofNamespace('providers')],
]);

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
    const resource = fixedResource(target) ?? (await this.#resource(apiVersion, kind));
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

/** Whether a kind is looked for: it may move then. */
export function isDiscovered(type: Type): boolean {
  return fixedResource(type) === undefined;
}

function fixedResource({ apiVersion, kind }: Type): Resource | undefined {
  const key = `${apiVersion} ${kind}`;
  return builtIn.get(key) ?? installed.get(key);
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
