import { afterEach, describe, expect, test } from 'vitest';
import { at, listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../../local/kubernetes/object-store.ts';
import {
  applyCluster,
  clusterKind,
  conditionOf,
  conditionStatus,
  install,
  isReady,
  read,
  startTestbed,
  type Testbed,
  until,
} from './controllers-fixture.ts';

let testbed: Testbed;
afterEach(() => testbed.stop());

async function withCluster(
  name: string,
  options: Parameters<typeof applyCluster>[2] = {},
  speed = 2000,
): Promise<ObjectStore> {
  testbed = startTestbed({ speed });
  await install(testbed.store);
  await applyCluster(testbed.store, name, options);
  return testbed.store;
}

function listOf(store: ObjectStore, kind: string): readonly KubernetesObject[] {
  const group = kind.startsWith('AWS')
    ? 'infrastructure.cluster.x-k8s.io/v1beta2'
    : kind.startsWith('KThreesControl')
      ? 'controlplane.cluster.x-k8s.io/v1beta2'
      : kind.startsWith('KThrees')
        ? 'bootstrap.cluster.x-k8s.io/v1beta2'
        : 'cluster.x-k8s.io/v1beta1';
  return store.list(group, kind, { labelSelector: 'cluster.x-k8s.io/cluster-name' });
}

describe('a new Cluster', () => {
  test('becomes what its class says, under the names and labels of Cluster API', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    expect(testbed.logged).toEqual([]);

    const [controlPlane] = listOf(store, 'KThreesControlPlane');
    expect(controlPlane?.metadata.name).toMatch(/^demo-[a-z0-9]{5}$/);
    expect(controlPlane).toMatchObject({
      metadata: {
        labels: { 'cluster.x-k8s.io/cluster-name': 'demo', 'topology.cluster.x-k8s.io/owned': '' },
        finalizers: ['kthrees.controlplane.cluster.x-k8s.io'],
      },
      spec: { replicas: 1, version: 'v1.35.3+k3s1' },
      status: {
        initialized: true,
        ready: true,
        version: 'v1.35.3+k3s1',
        replicas: 1,
        readyReplicas: 1,
        updatedReplicas: 1,
        unavailableReplicas: 0,
      },
    });
    const [deployment] = listOf(store, 'MachineDeployment');
    expect(deployment?.metadata.name).toMatch(/^demo-md-0-[a-z0-9]{5}$/);
    expect(deployment).toMatchObject({ status: { phase: 'Running', readyReplicas: 2 } });
    const machines = listOf(store, 'Machine');
    expect(machines).toHaveLength(3);
    for (const machine of machines) {
      expect(machine).toMatchObject({ status: { phase: 'Running', nodeRef: { kind: 'Node' } } });
      expect(textAt(machine, 'spec', 'providerID')).toMatch(/^aws:\/\/\/us-west-1[abc]\/i-0[0-9a-f]{16}$/);
    }
    for (const machine of listOf(store, 'AWSMachine')) {
      expect(machine).toMatchObject({
        metadata: { finalizers: ['awsmachine.infrastructure.cluster.x-k8s.io'] },
        status: { ready: true, instanceState: 'running' },
      });
    }
    expect(read(store, clusterKind, 'demo')).toMatchObject({
      metadata: { finalizers: ['cluster.cluster.x-k8s.io'] },
      spec: { controlPlaneEndpoint: { port: 6443 } },
      status: { v1beta2: { workers: { desiredReplicas: 2, availableReplicas: 2 } } },
    });
  });

  test('has the secrets of the k3s provider, and a kubeconfig for its own API', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    for (const purpose of ['ca', 'cca', 'etcd', 'token', 'kubeconfig']) {
      expect(store.get('v1', 'Secret', 'default', `demo-${purpose}`)).toMatchObject({
        type: purpose === 'kubeconfig' ? 'Opaque' : 'cluster.x-k8s.io/secret',
        metadata: { labels: { 'cluster.x-k8s.io/cluster-name': 'demo' } },
      });
    }
    const secret = store.get('v1', 'Secret', 'default', 'demo-kubeconfig');
    const kubeconfig = Buffer.from(textAt(secret, 'data', 'value') ?? '', 'base64').toString();
    expect(kubeconfig).toBe('kubeconfig of demo');
  });

  test('has Ready Nodes and its addons inside', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    const workload = testbed.workload('demo');
    const nodes = workload?.list('v1', 'Node') ?? [];
    expect(nodes).toHaveLength(3);
    for (const node of nodes) {
      expect(conditionStatus(node, 'Ready')).toBe('True');
      expect(node).toMatchObject({ status: { nodeInfo: { kubeletVersion: 'v1.35.3+k3s1' } } });
      expect(node.spec).not.toHaveProperty('taints');
    }
    await until(() =>
      ['kube-system/coredns', 'kube-system/cilium-operator', 'flux-system/source-controller'].every(
        (name) => {
          const [namespace = '', deployment = ''] = name.split('/');
          return (
            conditionStatus(workload?.get('apps/v1', 'Deployment', namespace, deployment), 'Available') ===
            'True'
          );
        },
      ),
    );
    expect(workload?.get('apps/v1', 'DaemonSet', 'kube-system', 'cilium')).toMatchObject({
      status: { desiredNumberScheduled: 3 },
    });
    expect(
      workload?.get('apps/v1', 'DaemonSet', 'kube-system', 'aws-cloud-controller-manager'),
    ).toMatchObject({
      status: { desiredNumberScheduled: 1 },
    });
    expect(workload?.get('apps/v1', 'Deployment', 'kube-system', 'traefik')).toBeUndefined();
  });

  test('owns on AWS what CAPA makes, with its tag and those of the spec', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    const resources = [...testbed.cloud.values()];
    const counts = Object.fromEntries(
      [...Map.groupBy(resources, ({ type }) => type)].map(([type, list]) => [type, list.length]),
    );
    expect(counts).toEqual({
      'ec2:vpc': 1,
      'ec2:subnet': 4,
      'ec2:internet-gateway': 1,
      'ec2:elastic-ip': 2,
      'ec2:natgateway': 2,
      'ec2:route-table': 4,
      'ec2:security-group': 5,
      'elasticloadbalancing:loadbalancer': 1,
      'ec2:instance': 3,
    });
    for (const { tags } of resources) {
      expect(tags).toMatchObject({
        'sigs.k8s.io/cluster-api-provider-aws/cluster/demo': 'owned',
        'petra.sh/cluster': 'demo',
        'petra.sh/uid': 'f00d',
      });
    }
  });

  test('goes from Pending through Provisioning to Provisioned, and then on to ready', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    const phases: string[] = [];
    const initialized: string[] = [];
    store.watch(({ object }) => {
      if (object.kind !== 'Cluster') return;
      const phase = textAt(object, 'status', 'phase');
      if (phase && phases.at(-1) !== phase) phases.push(phase);
      if (conditionStatus(object, 'ControlPlaneInitialized') === 'True') initialized.push(phase ?? '');
    });
    await applyCluster(store, 'demo');
    await until(() => isReady(store, 'demo'));
    expect(phases.filter((phase) => phase !== 'Pending')).toEqual(['Provisioning', 'Provisioned']);
    expect(new Set(initialized)).toEqual(new Set(['Provisioned']));
  });

  test('gets its servers one after the other, spread over the zones there are, and its workers after the first', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    let most = 0;
    const withoutNode = () =>
      listOf(store, 'Machine').filter(
        (machine) =>
          machine.metadata.labels?.['cluster.x-k8s.io/control-plane'] !== undefined &&
          conditionStatus(machine, 'NodeHealthy') !== 'True',
      ).length;
    store.watch(({ object }) => {
      if (object.kind === 'Machine') most = Math.max(most, withoutNode());
    });
    await applyCluster(store, 'demo', { servers: 3, workers: 1 });
    await until(() => isReady(store, 'demo'));
    expect(most).toBe(1);
    expect(listOf(store, 'Machine')).toHaveLength(4);
    const zones = listOf(store, 'Machine').map((machine) => textAt(machine, 'spec', 'failureDomain'));
    expect(zones.filter((zone) => zone !== undefined).sort()).toEqual([
      'us-west-1a',
      'us-west-1a',
      'us-west-1c',
    ]);
  });
});

