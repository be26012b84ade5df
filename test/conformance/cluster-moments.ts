// Moments in the life of a workload cluster, seen on its management cluster: when to break something.

import { setTimeout as sleep } from 'node:timers/promises';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { listAt, textAt } from '../../core/json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../../core/ports.ts';
import { ownedBy } from '../../core/steps/cluster-state.ts';

const lookMilliseconds = 500;
const limitMilliseconds = 240_000;

const kinds = {
  Cluster: 'cluster.x-k8s.io/v1beta1',
  AWSCluster: 'infrastructure.cluster.x-k8s.io/v1beta2',
  AWSMachine: 'infrastructure.cluster.x-k8s.io/v1beta2',
  Machine: 'cluster.x-k8s.io/v1beta1',
  KThreesConfig: 'bootstrap.cluster.x-k8s.io/v1beta2',
} as const;

export class ClusterMoments {
  readonly #api: Kubernetes;
  readonly #cluster: string;

  constructor(kubeconfig: string, cluster: string) {
    this.#api = new HttpKubernetesAccess().connect(kubeconfig);
    this.#cluster = cluster;
  }

  /** CAPA has begun to make the network. */
  hasVpc(): Promise<void> {
    return this.#someIs('AWSCluster', 'with a VPC', (one) => hasText(one, 'spec', 'network', 'vpc', 'id'));
  }

  /** The Cluster refers to a network, and not to the one of this name. */
  hasNetworkOtherThan(name: string): Promise<void> {
    return this.#someIs('Cluster', `with a network other than ${name}`, (one) => {
      const network = textAt(one, 'spec', 'infrastructureRef', 'name');
      return network !== undefined && network !== name;
    });
  }

  hasBootstrapConfig(): Promise<void> {
    return this.#someIs('KThreesConfig', 'at all', () => true);
  }

  hasInstance(): Promise<void> {
    return this.#someIs('AWSMachine', 'with an instance', (one) => hasText(one, 'spec', 'instanceID'));
  }

  /** A Machine is going away. */
  losesMachine(): Promise<void> {
    return this.#someIs(
      'Machine',
      'that is being deleted',
      (one) => one.metadata.deletionTimestamp !== undefined,
    );
  }

  /** CAPA has said this of a machine. */
  async isRefused(words: string): Promise<void> {
    await this.#someIs('AWSMachine', `that says ${words}`, (one) =>
      listAt(one, 'status', 'conditions').some((condition) => textAt(condition, 'message')?.includes(words)),
    );
  }

  /** @throws when it does not come, with what there is instead */
  async #someIs(
    kind: keyof typeof kinds,
    what: string,
    isSo: (object: KubernetesObject) => boolean,
  ): Promise<void> {
    const deadline = Date.now() + limitMilliseconds;
    let seen = 'no answer';
    while (Date.now() < deadline) {
      try {
        const found = await this.#api.list({ apiVersion: kinds[kind], kind }, ownedBy(this.#cluster));
        if (found.some(isSo)) return;
        seen = JSON.stringify(found.map(({ metadata: { name }, status }) => ({ name, status })));
      } catch (error) {
        seen = String(error);
      }
      await sleep(lookMilliseconds);
    }
    throw new Error(`${this.#cluster} has no ${kind} ${what}: ${seen}`);
  }
}

function hasText(object: KubernetesObject, ...path: string[]): boolean {
  return (textAt(object, ...path) ?? '') !== '';
}
