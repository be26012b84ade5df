import { expect, test } from 'vitest';
import { certManagerObjects } from '../../core/capi/cert-manager.ts';
import { parseManifest } from '../../core/capi/manifest-yaml.ts';
import { renderProvider, stagesOf } from '../../core/capi/provider-components.ts';
import { assessMetadata, parseProviderMetadata, seriesOf } from '../../core/capi/provider-metadata.ts';
import {
  certManagerRelease,
  type ProviderKey,
  providersFor,
  providerVariables,
} from '../../core/capi/providers.ts';
import { hasCode } from '../../core/errors.ts';
import { at, isObject, listAt, recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject, ReleaseAsset } from '../../core/ports.ts';
import { SyntheticReleases, syntheticAnnotation } from '../../local/synthetic-releases.ts';

const versions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.4',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};
const releases = new SyntheticReleases();

async function rendered(key: ProviderKey, of = versions): Promise<readonly KubernetesObject[]> {
  const release = providersFor(of).find(({ provider }) => provider.key === key);
  if (!release) throw new Error(`no provider ${key}`);
  const { provider, version, components } = release;
  return renderProvider({
    provider,
    version,
    yaml: await releases.fetch(components),
    variables: providerVariables,
  });
}

async function refusal(asset: ReleaseAsset): Promise<unknown> {
  return releases.fetch(asset).catch((error: unknown) => error);
}

/** The Deployments with a container called `manager`, as those of every real provider are. */
function managerDeployments(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.filter(
    (object) =>
      object.kind === 'Deployment' &&
      listAt(object, 'spec', 'template', 'spec', 'containers').some((one) => at(one, 'name') === 'manager'),
  );
}

/** `namespace/name` of the Services that the API server will call for admission or conversion, each once. */
function webhookServices(objects: readonly KubernetesObject[]): string[] {
  const clients = objects.flatMap((object) => [
    at(object, 'spec', 'conversion', 'webhook', 'clientConfig'),
    ...listAt(object, 'webhooks').map((webhook) => at(webhook, 'clientConfig')),
  ]);
  const services = clients
    .map((client) => recordAt(client, 'service'))
    .filter(({ name }) => name !== undefined);
  return [...new Set(services.map(({ namespace, name }) => `${namespace}/${name}`))];
}

/** `kind.group/version,version` of each definition; the last version is the stored one. */
function served(objects: readonly KubernetesObject[]): string[] {
  return objects.flatMap(({ kind, spec }) => {
    if (kind !== 'CustomResourceDefinition' || !isObject(spec) || !isObject(spec.names)) return [];
    const list: unknown[] = Array.isArray(spec.versions) ? spec.versions : [];
    return [`${spec.names.kind}.${spec.group}/${list.map((one) => (isObject(one) ? one.name : '')).join()}`];
  });
}

test.each<[ProviderKey, string, string]>([
  ['cluster-api', 'capi-system', 'capi-controller-manager'],
  ['bootstrap-k3s', 'capi-k3s-bootstrap-system', 'capi-k3s-bootstrap-controller-manager'],
  ['control-plane-k3s', 'capi-k3s-control-plane-system', 'capi-k3s-control-plane-controller-manager'],
  ['infrastructure-aws', 'capa-system', 'capa-controller-manager'],
])('%s is installed in %s with a manager, a webhook and every stage', async (key, namespace, deployment) => {
  const objects = await rendered(key);
  expect(managerDeployments(objects).map(({ metadata }) => metadata.name)).toEqual([deployment]);
  const service = deployment.replace('controller-manager', 'webhook-service');
  expect(webhookServices(objects)).toEqual([`${namespace}/${service}`]);
  expect(stagesOf(objects).map(({ name }) => name)).toEqual(['namespaces', 'components', 'controllers']);
  expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set([undefined, namespace]));
});

