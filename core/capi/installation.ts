// All that Petra installs on a management cluster, divided by what must work before it can be applied.

import type { KubernetesObject } from '../ports.ts';
import { certManagerObjects } from './cert-manager.ts';
import { inventoryCrd, renderProvider } from './provider-components.ts';
import { type ComponentKey, providersFor } from './providers.ts';
import type { ManagementVersions } from './spec-schema.ts';

/** In the order in which they are applied. */
export const installationParts = ['certManager', 'foundation', 'certificates', 'controllers'] as const;

export type InstallationPart = (typeof installationParts)[number];

/**
 * - `certManager`: all of cert-manager, which takes longest to begin to work.
 * - `foundation`: definitions, permissions, Services and webhooks of the providers, and clusterctl's inventory. Needs
 *   nothing, so it is applied while cert-manager starts.
 * - `certificates`: Issuers and Certificates for the webhooks. cert-manager must accept them.
 * - `controllers`: the Deployments. Their definitions must be served: a controller that starts before exits with "no
 *   matches for kind", and the kubelet's back-off then costs 10 to 60 seconds.
 */
export type Installation = Readonly<Record<InstallationPart, readonly KubernetesObject[]>>;

/** What the releases of these versions become, in their four parts. @throws VariablesMissing, ReleaseCorrupt */
export function planInstallation(input: {
  readonly versions: ManagementVersions;
  /** The components file of each release, as released. */
  readonly manifests: Readonly<Record<ComponentKey, string>>;
  readonly variables: Readonly<Record<string, string>>;
}): Installation {
  const { versions, manifests, variables } = input;
  const objects = providersFor(versions).flatMap(({ provider, version }) =>
    renderProvider({ provider, version, yaml: manifests[provider.key], variables }),
  );
  const parts = Object.groupBy(objects, partOf);
  return {
    certManager: certManagerObjects(manifests['cert-manager'], versions.certManagerVersion),
    foundation: [inventoryCrd(), ...(parts.foundation ?? [])],
    certificates: parts.certificates ?? [],
    controllers: parts.controllers ?? [],
  };
}

function partOf(object: KubernetesObject): InstallationPart {
  if (object.apiVersion.startsWith('cert-manager.io/')) return 'certificates';
  return object.kind === 'Deployment' ? 'controllers' : 'foundation';
}
