import { PetraError } from '../core/errors.ts';
import type { Kubernetes, KubernetesAccess } from '../core/ports.ts';
import type { Faults } from './faults.ts';

/** Access to Kubernetes that fails as `--fault kubernetes:unreachable` asks for. Each call of Petra's counts as one. */
export class FaultyKubernetesAccess implements KubernetesAccess {
  readonly #access: KubernetesAccess;
  readonly #faults: Pick<Faults, 'take'>;

  constructor(access: KubernetesAccess, faults: Pick<Faults, 'take'>) {
    this.#access = access;
    this.#faults = faults;
  }

  connect(kubeconfig: string): Kubernetes {
    const kubernetes = this.#access.connect(kubeconfig);
    return {
      apply: async (...call) => this.#answering(kubernetes).apply(...call),
      read: async (...call) => this.#answering(kubernetes).read(...call),
      list: async (...call) => this.#answering(kubernetes).list(...call),
      remove: async (...call) => this.#answering(kubernetes).remove(...call),
      allows: async (...call) => this.#answering(kubernetes).allows(...call),
    };
  }

  #answering(kubernetes: Kubernetes): Kubernetes {
    if (this.#faults.take('kubernetes') === undefined) return kubernetes;
    throw new PetraError('KubernetesUnreachable', 'the Kubernetes API was asked not to answer');
  }
}
