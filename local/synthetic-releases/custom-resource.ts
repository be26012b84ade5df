// How the synthetic releases describe a custom resource: what matters of it, and a schema that takes any field.

import type { KubernetesObject } from '../../core/ports.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  /** Above 0: only in wide output. */
  readonly priority?: number;
}

/** A custom resource, as far as the synthetic releases tell kinds apart. */
export interface Definition {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  /** Served versions; the last one is stored. */
  readonly versions: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope?: 'Cluster';
  readonly columns?: readonly Column[];
  readonly subresources?: 'status' | 'status and scale' | 'none';
  /** Which of its API versions implement a contract. */
  readonly contract?: Readonly<Record<string, string>>;
}

/** A column of text. */
export function text(name: string, jsonPath: string, priority = 0): Column {
  return { name, jsonPath, type: 'string', ...(priority > 0 ? { priority } : {}) };
}

/** A column of whole numbers. */
export function whole(name: string, jsonPath: string, priority = 0): Column {
  return { ...text(name, jsonPath, priority), type: 'integer' };
}

export const age: Column = { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' };

/** The CustomResourceDefinition; with several versions, `converter` is the Service that converts between them. */
export function renderDefinition(
  definition: Definition,
  converter?: {
    readonly service: { readonly name: string; readonly namespace: string };
    readonly certificate: string;
  },
): KubernetesObject {
  const { group, kind, plural, versions, shortNames, scope = 'Namespaced' } = definition;
  const { categories = ['cluster-api'] } = definition;
  const isConverted = converter !== undefined && versions.length > 1;
  const contract = Object.entries(definition.contract ?? {});
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      ...(contract.length === 0
        ? {}
        : {
            labels: Object.fromEntries(contract.map(([name, value]) => [`cluster.x-k8s.io/${name}`, value])),
          }),
      ...(isConverted
        ? {
            annotations: {
              'cert-manager.io/inject-ca-from': `${converter.service.namespace}/${converter.certificate}`,
            },
          }
        : {}),
    },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames ? { shortNames } : {}),
        ...(categories.length > 0 ? { categories } : {}),
      },
      ...(isConverted
        ? {
            conversion: {
              strategy: 'Webhook',
              webhook: {
                conversionReviewVersions: ['v1', 'v1beta1'],
                clientConfig: { service: { ...converter.service, path: '/convert' } },
              },
            },
          }
        : {}),
      versions: versions.map((name, index) => renderVersion(definition, name, index === versions.length - 1)),
    },
  };
}

function renderVersion({ columns, subresources = 'status' }: Definition, name: string, storage: boolean) {
  const scale = {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  };
  return {
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    ...(columns ? { additionalPrinterColumns: columns } : {}),
    ...(subresources === 'none'
      ? {}
      : { subresources: { status: {}, ...(subresources === 'status and scale' ? { scale } : {}) } }),
  };
}
