import { afterEach, describe, expect, test } from 'vitest';
import { at, recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { addNode } from '../../local/controllers/nodes.ts';
import {
  applyAll,
  applyCluster,
  clusterKind,
  install,
  installCertManager,
  managementNode,
  newCluster,
  prepare,
  providerReleases,
  read,
  startTestbed,
  type Testbed,
  until,
} from './controllers-fixture.ts';

let testbed: Testbed;
afterEach(() => testbed.stop());

async function installed(): Promise<Testbed['store']> {
  testbed = startTestbed();
  await install(testbed.store);
  return testbed.store;
}

function refused(object: KubernetesObject, options: { readonly dryRun?: boolean } = {}) {
  return expect(testbed.store.apply(object, { fieldManager: 'petra', force: true, ...options })).rejects;
}

function withTopology(change: Readonly<Record<string, unknown>>): KubernetesObject {
  const cluster = newCluster('demo');
  return { ...cluster, spec: { topology: { ...recordAt(cluster, 'spec', 'topology'), ...change } } };
}

function withVariables(...variables: readonly { readonly name: string; readonly value: unknown }[]) {
  return withTopology({ variables });
}

describe('before its manager runs, a webhook', () => {
  test('of cert-manager cannot be called', async () => {
    testbed = startTestbed({ speed: 20 });
    const { store } = testbed;
    await prepare(store);
    await addNode(store, managementNode);
    const done = installCertManager(store);
    await until(() => store.resourceFor('cert-manager.io/v1', 'Issuer') !== undefined);
    const issuer = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: 'selfsigned', namespace: 'default' },
      spec: { selfSigned: {} },
    };
    await refused(issuer).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message: expect.stringMatching(
        /failed calling webhook "webhook.cert-manager.io".*connect: connection refused/,
      ),
    });
    await done;
    await until(() => store.get('v1', 'Secret', 'cert-manager', 'cert-manager-webhook-ca') !== undefined);
  });

  test('of Cluster API cannot be called, and later it has to trust the CA', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await prepare(store);
    await addNode(store, managementNode);
    await installCertManager(store);
    const [core] = await providerReleases();
    const objects = core?.objects ?? [];
    await applyAll(
      store,
      objects.filter(({ kind }) => kind !== 'Deployment'),
    );
    await refused(newCluster('demo')).toMatchObject({
      code: 500,
      message: expect.stringMatching(/capi-webhook-service.capi-system.svc.*connection refused/),
    });
    await applyAll(store, objects);
    await until(
      () => store.list('apps/v1', 'Deployment', { namespace: 'capi-system' })[0]?.status !== undefined,
    );
  });

  test('of a provider that never runs refuses for ever', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    testbed.faults.add('provider:cluster-api');
    await prepare(store);
    await addNode(store, managementNode);
    await installCertManager(store);
    const [core] = await providerReleases();
    await applyAll(store, core?.objects ?? []);
    await until(() => JSON.stringify(store.list('v1', 'Pod')).includes('CrashLoopBackOff'));
    await refused(newCluster('demo')).toMatchObject({
      message: expect.stringContaining('connection refused'),
    });
    const manager = () => store.get('apps/v1', 'Deployment', 'capi-system', 'capi-controller-manager');
    await until(() => at(manager(), 'status', 'unavailableReplicas') === 1);
    testbed.faults.clear();
    await until(() =>
      JSON.stringify(store.list('apps/v1', 'Deployment', { namespace: 'capi-system' })).includes(
        'MinimumReplicasAvailable',
      ),
    );
  });
});

describe('a Cluster is refused', () => {
  test('without the feature gate ClusterTopology', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await prepare(store);
    await addNode(store, managementNode);
    await installCertManager(store);
    for (const { objects } of await providerReleases({ CLUSTER_TOPOLOGY: 'false' }))
      await applyAll(store, objects);
    await until(() =>
      JSON.stringify(store.get('apps/v1', 'Deployment', 'capi-system', 'capi-controller-manager')).includes(
        'MinimumReplicasAvailable',
      ),
    );
    await until(
      () =>
        !JSON.stringify(
          store.list('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
        ).includes('"Cg=="'),
    );
    await expect
      .poll(() =>
        store
          .apply(newCluster('demo'), { fieldManager: 'petra', dryRun: true })
          .catch((error) => error.message),
      )
      .toMatch(/spec.topology: Forbidden: can be set only if the ClusterTopology feature flag is enabled/);
  });

  test.each([
    {
      what: 'a required variable is missing',
      object: withVariables(),
      says: /required variable with name "region" must be defined/,
    },
    {
      what: 'a variable is not defined',
      object: withVariables({ name: 'region', value: 'us-west-1' }, { name: 'colour', value: 'red' }),
      says: /spec.topology.variables\[colour\].*variable is not defined/,
    },
    {
      what: 'a variable is of another type',
      object: withVariables({ name: 'region', value: 7 }),
      says: /spec.topology.variables\[region\].value: Invalid value: 7.*must be of type string/,
    },
    {
      what: 'a variable is not one of the allowed values',
      object: withVariables({ name: 'region', value: 'us-west-1' }, { name: 'profile', value: 'lax' }),
      says: /Unsupported value: "lax": supported values: "standard"/,
    },
    {
      what: 'a variable does not match its pattern',
      object: withVariables(
        { name: 'region', value: 'us-west-1' },
        { name: 'workerInstanceType', value: 'big' },
      ),
      says: /spec.topology.variables\[workerInstanceType\].value: Invalid value: "big": should match/,
    },
    {
      what: 'an inner field of a variable is misspelled',
      object: withVariables(
        { name: 'region', value: 'us-west-1' },
        { name: 'addons', value: { ciliun: {} } },
      ),
      says: /variables\[addons\].value.ciliun/,
    },
    {
      what: 'its version is none',
      object: withTopology({ version: 'latest' }),
      says: /version must be a valid semantic version/,
    },
    {
      what: 'a class of workers does not exist',
      object: withTopology({ workers: { machineDeployments: [{ class: 'gpu', name: 'md-0' }] } }),
      says: /MachineDeploymentClass with name "gpu" does not exist in ClusterClass "petra"/,
    },
    {
      what: 'two groups of workers have one name',
      object: withTopology({
        workers: {
          machineDeployments: [
            { class: 'default-worker', name: 'md-0' },
            { class: 'default-worker', name: 'md-0' },
          ],
        },
      }),
      says: /machineDeployments\[1\].name.*must be unique/,
    },
  ])('when $what', async ({ object, says }) => {
    await installed();
    for (const dryRun of [true, false]) {
      await refused(object, { dryRun }).toMatchObject({
        code: 422,
        reason: 'Invalid',
        message: expect.stringMatching(
          /^admission webhook "validation.cluster.cluster.x-k8s.io" denied the request: Cluster.cluster.x-k8s.io "demo" is invalid: /,
        ),
      });
      await refused(object, { dryRun }).toThrow(says);
    }
    expect(read(testbed.store, clusterKind, 'demo')).toBeUndefined();
  });

  test.each([
    { to: 'v1.34.9+k3s1', says: /version cannot be decreased/ },
    { to: 'v1.37.0+k3s1', says: /version cannot be increased/ },
  ])('when its version is to become $to', async ({ to, says }) => {
    const store = await installed();
    await applyCluster(store, 'demo');
    await refused(newCluster('demo', { version: to })).toThrow(says);
  });
});

