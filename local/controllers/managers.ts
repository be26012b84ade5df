// The Deployments whose Pods would run the controllers and webhooks that are simulated here.

import type { KubernetesObject } from '../../core/ports.ts';
import { isConditionTrue } from './conditions.ts';
import { isDeleting, isKind, kinds } from './kinds.ts';

/** Names of the managers' Deployments, as their releases have them. */
export const managers = {
  core: 'capi-controller-manager',
  aws: 'capa-controller-manager',
  bootstrap: 'capi-k3s-bootstrap-controller-manager',
  controlPlane: 'capi-k3s-control-plane-controller-manager',
  certManager: 'cert-manager',
  certManagerWebhook: 'cert-manager-webhook',
  caInjector: 'cert-manager-cainjector',
} as const;

/** Knows which Deployments are available, from what a watch says about them. */
export class ManagerWatch {
  readonly #available = new Map<string, boolean>();

  /** Takes note of a changed Deployment; returns its name when it has just become available. */
  observe(object: KubernetesObject, isGone: boolean): string | undefined {
    if (!isKind(object, kinds.deployment)) return undefined;
    const { name } = object.metadata;
    const was = this.#available.get(name) ?? false;
    const is = !isGone && !isDeleting(object) && isConditionTrue(object, 'Available');
    this.#available.set(name, is);
    return is && !was ? name : undefined;
  }

  isAvailable(name: string): boolean {
    return this.#available.get(name) ?? false;
  }
}
