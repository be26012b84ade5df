// Starting the providers, on a cluster that answers as each test says: whole workflows see all of it at once.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking } from '../../../core/begin-operation.ts';
import { PetraError } from '../../../core/errors.ts';
import type { AccessQuestion, Kubernetes, KubernetesObject } from '../../../core/ports.ts';
import { checkCertManager, startProviders } from '../../../core/steps/init-providers.ts';
import { runStep, type StepOutput } from '../../../core/steps/run-step.ts';
import { managementSpec, type TestPorts, testPorts } from '../test-ports.ts';

const keys = ['cluster-api', 'bootstrap-k3s', 'control-plane-k3s', 'infrastructure-aws'];

const labelled = (apiVersion: string, kind: string, name: string, provider: string, more: object) => ({
  apiVersion,
  kind,
  metadata: { name, labels: { 'cluster.x-k8s.io/provider': provider } },
  ...more,
});
const controllers = keys.map((key) =>
  labelled('apps/v1', 'Deployment', key, key, {
    spec: { template: { spec: { serviceAccountName: `${key}-manager` } } },
  }),
);
const definition = (provider: string, isServed: boolean) =>
  labelled('apiextensions.k8s.io/v1', 'CustomResourceDefinition', `kind.of.${provider}`, provider, {
    status: { conditions: [{ type: 'Established', status: isServed ? 'True' : 'False' }] },
  });
const asReleased = (key: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `kind.of.${key}`, annotations: { released: 'yes' } },
});
/** What is stored of an installation, by a hash that is its name. */
const parts: Readonly<Record<string, readonly KubernetesObject[]>> = {
  certManager: [asReleased('cert-manager')],
  foundation: keys.map(asReleased),
  certificates: [labelled('cert-manager.io/v1', 'Issuer', 'self-signed', 'cluster-api', {})],
  controllers,
};
/** Accepted so many seconds ago, and not served. */
const accepted = (provider: string, secondsAgo: number) =>
  labelled('apiextensions.k8s.io/v1', 'CustomResourceDefinition', `kind.of.${provider}`, provider, {
    status: {
      conditions: [
        {
          type: 'NamesAccepted',
          status: 'True',
          lastTransitionTime: new Date(ports.clock.now().getTime() - secondsAgo * 1000).toISOString(),
        },
        { type: 'Established', status: 'False', reason: 'Installing' },
      ],
    },
  });
const available = { conditions: [{ type: 'Available', status: 'True' }] };

let ports: TestPorts;
let applied: string[];
let asked: AccessQuestion[];
beforeEach(async () => {
  ports = await testPorts();
  applied = [];
  asked = [];
});
afterEach(() => ports.close());

/** One run of the step, on a cluster where every Deployment is available at once. */
async function start(
  definitions: readonly KubernetesObject[],
  cluster: Partial<Kubernetes> = {},
  step = startProviders,
): Promise<StepOutput> {
  const kubernetes: Kubernetes = {
    apply: async (object, { dryRun = false } = {}) => {
      applied.push(`${dryRun ? 'try ' : ''}${object.kind} ${object.metadata.name}`);
      return object.kind === 'Deployment' ? { ...object, status: available } : object;
    },
    read: async () => undefined,
    list: async ({ kind }) => (kind === 'Deployment' ? [] : definitions),
    remove: async () => {},
    allows: async (question) => {
      asked.push(question);
      return true;
    },
    ...cluster,
  };
  const { operation } = await beginMaking(ports, {
    verb: 'init',
    spec: managementSpec(),
    caller: 'local:tester',
  });
  if (!operation) throw new Error('nothing runs');
  const { id, verb, cluster: name, uid, fence } = operation;
  const all = {
    ...ports,
    secrets: { ...ports.secrets, read: async () => 'a kubeconfig' },
    artifacts: { store: async () => '', read: async (sha256: string) => JSON.stringify(parts[sha256]) },
    kubernetes: { connect: () => kubernetes },
  };
  return runStep(
    all,
    'StartProviders',
    { run: step },
    {
      operation: { id, verb, cluster: name, uid, fence },
      components: Object.fromEntries(Object.keys(parts).map((part) => [part, part])),
      deadline: '2027-01-01T00:00:00.000Z',
    },
  );
}

