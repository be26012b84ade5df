// biome-ignore-all lint/suspicious/noTemplateCurlyInString: manifests have variables

import { expect, test } from 'vitest';
import {
  inventoryCrd,
  inventoryObject,
  renderProvider,
  stagesOf,
} from '../../../core/capi/provider-components.ts';
import type { ImageOverrides } from '../../../core/capi/provider-images.ts';
import { type ProviderKey, providers, providerVariables } from '../../../core/capi/providers.ts';
import { hasCode } from '../../../core/errors.ts';
import type { KubernetesObject } from '../../../core/ports.ts';

function provider(key: ProviderKey) {
  const found = providers.find((one) => one.key === key);
  if (!found) throw new Error(`no provider ${key}`);
  return found;
}

function render(yaml: string, imageOverrides: ImageOverrides = {}): readonly KubernetesObject[] {
  return renderProvider({
    provider: provider('infrastructure-aws'),
    version: 'v2.7.2',
    yaml,
    variables: providerVariables,
    imageOverrides,
  });
}

function failure(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

// Every kind of thing a provider's manifest has, in another namespace than the provider's own, in a poor order.
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager, namespace: built-in, labels: {own: label}}
spec:
  template:
    spec:
      initContainers:
        - {name: first, image: "registry.example/tools/init@sha256:abc"}
      containers:
        - {name: proxy, image: "quay.io/brancz/kube-rbac-proxy:v0.16.0"}
        - name: manager
          image: "registry.k8s.io/cluster-api-aws/cluster-api-aws-controller:v2.7.2"
          args: ["--feature-gates=GC=\${EXP_EXTERNAL_RESOURCE_GC:=false},EKS=\${CAPA_EKS:=true}"]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: built-in}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: manager
  namespace: built-in
  annotations:
    \${AWS_CONTROLLER_IAM_ROLE/#arn/eks.amazonaws.com/role-arn: arn}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials, namespace: built-in}
data:
  credentials: \${AWS_B64ENCODED_CREDENTIALS}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: manager}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: manager}