describe('a Cluster of a wrong class', () => {
  test.each([
    {
      lack: 'a cloud controller manager',
      without: 'cloud-controller-manager',
      says: 'NodeProvisioning',
      taint: 'node.cloudprovider.kubernetes.io/uninitialized',
    },
    {
      lack: 'a network plug-in',
      without: 'helm.cilium.io',
      says: 'NodeConditionsFailed',
      taint: 'node.kubernetes.io/not-ready',
    },
  ])(
    'whose machines lack $lack never becomes ready, and its Machine says why',
    async ({ without, says, taint }) => {
      testbed = startTestbed();
      const { store } = testbed;
      await install(store);
      const reference = { ...clusterKind, kind: 'ClusterClass', namespace: 'default', name: 'petra' };
      await store.mutate(reference, (present) => {
        const spec = recordAt(present, 'spec');
        // A patch keeps its definitions but for the one that deploys the chart.
        const patches = listAt(spec, 'patches').map((patch) => ({
          ...recordAt(patch),
          definitions: listAt(patch, 'definitions').map((definition) => ({
            ...recordAt(definition),
            jsonPatches: listAt(definition, 'jsonPatches').filter(
              (entry) =>
                !(JSON.stringify(entry).includes('HelmChart') && JSON.stringify(entry).includes(without)),
            ),
          })),
        }));
        return { ...present, spec: { ...spec, patches } };
      });
      await applyCluster(store, 'demo', { workers: 1 });
      await until(() => textAt(conditionOf(listOf(store, 'Machine')[0], 'NodeHealthy'), 'reason') === says);
      await until(() => JSON.stringify(testbed.workload('demo')?.list('v1', 'Node') ?? []).includes(taint));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(isReady(store, 'demo')).toBe(false);
      expect(textAt(read(store, clusterKind, 'demo'), 'status', 'phase')).toBe('Provisioned');
    },
  );
});