test('a controller is started when its own definitions and those of Cluster API are served', async () => {
  const { ready, message } = await start([
    ...keys.slice(0, 3).map((key) => definition(key, true)),
    definition('infrastructure-aws', false),
  ]);
  expect(ready).toBe(false);
  expect(message).toBe(
    'infrastructure-aws v2.7.2: waiting for CustomResourceDefinition kind.of.infrastructure-aws',
  );
  expect(applied.filter((one) => one.startsWith('Deployment')).toSorted()).toEqual(
    ['Deployment bootstrap-k3s', 'Deployment cluster-api', 'Deployment control-plane-k3s'].toSorted(),
  );
});

test('no controller is started while a definition of Cluster API is not served', async () => {
  const unserved = Array.from({ length: 5 }, () => definition('cluster-api', false));
  const { ready, message } = await start(unserved);
  expect(ready).toBe(false);
  expect(message).toMatch(/^cluster-api v1\.9\.5: waiting for .* and 2 more; bootstrap-k3s/);
  expect(applied).toEqual([]);
});

test('all work when each is allowed what it needs, and each webhook accepts an object by dry run', async () => {
  expect(await start(keys.map((key) => definition(key, true)))).toEqual({
    ready: true,
    message: '4 providers work',
  });
  expect(applied.filter((one) => one.startsWith('try')).map((one) => one.split(' ')[1])).toEqual(
    expect.arrayContaining([
      'ClusterClass',
      'KThreesConfigTemplate',
      'KThreesControlPlane',
      'AWSClusterTemplate',
    ]),
  );
  expect(asked).toContainEqual({
    serviceAccount: { namespace: 'capi-system', name: 'cluster-api-manager' },
    verb: 'list',
    group: 'infrastructure.cluster.x-k8s.io',
    resource: 'awsclusters',
  });
});

test('a provider that lacks a permission is named with what it lacks', async () => {
  const allows = async ({ resource }: AccessQuestion) => resource !== 'kthreescontrolplanes';
  const { ready, message } = await start([], { allows });
  expect(ready).toBe(false);
  expect(message).toContain(
    'control-plane-k3s v0.3.1: its ServiceAccount capi-k3s-control-plane-system/control-plane-k3s-manager may not list kthreescontrolplanes.controlplane.cluster.x-k8s.io',
  );
  // Cluster API needs them as well.
  expect(message).toContain('cluster-api v1.9.5: its ServiceAccount');
});

describe('a definition that the API server accepted and does not serve', () => {
  let changed: KubernetesObject[];
  const apply = async (object: KubernetesObject) => {
    changed.push(object);
    return object;
  };
  const reminded = (key: string) => ({
    ...asReleased(key),
    metadata: {
      name: `kind.of.${key}`,
      annotations: { released: 'yes', 'petra.sh/reminded-at': ports.clock.now().toISOString() },
    },
  });
  beforeEach(() => {
    changed = [];
  });

  test('is changed, so that the server takes it up, once that takes long', async () => {
    const definitions = [accepted('infrastructure-aws', 30), accepted('cluster-api', 2)];
    const { ready, message } = await start(definitions, { apply });
    expect(ready).toBe(false);
    expect(message).toContain('infrastructure-aws v2.7.2: waiting for CustomResourceDefinition');
    expect(changed).toEqual([reminded('infrastructure-aws')]);
  });

  test('is so as well when it is one of cert-manager', async () => {
    const refused = async (object: KubernetesObject) => {
      if (object.kind === 'Issuer') throw new PetraError('ObjectRefused', 'not served');
      return apply(object);
    };
    const output = await start([accepted('cert-manager', 30)], { apply: refused }, checkCertManager);
    expect(output).toMatchObject({ ready: false, message: 'not served' });
    expect(changed).toEqual([reminded('cert-manager')]);
  });
});

test("no controller is started before clusterctl's inventory can be written", async () => {
  const inventory = {
    ...definition('cluster-api', false),
    metadata: {
      name: 'providers.clusterctl.cluster.x-k8s.io',
      labels: { 'clusterctl.cluster.x-k8s.io/core': 'inventory' },
    },
  };
  const { ready, message } = await start([inventory, ...keys.map((key) => definition(key, true))]);
  expect(ready).toBe(false);
  expect(message).toContain('waiting for CustomResourceDefinition providers.clusterctl.cluster.x-k8s.io');
  expect(applied).toEqual([]);
});