subjects: [{kind: ServiceAccount, name: manager, namespace: built-in}, {kind: Group, name: people}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: leader, namespace: built-in}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: leader}
subjects: [{kind: ServiceAccount, name: manager, namespace: built-in}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: awsclusters.infrastructure.cluster.x-k8s.io
  annotations: {cert-manager.io/inject-ca-from: built-in/serving-cert}
spec:
  scope: Namespaced
  names: {kind: AWSCluster}
  conversion:
    strategy: Webhook
    webhook: {clientConfig: {service: {name: webhook, namespace: built-in, path: /convert}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: awsclustercontrolleridentities.infrastructure.cluster.x-k8s.io}
spec: {scope: Cluster, names: {kind: AWSClusterControllerIdentity}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta2
kind: AWSClusterControllerIdentity
metadata: {name: default}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: validating
  annotations: {cert-manager.io/inject-ca-from: built-in/serving-cert, own: kept}
webhooks:
  - {name: one, clientConfig: {service: {name: webhook, namespace: built-in, path: /validate}}}
  - {name: two, clientConfig: {url: "https://elsewhere.example"}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: serving-cert, namespace: built-in}
spec:
  dnsNames: [webhook.built-in.svc, webhook.built-in.svc.cluster.local, built-in.example]
---
apiVersion: v1
kind: Namespace
metadata: {name: built-in}
`;

function named(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && (!name || object.metadata.name === name));
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}

test('objects come in the order of their needs, otherwise in the order of the file', () => {
  expect(render(manifest).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Namespace capa-system',
    'Certificate serving-cert',
    'CustomResourceDefinition awsclusters.infrastructure.cluster.x-k8s.io',
    'CustomResourceDefinition awsclustercontrolleridentities.infrastructure.cluster.x-k8s.io',
    'Deployment manager',
    'Deployment other',
    'ServiceAccount manager',
    'Secret credentials',
    'ClusterRoleBinding manager',
    'RoleBinding leader',
    'AWSClusterControllerIdentity default',
    'ValidatingWebhookConfiguration validating',
  ]);
});

test('every object carries the labels by which clusterctl finds it', () => {
  for (const { metadata } of render(manifest)) {
    expect(metadata.labels).toMatchObject({
      'clusterctl.cluster.x-k8s.io': '',
      'cluster.x-k8s.io/provider': 'infrastructure-aws',
    });
  }
  expect(named(render(manifest), 'Deployment').metadata.labels).toHaveProperty('own', 'label');
});

test('objects with a namespace move to that of the provider, others get none', () => {
  const objects = render(manifest);
  const places = Object.fromEntries(
    objects.map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.namespace]),
  );
  expect(places).toMatchObject({
    'Deployment manager': 'capa-system',
    'Secret credentials': 'capa-system',
    'RoleBinding leader': 'capa-system',
    'Certificate serving-cert': 'capa-system',
    'ClusterRoleBinding manager': undefined,
    'AWSClusterControllerIdentity default': undefined,
    'Namespace capa-system': undefined,
    'ValidatingWebhookConfiguration validating': undefined,
  });
});

test('every reference to the namespace follows', () => {
  const objects = render(manifest);
  const service = { name: 'webhook', namespace: 'capa-system' };
  expect(named(objects, 'ClusterRoleBinding').subjects).toEqual([
    { kind: 'ServiceAccount', name: 'manager', namespace: 'capa-system' },
    { kind: 'Group', name: 'people' },
  ]);
  expect(named(objects, 'RoleBinding').subjects).toMatchObject([{ namespace: 'capa-system' }]);
  expect(named(objects, 'CustomResourceDefinition')).toMatchObject({
    metadata: { annotations: { 'cert-manager.io/inject-ca-from': 'capa-system/serving-cert' } },
    spec: { conversion: { webhook: { clientConfig: { service } } } },
  });
  expect(named(objects, 'ValidatingWebhookConfiguration')).toMatchObject({
    metadata: { annotations: { 'cert-manager.io/inject-ca-from': 'capa-system/serving-cert', own: 'kept' } },
    webhooks: [{ clientConfig: { service } }, { clientConfig: { url: 'https://elsewhere.example' } }],
  });
  expect(named(objects, 'Certificate').spec).toEqual({
    dnsNames: ['webhook.capa-system.svc', 'webhook.capa-system.svc.cluster.local', 'built-in.example'],
  });
});

test('variables are filled in, and an annotation that comes out empty is left out', () => {
  const objects = render(manifest);
  expect(named(objects, 'Secret')).toMatchObject({ data: { credentials: 'Cg==' } });
  expect(named(objects, 'ServiceAccount').metadata).not.toHaveProperty('annotations');
  expect(named(objects, 'Deployment')).toMatchObject({
    spec: {
      template: {
        spec: { containers: [{}, { args: expect.arrayContaining(['--feature-gates=GC=true,EKS=true']) }] },
      },
    },
  });
});

test('a missing variable is named together with the release', () => {
  const error = failure(() =>
    renderProvider({
      provider: provider('infrastructure-aws'),
      version: 'v2.7.2',
      yaml: manifest,
      variables: {},
    }),
  );
  expect(hasCode(error, 'VariablesMissing')).toBe(true);
  expect(error).toMatchObject({
    message: 'infrastructure-components.yaml of CAPA v2.7.2 needs values for AWS_B64ENCODED_CREDENTIALS',
  });
});

test('a manifest without a Namespace gets one, and several are refused', () => {
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n';
  const namespace = (name: string) => `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
  expect(render(account).map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace])).toEqual([
    ['Namespace', 'capa-system', undefined],
    ['ServiceAccount', 'a', 'capa-system'],
  ]);
  const error = failure(() => render(account + namespace('one') + namespace('two')));
  expect(hasCode(error, 'ReleaseCorrupt')).toBe(true);
  expect(error).toMatchObject({ message: expect.stringContaining('several Namespaces (one, two)') });
});

