// The few defaults of built-in kinds without which kubectl cannot describe them, or controllers guess.

import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../../core/ports.ts';
import { at, isObject, type JsonObject, listOr, objectOr, stringOr } from './api-json.ts';

/** The object with defaults filled in, as the API server does before storing it. */
export function withDefaults(object: KubernetesObject): KubernetesObject {
  switch (object.kind) {
    case 'Namespace':
      return {
        ...object,
        spec: { finalizers: ['kubernetes'], ...objectOr(object.spec) },
        status: { phase: 'Active', ...objectOr(object.status) },
        metadata: {
          ...object.metadata,
          labels: { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels },
        },
      };
    case 'Deployment':
    case 'StatefulSet':
    case 'ReplicaSet':
      return withSpec(object, { replicas: 1, ...strategy(object.kind) }, templated);
    case 'DaemonSet':
      return withSpec(object, {}, templated);
    case 'Job':
      return withSpec(object, { parallelism: 1, completions: 1, backoffLimit: 6 }, templated);
    case 'Pod':
      return withSpec(
        { ...object, status: { phase: 'Pending', ...objectOr(object.status) } },
        podDefaults,
        podSpec,
      );
    case 'Service':
      return withSpec(object, serviceDefaults(object), servicePorts);
    case 'CustomResourceDefinition':
      return withSpec(object, { conversion: { strategy: 'None' } }, (spec) => spec);
    case 'MutatingWebhookConfiguration':
    case 'ValidatingWebhookConfiguration':
      return { ...object, webhooks: listOr(object.webhooks).filter(isObject).map(webhook) };
    case 'Secret':
      return secret(object);
    default:
      return object;
  }
}

const podDefaults = {
  securityContext: {},
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
};

function strategy(kind: string): JsonObject {
  if (kind !== 'Deployment') return {};
  return {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  };
}

function withSpec(
  object: KubernetesObject,
  defaults: JsonObject,
  finish: (spec: JsonObject) => JsonObject,
): KubernetesObject {
  return { ...object, spec: finish({ ...defaults, ...objectOr(object.spec) }) };
}

function templated(spec: JsonObject): JsonObject {
  const template = objectOr(spec.template);
  const pod = { ...podDefaults, ...objectOr(template.spec) };
  return { ...spec, template: { ...template, spec: podSpec(pod) } };
}

function podSpec(spec: JsonObject): JsonObject {
  const containers = listOr(spec.containers).filter(isObject).map(container);
  return { ...spec, containers };
}

function container(fields: JsonObject): JsonObject {
  const image = stringOr(fields.image, '');
  const isLatest = !/[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) || image.endsWith(':latest');
  return {
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...fields,
    ...(Array.isArray(fields.ports)
      ? { ports: fields.ports.map((port) => ({ protocol: 'TCP', ...objectOr(port) })) }
      : {}),
  };
}

function webhook(fields: JsonObject): JsonObject {
  return {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    ...fields,
    ...(Array.isArray(fields.rules)
      ? { rules: fields.rules.map((rule) => ({ scope: '*', ...objectOr(rule) })) }
      : {}),
  };
}

function serviceDefaults(object: KubernetesObject): JsonObject {
  const defaults = { type: 'ClusterIP', sessionAffinity: 'None' };
  if (at(object, 'spec', 'type') === 'ExternalName') return defaults;
  const { namespace, name } = object.metadata;
  const [third = 0, fourth = 0] = createHash('sha256').update(`${namespace}/${name}`).digest();
  // Of k3s's default service range; the same name always has the same address, and nobody connects to it.
  const clusterIP = at(object, 'spec', 'clusterIP') ?? `10.43.${third}.${fourth}`;
  return {
    ...defaults,
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  };
}

function servicePorts(spec: JsonObject): JsonObject {
  if (!Array.isArray(spec.ports)) return spec;
  const ports = spec.ports.map((port) => ({
    protocol: 'TCP',
    targetPort: at(port, 'port'),
    ...objectOr(port),
  }));
  return { ...spec, ports };
}

/** `stringData` is write-only: it is stored as `data`. */
function secret(object: KubernetesObject): KubernetesObject {
  const { stringData, ...rest } = object;
  const encoded = Object.entries(objectOr(stringData)).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  const { apiVersion, kind, metadata } = object;
  const data =
    encoded.length > 0 ? { data: { ...objectOr(object.data), ...Object.fromEntries(encoded) } } : {};
  return { type: 'Opaque', ...rest, ...data, apiVersion, kind, metadata };
}