test('every object of every component says that it is synthetic', async () => {
  const assets = [
    ...providersFor(versions).map(({ components }) => components),
    certManagerRelease(versions.certManagerVersion),
  ];
  for (const asset of assets) {
    const yaml = await releases.fetch(asset);
    expect(yaml).toMatch(/^# Synthetic manifest of a local Petra, standing in for /);
    const objects =
      asset.file === 'cert-manager.yaml'
        ? certManagerObjects(yaml, asset.version)
        : parseManifest(filled(yaml));
    expect(objects.length).toBeGreaterThan(10);
    for (const { metadata } of objects)
      expect(metadata.annotations).toHaveProperty([syntheticAnnotation], 'true');
  }
});

/** Without the one variable that is no YAML as it stands. */
function filled(yaml: string): string {
  return yaml.replace(/^ +\$\{AWS_CONTROLLER_IAM_ROLE.*$/m, '');
}

test('Cluster API 1.9 serves v1beta1, and from 1.11 on v1beta2 as well', async () => {
  const old = served(await rendered('cluster-api'));
  expect(old).toContain('Cluster.cluster.x-k8s.io/v1beta1');
  expect(old).toContain('ClusterResourceSet.addons.cluster.x-k8s.io/v1beta1');
  const later = served(await rendered('cluster-api', { ...versions, capiVersion: 'v1.12.11' }));
  expect(later).toContain('Cluster.cluster.x-k8s.io/v1beta1,v1beta2');
  expect(later).toContain('ExtensionConfig.runtime.cluster.x-k8s.io/v1alpha1,v1beta2');
});

test('the providers serve what the ClusterClass refers to', async () => {
  expect(served(await rendered('bootstrap-k3s'))).toEqual([
    'KThreesConfig.bootstrap.cluster.x-k8s.io/v1beta1,v1beta2',
    'KThreesConfigTemplate.bootstrap.cluster.x-k8s.io/v1beta1,v1beta2',
  ]);
  expect(served(await rendered('control-plane-k3s'))).toEqual([
    'KThreesControlPlane.controlplane.cluster.x-k8s.io/v1beta1,v1beta2',
    'KThreesControlPlaneTemplate.controlplane.cluster.x-k8s.io/v1beta2',
  ]);
  expect(served(await rendered('infrastructure-aws'))).toEqual([
    'AWSCluster.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSClusterTemplate.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSMachine.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSMachineTemplate.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSMachinePool.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSClusterControllerIdentity.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSClusterRoleIdentity.infrastructure.cluster.x-k8s.io/v1beta2',
    'AWSClusterStaticIdentity.infrastructure.cluster.x-k8s.io/v1beta2',
  ]);
});

test('definitions carry names, columns and the contract by which core finds their versions', async () => {
  const objects = [...(await rendered('cluster-api')), ...(await rendered('control-plane-k3s'))];
  const named = (name: string) => objects.find(({ metadata }) => metadata.name === name);
  expect(named('clusters.cluster.x-k8s.io')).toMatchObject({
    spec: {
      scope: 'Namespaced',
      names: {
        listKind: 'ClusterList',
        singular: 'cluster',
        shortNames: ['cl'],
        categories: ['cluster-api'],
      },
      versions: [
        {
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          additionalPrinterColumns: [
            { name: 'ClusterClass' },
            { name: 'Phase', jsonPath: '.status.phase' },
            { name: 'Age' },
            { name: 'Version' },
          ],
        },
      ],
    },
  });
  expect(named('kthreescontrolplanes.controlplane.cluster.x-k8s.io')).toMatchObject({
    metadata: {
      labels: { 'cluster.x-k8s.io/v1beta1': 'v1beta1_v1beta2' },
      annotations: {
        'cert-manager.io/inject-ca-from': 'capi-k3s-control-plane-system/capi-k3s-control-plane-serving-cert',
      },
    },
    spec: {
      conversion: { strategy: 'Webhook' },
      versions: [{ storage: false }, { storage: true, subresources: { scale: {} } }],
    },
  });
});

test('the manifests use variables as the real ones do', async () => {
  const [manager] = managerDeployments(await rendered('cluster-api'));
  expect(JSON.stringify(manager)).toContain('ClusterTopology=true');
  const aws = providersFor(versions).find(({ provider }) => provider.key === 'infrastructure-aws');
  if (!aws) throw new Error('no CAPA');
  const yaml = await releases.fetch(aws.components);
  const render = (variables: Record<string, string>) =>
    renderProvider({ provider: aws.provider, version: aws.version, yaml, variables });
  expect(() => render({})).toThrow('needs values for AWS_B64ENCODED_CREDENTIALS');
  const role = 'arn:aws-us-gov:iam::1:role/capa';
  const account = render({ ...providerVariables, AWS_CONTROLLER_IAM_ROLE: role }).find(
    ({ kind }) => kind === 'ServiceAccount',
  );
  expect(account?.metadata.annotations).toEqual({
    [syntheticAnnotation]: 'true',
    'eks.amazonaws.com/role-arn': role,
  });
});

test('metadata has the series of the version with its contract, and sets fit together', async () => {
  const described = async (of: typeof versions) =>
    Promise.all(
      providersFor(of).map(async ({ provider, version, metadata }) => ({
        provider,
        version,
        metadata: parseProviderMetadata(await releases.fetch(metadata)),
      })),
    );
  const [core] = await described(versions);
  expect(core && seriesOf(core.metadata, 'v1.9.5')?.contract).toBe('v1beta1');
  expect(assessMetadata(await described(versions))).toEqual([]);
  const later = { ...versions, capiVersion: 'v1.13.6', capaVersion: 'v2.12.1' };
  const [laterCore] = await described(later);
  expect(laterCore && seriesOf(laterCore.metadata, 'v1.13.6')?.contract).toBe('v1beta2');
  expect(laterCore && seriesOf(laterCore.metadata, 'v1.10.0')?.contract).toBe('v1beta1');
  expect(assessMetadata(await described(later))).toEqual([]);
});

test('cert-manager has its three Deployments and its custom resources', async () => {
  const objects = certManagerObjects(await releases.fetch(certManagerRelease('v1.17.1')), 'v1.17.1');
  const deployments = objects
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata }) => metadata.name);
  expect(deployments).toEqual(['cert-manager', 'cert-manager-cainjector', 'cert-manager-webhook']);
  expect(served(objects)).toEqual([
    'Certificate.cert-manager.io/v1',
    'CertificateRequest.cert-manager.io/v1',
    'Issuer.cert-manager.io/v1',
    'ClusterIssuer.cert-manager.io/v1',
    'Order.acme.cert-manager.io/v1',
    'Challenge.acme.cert-manager.io/v1',
  ]);
  expect(webhookServices(objects)).toEqual(['cert-manager/cert-manager-webhook']);
});