test('a malformed CA injection is refused', () => {
  const crd = (from: string) =>
    `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x, annotations: {cert-manager.io/inject-ca-from: ${from}}}\n`;
  expect(
    hasCode(
      failure(() => render(crd('no-slash'))),
      'ReleaseCorrupt',
    ),
  ).toBe(true);
  expect(
    hasCode(
      failure(() => render(crd('a/b/c'))),
      'ReleaseCorrupt',
    ),
  ).toBe(true);
});

test.each<[string, ImageOverrides, string[]]>([
  [
    'a mirror for all',
    { all: { repository: 'mirror.example/capi/' } },
    [
      'mirror.example/capi/init@sha256:abc',
      'mirror.example/capi/kube-rbac-proxy:v0.16.0',
      'mirror.example/capi/cluster-api-aws-controller:v2.7.2',
    ],
  ],
  [
    'a tag for the component, a repository for one image',
    {
      'infrastructure-aws': { tag: 'fips' },
      'infrastructure-aws/kube-rbac-proxy': { repository: 'own' },
      'cluster-api': { tag: 'not-here' },
    },
    [
      'registry.example/tools/init:fips',
      'own/kube-rbac-proxy:fips',
      'registry.k8s.io/cluster-api-aws/cluster-api-aws-controller:fips',
    ],
  ],
  [
    'nothing',
    {},
    [
      'registry.example/tools/init@sha256:abc',
      'quay.io/brancz/kube-rbac-proxy:v0.16.0',
      'registry.k8s.io/cluster-api-aws/cluster-api-aws-controller:v2.7.2',
    ],
  ],
])('images follow %s', (_, overrides, [init, proxy, manager]) => {
  expect(named(render(manifest, overrides), 'Deployment', 'manager')).toMatchObject({
    spec: {
      template: {
        spec: { initContainers: [{ image: init }], containers: [{ image: proxy }, { image: manager }] },
      },
    },
  });
});

test('an image without registry or tag can be overridden', () => {
  const image = (overrides: ImageOverrides) =>
    JSON.stringify(named(render(manifest, overrides), 'Deployment', 'other').spec);
  expect(image({})).toContain('"nginx"');
  expect(image({ all: { repository: 'mirror:5000/x', tag: '1' } })).toContain('"mirror:5000/x/nginx:1"');
});

test('CAPA runs on the network of its node, one Pod at a time, in a namespace that admits it', () => {
  const objects = render(manifest);
  expect(named(objects, 'Deployment', 'manager')).toMatchObject({
    metadata: { labels: { own: 'label' } },
    spec: {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: {
        spec: {
          hostNetwork: true,
          dnsPolicy: 'ClusterFirstWithHostNet',
          containers: [{ name: 'proxy' }, { name: 'manager' }],
        },
      },
    },
  });
  expect(named(objects, 'Namespace').metadata.labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'privileged',
    'clusterctl.cluster.x-k8s.io': '',
  });
});

test('every other provider stays on the network of pods', () => {
  for (const other of providers.filter(({ key }) => key !== 'infrastructure-aws')) {
    const objects = renderProvider({
      provider: other,
      version: 'v1.0.0',
      yaml: manifest,
      variables: providerVariables,
    });
    expect(JSON.stringify(objects)).not.toMatch(/hostNetwork|pod-security|maxSurge/);
  }
});

test('stages put namespaces first and controllers last', () => {
  const stages = stagesOf(render(manifest)).map(({ name, objects }) => [
    name,
    objects.map(({ kind }) => kind),
  ]);
  expect(stages).toEqual([
    ['namespaces', ['Namespace']],
    [
      'components',
      [
        'Certificate',
        'CustomResourceDefinition',
        'CustomResourceDefinition',
        'ServiceAccount',
        'Secret',
        'ClusterRoleBinding',
        'RoleBinding',
        'AWSClusterControllerIdentity',
        'ValidatingWebhookConfiguration',
      ],
    ],
    ['controllers', ['Deployment', 'Deployment']],
  ]);
  expect(stagesOf([])).toEqual([]);
});

