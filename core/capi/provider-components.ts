// What `clusterctl init` makes of a provider's release, as objects to apply (clusterctl 1.9,
// client/repository/components.go): variables, images, namespace, labels, order; then its inventory. Compared with
// `clusterctl generate provider` over the real manifests: the same objects, but for injected-fields.ts, host-network.ts,
// fleet-size.ts and their order.

import type { KubernetesObject } from '../ports.ts';
import { substitute } from './envsubst.ts';
import { fitForFleet } from './fleet-size.ts';
import { onHostNetwork } from './host-network.ts';
import { withoutInjectedFields } from './injected-fields.ts';
import { parseManifest } from './manifest-yaml.ts';
import { type ImageOverrides, overrideImages } from './provider-images.ts';
import { moveToNamespace } from './provider-namespace.ts';
import type { Provider } from './providers.ts';

/** On every object that clusterctl, or Petra in its place, manages. */
export const clusterctlLabel = 'clusterctl.cluster.x-k8s.io';
export const coreLabel = 'clusterctl.cluster.x-k8s.io/core';
/** On every object of a provider, with its key. */
export const providerLabel = 'cluster.x-k8s.io/provider';

/**
 * The provider's objects, ready to apply: namespaces first, then what cert-manager acts on, then definitions, then the
 * rest in the file's order. Takes about 0.1 s for each MB.
 * @throws VariablesMissing, ReleaseCorrupt
 */
export function renderProvider(input: {
  readonly provider: Provider;
  readonly version: string;
  /** The components file as released. */
  readonly yaml: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly imageOverrides?: ImageOverrides;
}): readonly KubernetesObject[] {
  const { provider, version, yaml, variables, imageOverrides = {} } = input;
  const source = `${provider.componentsFile} of ${provider.title} ${version}`;
  const objects = parseManifest(substitute(yaml, variables, source), source);
  const moved = moveToNamespace(
    overrideImages(objects, provider.key, imageOverrides),
    provider.namespace,
    source,
  );
  const labels = providerLabels(provider);
  const placed = provider.key === 'infrastructure-aws' ? moved.map(onHostNetwork) : moved;
  return placed
    .map((object) => fitForFleet(object, provider.key, version))
    .map((object) => labelled(withoutInjectedFields(object), labels))
    .sort((one, other) => rank(one) - rank(other));
}

/** A copy of the object with these labels added. */
export function labelled(
  object: KubernetesObject,
  labels: Readonly<Record<string, string>>,
): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

function providerLabels(provider: Provider): Readonly<Record<string, string>> {
  return { [clusterctlLabel]: '', [providerLabel]: provider.key };
}

// cert-manager's injector must have seen the Certificate when it meets webhooks and definitions that want its CA
// (clusterctl's comment). Definitions come before Deployments also when a release has them behind.
function rank(object: KubernetesObject): number {
  if (object.kind === 'Namespace') return 0;
  if (object.apiVersion.startsWith('cert-manager.io/')) return 1;
  return object.kind === 'CustomResourceDefinition' ? 2 : 3;
}

export interface Stage {
  readonly name: 'namespaces' | 'components' | 'controllers';
  /** None needs another of the same stage to exist, so they can be applied at the same time. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * The objects in stages to apply one after the other; stages without objects are left out. As few as there can be: each
 * waits for the slowest request of the one before.
 */
export function stagesOf(objects: readonly KubernetesObject[]): readonly Stage[] {
  const groups = Map.groupBy(objects, stageOf);
  const names: readonly Stage['name'][] = ['namespaces', 'components', 'controllers'];
  return names
    .map((name) => ({ name, objects: groups.get(name) ?? [] }))
    .filter((stage) => stage.objects.length > 0);
}

function stageOf(object: KubernetesObject): Stage['name'] {
  if (object.kind === 'Namespace') return 'namespaces';
  const workloads = ['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'];
  return workloads.includes(object.kind) ? 'controllers' : 'components';
}

/** The entry by which clusterctl's `upgrade plan`, `describe`, `move` and `delete` know the provider. */
export function inventoryObject(provider: Provider, version: string): KubernetesObject {
  return {
    apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
    kind: 'Provider',
    metadata: {
      name: provider.key,
      namespace: provider.namespace,
      labels: { ...providerLabels(provider), [coreLabel]: 'inventory' },
    },
    providerName: provider.providerName,
    type: provider.type,
    version,
  };
}

/** The definition of the inventory, with the fields clusterctl reads and writes. */
export function inventoryCrd(): KubernetesObject {
  const text = { type: 'string' };
  const column = (name: string, jsonPath: string, type = 'string') => ({ name, jsonPath, type });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'providers.clusterctl.cluster.x-k8s.io',
      labels: { [clusterctlLabel]: '', [coreLabel]: 'inventory' },
    },
    spec: {
      group: 'clusterctl.cluster.x-k8s.io',
      names: {
        kind: 'Provider',
        listKind: 'ProviderList',
        plural: 'providers',
        singular: 'provider',
        categories: ['cluster-api'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1alpha3',
          served: true,
          storage: true,
          additionalPrinterColumns: [
            column('Type', '.type'),
            column('Provider', '.providerName'),
            column('Version', '.version'),
            column('Age', '.metadata.creationTimestamp', 'date'),
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                apiVersion: text,
                kind: text,
                metadata: { type: 'object' },
                providerName: text,
                type: text,
                version: text,
                watchedNamespace: text,
              },
            },
          },
        },
      ],
    },
  };
}