describe('a changed Cluster', () => {
  test.each([
    { from: { servers: 1, workers: 1 }, to: { servers: 3, workers: 3 } },
    { from: { servers: 3, workers: 3 }, to: { servers: 1, workers: 0 } },
  ])('is scaled from $from to $to', async ({ from, to }) => {
    const store = await withCluster('demo', from);
    await until(() => isReady(store, 'demo'));
    await applyCluster(store, 'demo', to);
    const count = to.servers + to.workers;
    await until(() => isReady(store, 'demo') && listOf(store, 'Machine').length === count);
    const instances = [...testbed.cloud.values()].filter(({ type }) => type === 'ec2:instance');
    expect(instances).toHaveLength(count);
    expect(testbed.workload('demo')?.list('v1', 'Node')).toHaveLength(count);
  });

  test('rolls to another version: servers first, one more than wanted at most', async () => {
    const store = await withCluster('demo', { servers: 1, workers: 2 });
    await until(() => isReady(store, 'demo'));
    const before = listOf(store, 'Machine').map(({ metadata }) => metadata.name);
    let isServerDone = false;
    const early: string[] = [];
    store.watch(({ object }) => {
      if (object.kind === 'KThreesControlPlane' && textAt(object, 'status', 'version') === 'v1.36.0+k3s1') {
        isServerDone = true;
      }
      const version = textAt(object, 'spec', 'template', 'spec', 'version');
      if (object.kind === 'MachineDeployment' && version === 'v1.36.0+k3s1' && !isServerDone)
        early.push(version);
    });
    await applyCluster(store, 'demo', { servers: 1, workers: 2, version: 'v1.36.0+k3s1' });
    await until(
      () =>
        isReady(store, 'demo') &&
        listOf(store, 'Machine').length === 3 &&
        listOf(store, 'Machine').every((machine) => at(machine, 'spec', 'version') === 'v1.36.0+k3s1'),
    );
    expect(early).toEqual([]);
    expect(listOf(store, 'Machine').filter(({ metadata }) => before.includes(metadata.name))).toEqual([]);
    expect(listOf(store, 'MachineSet')).toHaveLength(1);
    expect(testbed.logged).toEqual([]);
  });
});

describe('a deleted Cluster', () => {
  test('goes from the workers up, and leaves nothing', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    const gone: string[] = [];
    const asked: string[] = [];
    store.watch(({ type, object }) => {
      const isServer = object.metadata.labels?.['cluster.x-k8s.io/control-plane'] !== undefined;
      const what = object.kind === 'Machine' ? (isServer ? 'server' : 'worker') : object.kind;
      if (type === 'DELETED') gone.push(what);
      else if (object.metadata.deletionTimestamp && !asked.includes(what)) asked.push(what);
      if (object.metadata.deletionTimestamp) {
        if (what === 'KThreesControlPlane') expect(gone.filter((one) => one === 'worker')).toHaveLength(2);
        if (what === 'AWSCluster') expect(gone).toContain('KThreesControlPlane');
      }
    });
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    await until(() => read(store, clusterKind, 'demo') === undefined);
    expect(gone.indexOf('server')).toBeGreaterThan(gone.lastIndexOf('worker'));
    expect(gone.indexOf('AWSCluster')).toBeGreaterThan(gone.indexOf('KThreesControlPlane'));
    expect(gone.indexOf('Cluster')).toBeGreaterThan(gone.indexOf('AWSCluster'));
    await store.settled();
    expect([...testbed.cloud.keys()]).toEqual([]);
    expect(testbed.workload('demo')).toBeUndefined();
    for (const kind of [
      'Machine',
      'MachineSet',
      'AWSMachine',
      'AWSMachineTemplate',
      'KThreesConfig',
      'KThreesConfigTemplate',
    ]) {
      await until(() => listOf(store, kind).length === 0);
    }
    const secrets = store.list('v1', 'Secret', { labelSelector: 'cluster.x-k8s.io/cluster-name=demo' });
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual([]);
    expect(testbed.logged).toEqual([]);
  });

  test('goes also when it never became ready', async () => {
    const store = await withCluster('demo', {}, 60);
    await until(() => textAt(read(store, clusterKind, 'demo'), 'status', 'phase') === 'Provisioning');
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    await until(() => read(store, clusterKind, 'demo') === undefined);
    expect([...testbed.cloud.keys()]).toEqual([]);
  });
});

