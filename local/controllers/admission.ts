// The admission webhooks of cert-manager and of Cluster API's providers.
// Simulated: refusal while their manager or its CA is not there, defaults and validation of Clusters, the feature
// gate, ClusterClasses in use, immutable templates, `webhook:` faults. The k3s webhooks validate nothing upstream
// either (cluster-api-k3s, controlplane/api/v1beta2/kthreescontrolplane_webhook.go): even an even number of servers.

import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { sameJson } from '../kubernetes/api-json.ts';
import {
  ApiStatusError,
  forbidden,
  invalid,
  invalidValue,
  type StatusCause,
} from '../kubernetes/api-status.ts';
import type { AdmissionRequest, Admit, ObjectStore } from '../kubernetes/object-store.ts';
import { clusterProblems, defaultCluster } from './cluster-validation.ts';
import { isConditionTrue } from './conditions.ts';
import type { ActiveFaults } from './environment.ts';
import { groupOf, isDeleting, isKind, kinds } from './kinds.ts';
import { managers } from './managers.ts';
import { pick } from './naming.ts';

interface Webhook {
  /** The Deployment that would answer. */
  readonly deployment: string;
  readonly service: string;
  readonly namespace: string;
}

const core: Webhook = {
  deployment: managers.core,
  service: 'capi-webhook-service',
  namespace: 'capi-system',
};

/** Who answers for the objects of an API group. */
const webhooks: Readonly<Record<string, Webhook>> = {
  'cert-manager.io': {
    deployment: managers.certManagerWebhook,
    service: 'cert-manager-webhook',
    namespace: 'cert-manager',
  },
  'cluster.x-k8s.io': core,
  'addons.cluster.x-k8s.io': core,
  'infrastructure.cluster.x-k8s.io': {
    deployment: managers.aws,
    service: 'capa-webhook-service',
    namespace: 'capa-system',
  },
  'bootstrap.cluster.x-k8s.io': {
    deployment: managers.bootstrap,
    service: 'capi-k3s-bootstrap-webhook-service',
    namespace: 'capi-k3s-bootstrap-system',
  },
  'controlplane.cluster.x-k8s.io': {
    deployment: managers.controlPlane,
    service: 'capi-k3s-control-plane-webhook-service',
    namespace: 'capi-k3s-control-plane-system',
  },
};

const immutableTemplates = ['AWSMachineTemplate', 'AWSClusterTemplate'];

/** All webhooks of a management cluster, for its store. */
export function admission(store: ObjectStore, faults: ActiveFaults): Admit {
  return (request) => {
    const { object, operation, subresource } = request;
    const webhook = webhooks[groupOf(object)];
    // Webhooks are registered for the objects themselves, not for their status; of deletions only ClusterClass's.
    if (subresource !== undefined) return object;
    if (operation === 'DELETE') {
      if (isKind(object, kinds.clusterClass)) {
        requireAnswer(store, object, core);
        refuseWhileUsed(store, object);
      }
      return object;
    }
    if (webhook) requireAnswer(store, object, webhook);
    if (!isDeleting(object) && faults.active(`webhook:${object.kind}`) !== undefined) {
      throw denied(object, forbidden(named(object), object.metadata.name, 'refused as the fault asks for'));
    }
    if (immutableTemplates.includes(object.kind)) refuseChange(request);
    if (isKind(object, kinds.cluster)) return admitCluster(store, request);
    if (isKind(object, kinds.clusterClass)) requireTopology(store, object);
    if (isKind(object, kinds.controlPlane)) {
      return { ...object, spec: { replicas: 1, ...recordAt(object, 'spec') } };
    }
    return object;
  };
}

function admitCluster(store: ObjectStore, { object, oldObject }: AdmissionRequest): KubernetesObject {
  if (recordAt(object, 'spec').topology === undefined || isDeleting(object)) return object;
  requireTopology(store, object);
  const { apiVersion, kind } = kinds.clusterClass;
  const className = textAt(object, 'spec', 'topology', 'class') ?? '';
  const clusterClass = store.get(apiVersion, kind, object.metadata.namespace, className);
  const completed = defaultCluster(object, clusterClass);
  const problems = clusterProblems(completed, clusterClass, oldObject);
  if (problems.length > 0) throw deniedAsInvalid(object, problems);
  return completed;
}