test('the inventory object is the one clusterctl would write', () => {
  expect(inventoryObject(provider('control-plane-k3s'), 'v0.3.1')).toEqual({
    apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
    kind: 'Provider',
    metadata: {
      name: 'control-plane-k3s',
      namespace: 'capi-k3s-control-plane-system',
      labels: {
        'clusterctl.cluster.x-k8s.io': '',
        'cluster.x-k8s.io/provider': 'control-plane-k3s',
        'clusterctl.cluster.x-k8s.io/core': 'inventory',
      },
    },
    providerName: 'k3s',
    type: 'ControlPlaneProvider',
    version: 'v0.3.1',
  });
});

test("the inventory's definition serves what the inventory object needs", () => {
  expect(inventoryCrd()).toMatchObject({
    metadata: {
      name: 'providers.clusterctl.cluster.x-k8s.io',
      labels: { 'clusterctl.cluster.x-k8s.io/core': 'inventory' },
    },
    spec: { scope: 'Namespaced', versions: [{ name: 'v1alpha3', served: true, storage: true }] },
  });
});

test('odd objects pass as they are', () => {
  const objects = render(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: nameless}
spec: {scope: Cluster, conversion: {webhook: {clientConfig: text}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kindless}
spec: {scope: Cluster, names: {plural: kindless}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c}
spec: {dnsNames: [1, a.b.svc]}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: d}
spec: {dnsNames: text}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects: [text]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: w}
webhooks: [{clientConfig: {service: text}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: s}
spec: {template: {spec: {containers: [{name: imageless}, {name: i, image: "a/b c"}]}}}
`);
  expect(
    objects.slice(1).map(({ kind, spec, subjects, webhooks }) => [kind, spec ?? subjects ?? webhooks]),
  ).toEqual([
    ['Certificate', { dnsNames: [1, 'a.b.svc'] }],
    ['Certificate', { dnsNames: 'text' }],
    ['CustomResourceDefinition', { scope: 'Cluster', conversion: { webhook: { clientConfig: 'text' } } }],
    ['CustomResourceDefinition', { scope: 'Cluster', names: { plural: 'kindless' } }],
    ['ClusterRoleBinding', ['text']],
    ['MutatingWebhookConfiguration', [{ clientConfig: { service: 'text' } }]],
    [
      'DaemonSet',
      { template: { spec: { containers: [{ name: 'imageless' }, { name: 'i', image: 'a/b c' }] } } },
    ],
  ]);
});

test('placeholders of what the cluster fills in are left out, so that a repetition does not empty it', () => {
  const objects = render(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: aggregated}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: plain}
rules: []
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: x}
spec: {conversion: {webhook: {clientConfig: {caBundle: Cg==, service: {name: webhook}}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: hooks}
webhooks:
  - clientConfig: {caBundle: '', service: {name: webhook}}
  - clientConfig: {caBundle: dHJ1ZQ==, service: {name: webhook}}
  - clientConfig:
`);
  const service = { name: 'webhook', namespace: 'capa-system' };
  expect(named(objects, 'ClusterRole', 'aggregated')).not.toHaveProperty('rules');
  expect(named(objects, 'ClusterRole', 'aggregated')).toHaveProperty('aggregationRule');
  expect(named(objects, 'ClusterRole', 'plain')).toHaveProperty('rules', []);
  expect(named(objects, 'CustomResourceDefinition').spec).toEqual({
    conversion: { webhook: { clientConfig: { service } } },
  });
  expect(named(objects, 'MutatingWebhookConfiguration').webhooks).toEqual([
    { clientConfig: { service } },
    { clientConfig: { caBundle: 'dHJ1ZQ==', service } },
    { clientConfig: null },
  ]);
});

test('rendering does not change its input and can be repeated', () => {
  expect(render(manifest)).toEqual(render(manifest));
});