describe('a Cluster is accepted', () => {
  test('with its variables completed by the class', async () => {
    const store = await installed();
    const cluster = await applyCluster(store, 'demo');
    expect(recordAt(cluster, 'spec', 'topology').variables).toEqual([
      { name: 'region', value: 'us-west-1' },
      { name: 'uid', value: 'f00d' },
      { name: 'controlPlaneInstanceType', value: 'm5a.large' },
      { name: 'workerInstanceType', value: 'm5a.large' },
      { name: 'profile', value: 'standard' },
      { name: 'addons', value: { cilium: { enabled: true }, flux: { enabled: true } } },
      { name: 'network', value: {} },
    ]);
  });

  test('with a suffix of k3s that sorts before the present one', async () => {
    const store = await installed();
    await applyCluster(store, 'demo', { version: 'v1.35.3+k3s2' });
    await applyCluster(store, 'demo', { version: 'v1.35.3+k3s1' });
  });

  test('although its class does not exist, and says so in TopologyReconciled', async () => {
    const store = await installed();
    await store.apply(withTopology({ class: 'other' }), { fieldManager: 'petra' });
    await until(() =>
      JSON.stringify(read(store, clusterKind, 'demo')?.status ?? {}).includes(
        'failed to retrieve ClusterClass',
      ),
    );
  });

  test('although its class refers to a template that does not exist, and says so too', async () => {
    const store = await installed();
    const [template] = store.list('controlplane.cluster.x-k8s.io/v1beta2', 'KThreesControlPlaneTemplate');
    if (template)
      await store.remove({ ...template.metadata, apiVersion: template.apiVersion, kind: template.kind });
    await applyCluster(store, 'demo');
    await until(() =>
      JSON.stringify(read(store, clusterKind, 'demo')?.status ?? {}).includes('the template does not exist'),
    );
    const { name, namespace = '', labels = {} } = template?.metadata ?? { name: '' };
    await store.create({ ...clusterKind, ...template, metadata: { name, namespace, labels } });
    await until(() =>
      JSON.stringify(read(store, clusterKind, 'demo')?.spec ?? {}).includes('controlPlaneRef'),
    );
  });
});

describe('also refused is', () => {
  test('the deletion of a ClusterClass in use', async () => {
    const store = await installed();
    await applyCluster(store, 'demo');
    const reference = {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'ClusterClass',
      namespace: 'default',
      name: 'petra',
    };
    await expect(store.remove(reference)).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining('ClusterClass cannot be deleted because it is used by 1 Cluster(s)'),
    });
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    await until(() => read(store, clusterKind, 'demo') === undefined);
    await store.remove(reference);
  });

  test('a change of an immutable template', async () => {
    const store = await installed();
    const [template] = store.list('infrastructure.cluster.x-k8s.io/v1beta2', 'AWSMachineTemplate');
    if (!template) throw new Error('no template');
    const { apiVersion, kind, metadata } = template;
    const { name, namespace = '' } = metadata;
    await refused({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec: { template: { spec: { instanceType: 'm5a.4xlarge' } } },
    }).toThrow(/AWSMachineTemplate.Spec is immutable/);
  });

  test('what a fault says, until it is over', async () => {
    const store = await installed();
    testbed.faults.add('webhook:Cluster');
    await refused(newCluster('demo')).toMatchObject({
      code: 403,
      message: expect.stringContaining(
        'admission webhook "validation.cluster.cluster.x-k8s.io" denied the request',
      ),
    });
    testbed.faults.clear();
    await applyCluster(store, 'demo');
  });
});