test.each([
  ['kubernetes-sigs/cluster-api', 'v1.9.5', 'cluster-template.yaml'],
  ['kubernetes-sigs/other', 'v1.9.5', 'metadata.yaml'],
  ['cert-manager/cert-manager', 'v1.17.1', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', '1.9.5', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', 'v1.9', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', 'v1.9.5-rc.0', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', 'v1.09.5', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', 'v1.99999999.0', 'metadata.yaml'],
  ['kubernetes-sigs/cluster-api', '', 'metadata.yaml'],
])('%s %s has no %s', async (repository, version, file) => {
  const error = await refusal({ repository, version, file });
  expect(hasCode(error, 'ReleaseNotFound')).toBe(true);
  expect(error).toMatchObject({
    message: `the synthetic repository has no ${file} of ${repository} ${version}`,
  });
});

test('a fault makes the repository unreachable until it is used up', async () => {
  const faults = ['Unreachable'];
  const failing = new SyntheticReleases({ faults: { take: () => faults.pop() } });
  const asset = certManagerRelease('v1.17.1');
  const error: unknown = await failing.fetch(asset).catch((caught: unknown) => caught);
  expect(hasCode(error, 'ReleaseUnreachable')).toBe(true);
  expect(await failing.fetch(asset)).toBe(await releases.fetch(asset));
});