/** `CLUSTER_TOPOLOGY` is off by default, and then Clusters with a class are refused. */
function requireTopology(store: ObjectStore, object: KubernetesObject): void {
  const manager = deploymentOf(store, core);
  const isOn = listAt(manager, 'spec', 'template', 'spec', 'containers')
    .flatMap((container) => listAt(container, 'args'))
    .some((argument) => /^--feature-gates=.*\bClusterTopology=true\b/.test(String(argument)));
  if (isOn) return;
  throw deniedAsInvalid(object, [
    {
      reason: 'FieldValueForbidden',
      field: isKind(object, kinds.cluster) ? 'spec.topology' : 'spec',
      message: 'Forbidden: can be set only if the ClusterTopology feature flag is enabled',
    },
  ]);
}

function refuseWhileUsed(store: ObjectStore, clusterClass: KubernetesObject): void {
  const { name, namespace } = clusterClass.metadata;
  const users = store
    .list(kinds.cluster.apiVersion, kinds.cluster.kind, { namespace })
    .filter((cluster) => textAt(cluster, 'spec', 'topology', 'class') === name);
  if (users.length === 0) return;
  const why = `ClusterClass cannot be deleted because it is used by ${users.length} Cluster(s)`;
  throw denied(clusterClass, forbidden(named(clusterClass), name, why));
}

function refuseChange({ object, oldObject }: AdmissionRequest): void {
  if (!oldObject || sameJson(oldObject.spec, object.spec)) return;
  throw deniedAsInvalid(object, [
    invalidValue('spec.template.spec', object.spec, `${object.kind}.Spec is immutable`),
  ]);
}

/** The webhook's Deployment must run, and the API server must know its CA. */
function requireAnswer(store: ObjectStore, object: KubernetesObject, webhook: Webhook): void {
  const deployment = deploymentOf(store, webhook);
  const isRunning = deployment !== undefined && isConditionTrue(deployment, 'Available');
  if (isRunning && hasCa(store, deployment.metadata.namespace)) return;
  const namespace = deployment?.metadata.namespace ?? webhook.namespace;
  const address = `10.43.${pick(webhook.service, 256)}.${2 + pick(namespace, 250)}:443`;
  const why = isRunning
    ? 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    : `dial tcp ${address}: connect: connection refused`;
  throw new ApiStatusError(
    500,
    'InternalError',
    `Internal error occurred: failed calling webhook "${webhookName(object)}": failed to call webhook: Post "https://${webhook.service}.${namespace}.svc:443/?timeout=10s": ${why}`,
    { causes: [{ reason: 'UnexpectedServerResponse', message: why }] },
  );
}

function deploymentOf(store: ObjectStore, webhook: Webhook): KubernetesObject | undefined {
  const { apiVersion, kind } = kinds.deployment;
  return store.list(apiVersion, kind).find(({ metadata }) => metadata.name === webhook.deployment);
}

/** Whether cert-manager has put a CA into every webhook configuration that waits for one from this namespace. */
function hasCa(store: ObjectStore, namespace: string | undefined): boolean {
  const configurations = [kinds.mutatingWebhooks, kinds.validatingWebhooks].flatMap(({ apiVersion, kind }) =>
    store.list(apiVersion, kind),
  );
  return configurations
    .filter(({ metadata }) =>
      Object.keys(metadata.annotations ?? {}).some((name) =>
        name.startsWith('cert-manager.io/inject-ca-from'),
      ),
    )
    .flatMap((configuration) => listAt(configuration, 'webhooks'))
    .filter((webhook) => textAt(webhook, 'clientConfig', 'service', 'namespace') === namespace)
    .every((webhook) => (textAt(webhook, 'clientConfig', 'caBundle') ?? 'Cg==') !== 'Cg==');
}

function webhookName(object: KubernetesObject): string {
  const group = groupOf(object);
  return group === 'cert-manager.io'
    ? 'webhook.cert-manager.io'
    : `validation.${object.kind.toLowerCase()}.${group}`;
}

function deniedAsInvalid(object: KubernetesObject, problems: readonly StatusCause[]): ApiStatusError {
  return denied(object, invalid(named(object), object.metadata.name, problems));
}

function denied(
  object: KubernetesObject,
  { code, reason, message, details }: ApiStatusError,
): ApiStatusError {
  const text = `admission webhook "${webhookName(object)}" denied the request: ${message}`;
  return new ApiStatusError(code, reason, text, details);
}

function named(object: KubernetesObject) {
  const { kind } = object;
  const plural = kind.toLowerCase().replace(/ss$/, 'sse').concat('s');
  return { group: groupOf(object), kind, plural };
}
