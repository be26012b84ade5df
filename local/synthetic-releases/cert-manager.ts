// A small cert-manager release: its true custom resources (v1.17.1), Deployments, Services and webhooks.

import type { KubernetesObject } from '../../core/ports.ts';
import { age, type Definition, renderDefinition, text } from './custom-resource.ts';
import { renderDeployment } from './deployment.ts';

const ready = text('Ready', '.status.conditions[?(@.type=="Ready")].status');
const readyMessage = text('Status', '.status.conditions[?(@.type=="Ready")].message', 1);
const issuer = text('Issuer', '.spec.issuerRef.name', 1);
const state = text('State', '.status.state');
const reason = text('Reason', '.status.reason', 1);
const certificates = { group: 'cert-manager.io', versions: ['v1'], categories: ['cert-manager'] };
const acme = {
  group: 'acme.cert-manager.io',
  versions: ['v1'],
  categories: ['cert-manager', 'cert-manager-acme'],
};

const definitions: readonly Definition[] = [
  {
    ...certificates,
    kind: 'Certificate',
    plural: 'certificates',
    shortNames: ['cert', 'certs'],
    columns: [ready, text('Secret', '.spec.secretName'), issuer, readyMessage, age],
  },
  {
    ...certificates,
    kind: 'CertificateRequest',
    plural: 'certificaterequests',
    shortNames: ['cr', 'crs'],
    columns: [
      text('Approved', '.status.conditions[?(@.type=="Approved")].status'),
      text('Denied', '.status.conditions[?(@.type=="Denied")].status'),
      ready,
      text('Issuer', '.spec.issuerRef.name'),
      text('Requester', '.spec.username'),
      readyMessage,
      age,
    ],
  },
  { ...certificates, kind: 'Issuer', plural: 'issuers', columns: [ready, readyMessage, age] },
  {
    ...certificates,
    kind: 'ClusterIssuer',
    plural: 'clusterissuers',
    scope: 'Cluster',
    columns: [ready, readyMessage, age],
  },
  { ...acme, kind: 'Order', plural: 'orders', columns: [state, issuer, reason, age] },
  {
    ...acme,
    kind: 'Challenge',
    plural: 'challenges',
    columns: [state, text('Domain', '.spec.dnsName'), reason, age],
  },
];

const namespace = 'cert-manager';

/** All objects of a version of cert-manager. */
export function certManagerManifest(version: string): readonly KubernetesObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...definitions.map((definition) => renderDefinition(definition)),
    ...[
      component('cert-manager', 'cert-manager-controller', version),
      component('cert-manager-cainjector', 'cert-manager-cainjector', version),
      component('cert-manager-webhook', 'cert-manager-webhook', version),
    ].flat(),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'cert-manager-webhook', namespace },
      spec: {
        type: 'ClusterIP',
        selector: labels('cert-manager-webhook'),
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }],
      },
    },
    webhook('MutatingWebhookConfiguration', '/mutate', {
      apiGroups: ['cert-manager.io'],
      operations: ['CREATE'],
      resources: ['certificaterequests'],
    }),
    webhook('ValidatingWebhookConfiguration', '/validate', {
      apiGroups: ['cert-manager.io', 'acme.cert-manager.io'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['*/*'],
    }),
  ];
}

function labels(name: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': 'cert-manager' };
}

/** A ServiceAccount that may do what cert-manager does, and the Deployment that runs as it. */
function component(name: string, image: string, version: string): readonly KubernetesObject[] {
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: ['cert-manager.io', 'acme.cert-manager.io'], resources: ['*'], verbs: ['*'] },
        { apiGroups: [''], resources: ['secrets', 'events'], verbs: ['*'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    renderDeployment({
      name,
      namespace,
      labels: labels(name),
      serviceAccount: name,
      container: {
        name: image,
        image: `synthetic.invalid/jetstack/${image}:${version}`,
        args: ['--v=2', '--leader-election-namespace=kube-system'],
        ports: [{ name: 'https', containerPort: 10250, protocol: 'TCP' }],
      },
    }),
  ];
}

function webhook(
  kind: string,
  path: string,
  rule: { readonly apiGroups: string[]; readonly operations: string[]; readonly resources: string[] },
): KubernetesObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: {
      name: 'cert-manager-webhook',
      annotations: { 'cert-manager.io/inject-ca-from-secret': `${namespace}/cert-manager-webhook-ca` },
    },
    webhooks: [
      {
        name: 'webhook.cert-manager.io',
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { name: 'cert-manager-webhook', namespace, path } },
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        timeoutSeconds: 30,
        rules: [{ ...rule, apiVersions: ['v1'] }],
      },
    ],
  };
}
