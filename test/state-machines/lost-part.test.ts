// Cluster API can lose sight of a network that it made: the Cluster refers to one that does not exist, or there are two.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { clusterReference } from '../../core/steps/create.ts';
import type { ObjectStore } from '../../local/kubernetes/object-store.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { shortLimits, type WholePetra, wholePetra } from './whole-petra.ts';

const succeeded = { status: 'Succeeded' };
const awsCluster = { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSCluster' };

/** There is a network, and never more. */
const withoutMachines = { faults: ['cluster:infrastructure'] };

let petra: WholePetra;
let store: ObjectStore;

async function open(options: Parameters<typeof wholePetra>[0] = {}): Promise<void> {
  petra = await wholePetra(options);
  await petra.init(managementSpec());
  store = petra.apis.store((await petra.ports.fleet.find('mgmt'))?.uid ?? '');
}

beforeEach(() => open());

afterEach(() => petra.close());

function infrastructureRef(): Readonly<Record<string, unknown>> {
  const { apiVersion, kind, namespace, name } = clusterReference('dev');
  return recordAt(store.get(apiVersion, kind, namespace, name), 'spec', 'infrastructureRef');
}

function networks(): readonly KubernetesObject[] {
  return store.list(awsCluster.apiVersion, awsCluster.kind, {});
}

/** The Cluster refers to a network that does not exist; the one that it referred to goes on. */
async function loseNetwork(): Promise<void> {
  await store.mutate(clusterReference('dev'), (present) => ({
    ...present,
    spec: {
      ...recordAt(present, 'spec'),
      infrastructureRef: { ...infrastructureRef(), name: 'dev-lost' },
    },
  }));
}

/** Happens when the Cluster was just applied and refers to its network. */
function onceItHasANetwork(happens: () => Promise<void>): void {
  petra.portFaults.push({
    call: 'kubernetes.apply',
    when: ({ kind }: KubernetesObject) => kind === 'Cluster',
    instead: async (usual) => {
      petra.portFaults.length = 0;
      const applied = await usual();
      await expect.poll(() => infrastructureRef().name, { interval: 1, timeout: 10_000 }).toBeDefined();
      await happens();
      return applied;
    },
  });
}

test('create goes on with the network that exists', async () => {
  onceItHasANetwork(loseNetwork);
  expect(await petra.create(workloadSpec())).toMatchObject(succeeded);
  expect(networks().map(({ metadata }) => metadata.name)).toEqual([infrastructureRef().name]);
  expect(await petra.delete('dev')).toMatchObject(succeeded);
  expect(networks()).toEqual([]);
});

test('create ends at once when no network exists', async () => {
  await petra.close();
  await open(withoutMachines);
  onceItHasANetwork(async () => {
    for (const { metadata } of networks()) {
      await store.remove({ ...awsCluster, name: metadata.name, namespace: metadata.namespace ?? '' });
    }
  });
  expect(await petra.create(workloadSpec())).toMatchObject({
    status: 'Failed',
    failure: {
      code: 'ClusterFailed',
      message: expect.stringMatching(/its Cluster refers to AWSCluster dev-\w+, which does not exist/),
    },
  });
  expect(await petra.delete('dev')).toMatchObject(succeeded);
});

test('delete finds the network that exists, and removes it after its machines', async () => {
  expect(await petra.create(workloadSpec())).toMatchObject(succeeded);
  await loseNetwork();
  expect(await petra.delete('dev')).toMatchObject(succeeded);
  expect(networks()).toEqual([]);
});

test('delete removes a second network before the Cluster is gone', async () => {
  await petra.close();
  await open({ ...withoutMachines, limits: { cluster: shortLimits.cluster } });
  expect(await petra.create(workloadSpec())).toMatchObject({ failure: { code: 'ClusterTimedOut' } });
  const [first] = networks();
  if (!first) throw new Error('the Cluster has no network');
  const { name: _name, namespace = '', labels = {}, ownerReferences = [] } = first.metadata;
  await store.create({
    ...awsCluster,
    metadata: { name: 'dev-second', namespace, labels, ownerReferences },
    spec: first.spec,
  });
  const second = () => networks().find(({ metadata }) => metadata.name === 'dev-second');
  await expect.poll(() => second()?.metadata.finalizers ?? [], { interval: 1 }).not.toEqual([]);
  expect(await petra.delete('dev')).toMatchObject(succeeded);
  expect(networks()).toEqual([]);
});
