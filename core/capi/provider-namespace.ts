// Moves a provider's objects into its namespace, by clusterctl's rules (client/repository/components.go, fixTargetNamespace).

import { PetraError } from '../errors.ts';
import { isObject } from '../json-fields.ts';
import type { KubernetesObject } from '../ports.ts';

/** Kinds without a namespace that can be in a manifest; custom kinds of scope Cluster are added from its CRDs. */
const clusterScopedKinds: readonly string[] = [
  'APIService',
  'CertificateSigningRequest',
  'ClusterIssuer',
  'ClusterRole',
  'ClusterRoleBinding',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'FlowSchema',
  'IngressClass',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PodSecurityPolicy',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
];

const injectFrom = 'cert-manager.io/inject-ca-from';

/**
 * The objects with their namespace and every reference to it set to `namespace`, and with the one Namespace object
 * renamed, or added in front when there is none. @throws ReleaseCorrupt when there are several
 */
export function moveToNamespace(
  objects: readonly KubernetesObject[],
  namespace: string,
  source: string,
): readonly KubernetesObject[] {
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  if (namespaces.length > 1) {
    const names = namespaces.map(({ metadata }) => metadata.name).join(', ');
    throw new PetraError('ReleaseCorrupt', `${source} has several Namespaces (${names}); one was expected`);
  }
  const added =
    namespaces.length === 0 ? [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }] : [];
  const clusterScoped = new Set([...clusterScopedKinds, ...clusterScopedDefinitions(objects)]);
  return [...added, ...objects.map((object) => moveObject(object, namespace, clusterScoped, source))];
}

function clusterScopedDefinitions(objects: readonly KubernetesObject[]): readonly string[] {
  return objects.flatMap(({ kind, spec }) => {
    if (kind !== 'CustomResourceDefinition' || !isObject(spec) || spec.scope !== 'Cluster') return [];
    return isObject(spec.names) && typeof spec.names.kind === 'string' ? [spec.names.kind] : [];
  });
}

function moveObject(
  object: KubernetesObject,
  namespace: string,
  clusterScoped: ReadonlySet<string>,
  source: string,
): KubernetesObject {
  const inNamespace = (service: unknown) => (isObject(service) ? { ...service, namespace } : service);
  switch (object.kind) {
    case 'Namespace':
      return { ...object, metadata: { ...object.metadata, name: namespace } };
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return placed(
        changeAt(object, ['subjects', '*'], (subject) =>
          isObject(subject) && subject.namespace ? { ...subject, namespace } : subject,
        ),
      );
    case 'MutatingWebhookConfiguration':
    case 'ValidatingWebhookConfiguration':
      return injected(changeAt(object, ['webhooks', '*', 'clientConfig', 'service'], inNamespace));
    case 'CustomResourceDefinition':
      return injected(
        changeAt(object, ['spec', 'conversion', 'webhook', 'clientConfig', 'service'], inNamespace),
      );
    case 'Certificate': {
      const own = `.${object.metadata.namespace ?? ''}.`;
      return placed(
        changeAt(object, ['spec', 'dnsNames', '*'], (name) =>
          typeof name === 'string' ? name.replace(own, () => `.${namespace}.`) : name,
        ),
      );
    }
    default:
      return placed(object);
  }

  function placed(moved: KubernetesObject): KubernetesObject {
    return clusterScoped.has(moved.kind) ? moved : { ...moved, metadata: { ...moved.metadata, namespace } };
  }

  function injected(moved: KubernetesObject): KubernetesObject {
    const certificate = moved.metadata.annotations?.[injectFrom];
    if (certificate === undefined) return moved;
    const [, name, ...rest] = certificate.split('/');
    if (name === undefined || rest.length > 0) {
      throw new PetraError(
        'ReleaseCorrupt',
        `${source}: ${moved.kind} ${moved.metadata.name} has ${injectFrom}: ${certificate}, expected namespace/name`,
      );
    }
    const annotations = { ...moved.metadata.annotations, [injectFrom]: `${namespace}/${name}` };
    return { ...moved, metadata: { ...moved.metadata, annotations } };
  }
}

/** A copy with `change` applied to what is at the path; `*` is every item of a list. A path that ends early changes nothing. */
export function changeAt(
  object: KubernetesObject,
  path: readonly [string, ...string[]],
  change: (value: unknown) => unknown,
): KubernetesObject {
  const [field, ...rest] = path;
  return field in object ? { ...object, [field]: changeValue(object[field], rest, change) } : object;
}

function changeValue(value: unknown, path: readonly string[], change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (step === '*') {
    return Array.isArray(value) ? value.map((item: unknown) => changeValue(item, rest, change)) : value;
  }
  return isObject(value) && step in value
    ? { ...value, [step]: changeValue(value[step], rest, change) }
    : value;
}