describe('a killed process', () => {
  test('goes on where it was, at every moment, and makes nothing twice', async () => {
    testbed = startTestbed({ speed: 300 });
    const { store } = testbed;
    await install(store);
    await applyCluster(store, 'demo');
    const names = () => listOf(store, 'Machine').map(({ metadata }) => metadata.name);
    while (!isReady(store, 'demo')) {
      await testbed.kill();
      testbed.revive();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    }
    expect(names()).toHaveLength(3);
    // One VPC with its parts in two zones, and three instances: as many ids as a run without kills needs.
    expect(testbed.made.size).toBe(23);
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    while (read(store, clusterKind, 'demo')) {
      await testbed.kill();
      testbed.revive();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    }
    expect([...testbed.cloud.keys()]).toEqual([]);
    expect(testbed.made.size).toBe(23);
  });

  test('counts the time during which it was dead', async () => {
    const store = await withCluster('demo', {}, 60);
    await until(() => at(listOf(store, 'AWSCluster')[0], 'status', 'conditions') !== undefined);
    await testbed.kill();
    // AWS went on meanwhile: the infrastructure takes a second at this speed.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    testbed.revive();
    await until(() => at(listOf(store, 'AWSCluster')[0], 'status', 'ready') === true, 0.5);
  });
});

describe('a fault', () => {
  test('of the infrastructure is told by the AWSCluster and the Cluster, and its end is noticed', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    testbed.faults.add('cluster:infrastructure');
    await applyCluster(store, 'demo');
    await until(
      () =>
        textAt(conditionOf(read(store, clusterKind, 'demo'), 'InfrastructureReady'), 'reason') ===
        'VpcReconciliationFailed',
    );
    // The Cluster hears how far it is; why it fails is said by the AWSCluster alone.
    expect(conditionOf(read(store, clusterKind, 'demo'), 'InfrastructureReady')).toMatchObject({
      status: 'False',
      severity: 'Warning',
      message: '0 of 8 completed',
    });
    expect(conditionOf(listOf(store, 'AWSCluster')[0], 'VpcReady')).toMatchObject({
      message: expect.stringContaining('VpcLimitExceeded'),
    });
    expect([...testbed.cloud.keys()]).toEqual([]);
    testbed.faults.clear();
    await until(() => isReady(store, 'demo'));
  });

  test('of capacity is told by the AWSMachine, and reaches the Cluster', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    testbed.faults.add('machine:capacity');
    await applyCluster(store, 'demo');
    await until(() =>
      String(at(conditionOf(read(store, clusterKind, 'demo'), 'Ready'), 'reason')).startsWith(
        'InstanceProvisionFailed @ Machine/demo-',
      ),
    );
    expect(conditionOf(listOf(store, 'AWSMachine')[0], 'InstanceReady')).toMatchObject({
      message: expect.stringContaining('InsufficientInstanceCapacity'),
    });
    expect(textAt(read(store, clusterKind, 'demo'), 'status', 'phase')).toBe('Provisioned');
    testbed.faults.clear();
    await until(() => isReady(store, 'demo'));
  });

  test('for good ends in phase Failed', async () => {
    testbed = startTestbed();
    const { store } = testbed;
    await install(store);
    testbed.faults.add('cluster:failed');
    await applyCluster(store, 'demo');
    await until(() => textAt(read(store, clusterKind, 'demo'), 'status', 'phase') === 'Failed');
    expect(read(store, clusterKind, 'demo')).toMatchObject({
      status: {
        failureReason: 'CreateError',
        failureMessage: expect.stringContaining('Failure detected from referenced resource'),
      },
    });
  });

  test('of a deletion keeps the AWSCluster, and says why', async () => {
    const store = await withCluster('demo');
    await until(() => isReady(store, 'demo'));
    testbed.faults.add('cluster:stuck-deleting');
    await store.remove({ ...clusterKind, namespace: 'default', name: 'demo' });
    await until(
      () =>
        textAt(conditionOf(read(store, clusterKind, 'demo'), 'InfrastructureReady'), 'reason') ===
        'DeletingFailed',
    );
    expect(conditionOf(listOf(store, 'AWSCluster')[0], 'VpcReady')).toMatchObject({
      message: expect.stringContaining('DependencyViolation'),
    });
    expect(testbed.cloud.size).toBeGreaterThan(0);
    testbed.faults.clear();
    await until(() => read(store, clusterKind, 'demo') === undefined);
    expect(testbed.cloud.size).toBe(0);
  });
});
