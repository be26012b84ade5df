// A small release of a Cluster API provider: what surrounds its custom resources, named as in the real one.
// Variables are written as in the real manifests, so that filling them in is tried as well.

import type { KubernetesObject } from '../../core/ports.ts';
import { type Definition, renderDefinition } from './custom-resource.ts';
import { renderDeployment } from './deployment.ts';

/** What tells one provider's manifest from another's. */
export interface SyntheticProvider {
  readonly key: string;
  readonly namespace: string;
  /** In front of the name of everything without a name of its own, for example `capi-`. */
  readonly prefix: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly definitions: readonly Definition[];
  readonly serviceAccount: string;
  /** Core only: its permissions are gathered from the roles of all providers. */
  readonly aggregatesRoles?: true;
  readonly extra?: readonly KubernetesObject[];
  /** Of the Pod. */
  readonly pod?: Readonly<Record<string, unknown>>;
}

/** All objects of a version of the provider, except its ServiceAccount. */
export function providerManifest(provider: SyntheticProvider, version: string): readonly KubernetesObject[] {
  const { namespace, prefix } = provider;
  const labels = {
    'cluster.x-k8s.io/provider': provider.key,
    'control-plane': `${prefix}controller-manager`,
  };
  const service = { name: `${prefix}webhook-service`, namespace };
  const certificate = `${prefix}serving-cert`;
  const converter = { service, certificate };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...provider.definitions.map((definition) => renderDefinition(definition, converter)),
    ...roles(provider),
    ...(provider.extra ?? []),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: service,
      spec: { selector: labels, ports: [{ port: 443, targetPort: 'webhook-server' }] },
    },
    renderDeployment({
      name: `${prefix}controller-manager`,
      namespace,
      labels,
      serviceAccount: provider.serviceAccount,
      container: {
        name: 'manager',
        image: `synthetic.invalid/${provider.image}:${version}`,
        args: provider.args,
        ports: [
          { name: 'webhook-server', containerPort: 9443, protocol: 'TCP' },
          { name: 'healthz', containerPort: 9440, protocol: 'TCP' },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'healthz' } },
        volumeMounts: [{ name: 'cert', mountPath: '/tmp/k8s-webhook-server/serving-certs', readOnly: true }],
      },
      pod: {
        volumes: [{ name: 'cert', secret: { secretName: `${prefix}webhook-service-cert` } }],
        ...provider.pod,
      },
    }),
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: certificate, namespace },
      spec: {
        dnsNames: [`${service.name}.${namespace}.svc`, `${service.name}.${namespace}.svc.cluster.local`],
        issuerRef: { kind: 'Issuer', name: `${prefix}selfsigned-issuer` },
        secretName: `${prefix}webhook-service-cert`,
      },
    },
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: `${prefix}selfsigned-issuer`, namespace },
      spec: { selfSigned: {} },
    },
    webhooks(provider, 'Mutating', service, certificate),
    webhooks(provider, 'Validating', service, certificate),
  ];
}

function roles(provider: SyntheticProvider): readonly KubernetesObject[] {
  const { prefix, namespace, definitions, aggregatesRoles } = provider;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const subjects = [{ kind: 'ServiceAccount', name: provider.serviceAccount, namespace }];
  const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  const managerRole = `${prefix}${aggregatesRoles ? 'aggregated-manager-role' : 'manager-role'}`;
  const aggregate = { 'cluster.x-k8s.io/aggregate-to-manager': 'true' };
  return [
    {
      apiVersion,
      kind: 'Role',
      metadata: { name: `${prefix}leader-election-role`, namespace },
      rules: [
        { apiGroups: [''], resources: ['events'], verbs: ['create'] },
        { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] },
      ],
    },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: `${prefix}leader-election-rolebinding`, namespace },
      roleRef: roleRef('Role', `${prefix}leader-election-role`),
      subjects,
    },
    ...(aggregatesRoles
      ? [
          {
            apiVersion,
            kind: 'ClusterRole',
            metadata: { name: managerRole },
            aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregate }] },
            rules: [],
          },
        ]
      : []),
    {
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name: `${prefix}manager-role`, labels: aggregate },
      rules: [
        { apiGroups: [''], resources: ['events', 'namespaces', 'nodes', 'secrets'], verbs: ['*'] },
        {
          apiGroups: [...new Set(definitions.map(({ group }) => group))],
          resources: definitions.flatMap(({ plural }) => [plural, `${plural}/status`]),
          verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
        },
        // Every provider follows what its objects belong to.
        {
          apiGroups: ['cluster.x-k8s.io'],
          resources: ['clusters', 'clusters/status', 'machines', 'machines/status'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${prefix}manager-rolebinding` },
      roleRef: roleRef('ClusterRole', managerRole),
      subjects,
    },
  ];
}

function webhooks(
  { prefix, definitions }: SyntheticProvider,
  type: 'Mutating' | 'Validating',
  service: { readonly name: string; readonly namespace: string },
  certificate: string,
): KubernetesObject {
  const [verb, name] = type === 'Mutating' ? ['mutate', 'default'] : ['validate', 'validation'];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${type}WebhookConfiguration`,
    metadata: {
      name: `${prefix}${type.toLowerCase()}-webhook-configuration`,
      annotations: { 'cert-manager.io/inject-ca-from': `${service.namespace}/${certificate}` },
    },
    webhooks: definitions.map(({ group, kind, plural, versions }) => {
      const version = versions.at(-1) ?? '';
      const path = `/${verb}-${group.replaceAll('.', '-')}-${version}-${kind.toLowerCase()}`;
      return {
        name: `${name}.${kind.toLowerCase()}.${group}`,
        admissionReviewVersions: ['v1', 'v1beta1'],
        clientConfig: { service: { ...service, path } },
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        rules: [
          {
            apiGroups: [group],
            apiVersions: [version],
            operations: ['CREATE', 'UPDATE'],
            resources: [plural],
          },
        ],
      };
    }),
  };
}
