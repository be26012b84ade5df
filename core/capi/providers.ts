// The Cluster API providers of a Petra management cluster: where their releases are and how clusterctl knows them.

import type { ReleaseAsset } from '../ports.ts';
import type { ManagementVersions } from './spec-schema.ts';

/** Also the provider's manifest label (`cluster.x-k8s.io/provider`), as clusterctl derives it from type and name. */
export type ProviderKey = 'cluster-api' | 'bootstrap-k3s' | 'control-plane-k3s' | 'infrastructure-aws';

/** Everything Petra installs from a release: the providers, and cert-manager before them. */
export type ComponentKey = ProviderKey | 'cert-manager';

export interface Provider {
  readonly key: ProviderKey;
  /** What a person calls it. */
  readonly title: string;
  /** `type` of clusterctl's inventory object. */
  readonly type: 'CoreProvider' | 'BootstrapProvider' | 'ControlPlaneProvider' | 'InfrastructureProvider';
  /** `providerName` of clusterctl's inventory object. */
  readonly providerName: 'cluster-api' | 'k3s' | 'aws';
  /** On GitHub, as `owner/name`. */
  readonly repository: string;
  readonly componentsFile: string;
  readonly metadataFile: string;
  /** The namespace of its released manifest. */
  readonly namespace: string;
  /** The field of `spec.management` that says which version. */
  readonly versionField: keyof ManagementVersions;
}

/**
 * In the order in which clusterctl installs them (its `ProviderType.Order()`): each may need the webhooks and
 * CRDs of those before it.
 */
export const providers: readonly Provider[] = [
  {
    key: 'cluster-api',
    title: 'Cluster API',
    type: 'CoreProvider',
    providerName: 'cluster-api',
    repository: 'kubernetes-sigs/cluster-api',
    componentsFile: 'core-components.yaml',
    metadataFile: 'metadata.yaml',
    namespace: 'capi-system',
    versionField: 'capiVersion',
  },
  {
    key: 'bootstrap-k3s',
    title: 'k3s bootstrap provider',
    type: 'BootstrapProvider',
    providerName: 'k3s',
    repository: 'k3s-io/cluster-api-k3s',
    componentsFile: 'bootstrap-components.yaml',
    metadataFile: 'metadata.yaml',
    namespace: 'capi-k3s-bootstrap-system',
    versionField: 'cabpK3sVersion',
  },
  {
    key: 'control-plane-k3s',
    title: 'k3s control plane provider',
    type: 'ControlPlaneProvider',
    providerName: 'k3s',
    repository: 'k3s-io/cluster-api-k3s',
    componentsFile: 'control-plane-components.yaml',
    metadataFile: 'metadata.yaml',
    namespace: 'capi-k3s-control-plane-system',
    versionField: 'cacpK3sVersion',
  },
  {
    key: 'infrastructure-aws',
    title: 'CAPA',
    type: 'InfrastructureProvider',
    providerName: 'aws',
    repository: 'kubernetes-sigs/cluster-api-provider-aws',
    componentsFile: 'infrastructure-components.yaml',
    metadataFile: 'metadata.yaml',
    namespace: 'capa-system',
    versionField: 'capaVersion',
  },
];

/** A provider at a version, with the two files of its release that an installation needs. */
export interface ProviderRelease {
  readonly provider: Provider;
  readonly version: string;
  readonly components: ReleaseAsset;
  readonly metadata: ReleaseAsset;
}

/** The providers at the versions of a spec, in install order. */
export function providersFor(versions: ManagementVersions): readonly ProviderRelease[] {
  return providers.map((provider) => {
    const version = versions[provider.versionField];
    const { repository } = provider;
    return {
      provider,
      version,
      components: { repository, version, file: provider.componentsFile },
      metadata: { repository, version, file: provider.metadataFile },
    };
  });
}

/** cert-manager's manifest. It is no provider: it has no metadata.yaml and is installed before all of them. */
export function certManagerRelease(version: string): ReleaseAsset {
  return { repository: 'cert-manager/cert-manager', version, file: 'cert-manager.yaml' };
}

/** Variables of the providers' manifests that Petra sets, and why; all others keep the default their manifest gives. */
export const variableChoices: readonly {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}[] = [
  {
    name: 'CLUSTER_TOPOLOGY',
    value: 'true',
    reason:
      'The default is false in every release, and then the webhook refuses a Cluster with a ClusterClass.',
  },
  {
    name: 'AWS_B64ENCODED_CREDENTIALS',
    value: 'Cg==',
    reason: 'A blank credentials file: CAPA then uses the instance profile, and no long-lived key is stored.',
  },
  {
    name: 'EXP_EXTERNAL_RESOURCE_GC',
    value: 'true',
    reason:
      "CAPA up to 2.8: deletes load balancers that a workload's Services made; they would block the VPC's deletion.",
  },
  {
    name: 'EXTERNAL_RESOURCE_GC',
    value: 'true',
    reason: 'The same from CAPA 2.9 on, where it has this name and is on by default.',
  },
];

/** `variableChoices` as `renderProvider` takes them. */
export const providerVariables: Readonly<Record<string, string>> = Object.fromEntries(
  variableChoices.map(({ name, value }) => [name, value]),
);
