// Which kinds a simulated cluster serves by itself. Names, short names, scopes and categories are those that
// `kubectl api-resources` prints for Kubernetes 1.35.

import type { JsonObject } from './api-json.ts';

/** A column of `kubectl get`, as in a CustomResourceDefinition's `additionalPrinterColumns`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly format?: string;
  readonly description?: string;
  /** Above 0: only with `-o wide`. */
  readonly priority?: number;
}

export interface ServedVersion {
  readonly name: string;
  /** `status`, and `scale` where there is one. */
  readonly subresources: readonly string[];
  readonly printerColumns: readonly PrinterColumn[];
  /** The OpenAPI v3 schema of a custom resource; built-in kinds have none here. */
  readonly schema?: JsonObject;
}

export interface ResourceType {
  readonly group: string;
  /** Served versions, the preferred first. */
  readonly versions: readonly ServedVersion[];
  /** The version that objects are kept in. */
  readonly storageVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Whether a change of anything but metadata and status counts `metadata.generation` up. */
  readonly generation: boolean;
  readonly custom: boolean;
}

export const allVerbs: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

interface Row {
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly string[];
  readonly clusterScoped?: true;
  readonly generation?: true;
}

function builtIn(apiVersion: string, kind: string, plural: string, row: Row = {}): ResourceType {
  const [group, version] = splitApiVersion(apiVersion);
  return {
    group,
    versions: [{ name: version, subresources: row.subresources ?? [], printerColumns: [] }],
    storageVersion: version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    namespaced: row.clusterScoped !== true,
    verbs: allVerbs,
    generation: row.generation === true,
    custom: false,
  };
}

/** `apps/v1` → `['apps', 'v1']`, `v1` → `['', 'v1']`. */
export function splitApiVersion(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

export function joinApiVersion(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

const all = ['all'];
const status = ['status'];

const clusterScoped = true;
const generation = true;
const rbac = 'rbac.authorization.k8s.io/v1';
const admission = 'admissionregistration.k8s.io/v1';

export const builtInResources: readonly ResourceType[] = [
  builtIn('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  builtIn('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] }),
  builtIn('v1', 'Event', 'events', { shortNames: ['ev'] }),
  builtIn('v1', 'LimitRange', 'limitranges', { shortNames: ['limits'] }),
  builtIn('v1', 'Namespace', 'namespaces', { shortNames: ['ns'], clusterScoped, subresources: status }),
  builtIn('v1', 'Node', 'nodes', { shortNames: ['no'], clusterScoped, subresources: status }),
  builtIn('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', {
    shortNames: ['pvc'],
    subresources: status,
  }),
  builtIn('v1', 'PersistentVolume', 'persistentvolumes', {
    shortNames: ['pv'],
    clusterScoped,
    subresources: status,
  }),
  builtIn('v1', 'Pod', 'pods', { shortNames: ['po'], categories: all, subresources: status, generation }),
  builtIn('v1', 'ResourceQuota', 'resourcequotas', { shortNames: ['quota'], subresources: status }),
  builtIn('v1', 'Secret', 'secrets'),
  builtIn('v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  builtIn('v1', 'Service', 'services', { shortNames: ['svc'], categories: all, subresources: status }),
  builtIn(admission, 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', {
    categories: ['api-extensions'],
    clusterScoped,
    generation,
  }),
  builtIn(admission, 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', {
    categories: ['api-extensions'],
    clusterScoped,
    generation,
  }),
  builtIn(admission, 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', {
    categories: ['api-extensions'],
    clusterScoped,
    generation,
    subresources: status,
  }),
  builtIn(admission, 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', {
    categories: ['api-extensions'],
    clusterScoped,
    generation,
  }),
  builtIn('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    clusterScoped,
    generation,
    subresources: status,
  }),
  builtIn('apiregistration.k8s.io/v1', 'APIService', 'apiservices', {
    categories: ['api-extensions'],
    clusterScoped,
    subresources: status,
  }),
  builtIn('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  builtIn('apps/v1', 'DaemonSet', 'daemonsets', {
    shortNames: ['ds'],
    categories: all,
    subresources: status,
    generation,
  }),
  builtIn('apps/v1', 'Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: all,
    subresources: status,
    generation,
  }),
  builtIn('apps/v1', 'ReplicaSet', 'replicasets', {
    shortNames: ['rs'],
    categories: all,
    subresources: status,
    generation,
  }),
  builtIn('apps/v1', 'StatefulSet', 'statefulsets', {
    shortNames: ['sts'],
    categories: all,
    subresources: status,
    generation,
  }),
  builtIn('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    shortNames: ['hpa'],
    categories: all,
    subresources: status,
  }),
  builtIn('batch/v1', 'CronJob', 'cronjobs', {
    shortNames: ['cj'],
    categories: all,
    subresources: status,
    generation,
  }),
  builtIn('batch/v1', 'Job', 'jobs', { categories: all, subresources: status, generation }),
  builtIn('coordination.k8s.io/v1', 'Lease', 'leases'),
  builtIn('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', { generation }),
  builtIn('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', { clusterScoped, generation }),
  builtIn('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    shortNames: ['ing'],
    subresources: status,
    generation,
  }),
  builtIn('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', { shortNames: ['netpol'], generation }),
  builtIn('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', {
    shortNames: ['pdb'],
    subresources: status,
    generation,
  }),
  builtIn(rbac, 'ClusterRoleBinding', 'clusterrolebindings', { clusterScoped }),
  builtIn(rbac, 'ClusterRole', 'clusterroles', { clusterScoped }),
  builtIn(rbac, 'RoleBinding', 'rolebindings'),
  builtIn(rbac, 'Role', 'roles'),
  builtIn('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', {
    shortNames: ['pc'],
    clusterScoped,
    generation,
  }),
  builtIn('storage.k8s.io/v1', 'StorageClass', 'storageclasses', { shortNames: ['sc'], clusterScoped }),
  builtIn('storage.k8s.io/v1', 'CSIDriver', 'csidrivers', { clusterScoped }),
  builtIn('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', {
    clusterScoped,
    subresources: status,
  }),
];
