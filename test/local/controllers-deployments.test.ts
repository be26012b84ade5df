import { afterEach, describe, expect, test } from 'vitest';
import { at, listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { addNode, removeNode } from '../../local/controllers/nodes.ts';
import {
  applyAll,
  conditionStatus,
  managementNode,
  prepare,
  startTestbed,
  type Testbed,
  until,
} from './controllers-fixture.ts';

let testbed: Testbed;
afterEach(() => testbed.stop());

const labels = { app: 'web' };

function deployment(
  spec: Readonly<Record<string, unknown>> = {},
  pod: Readonly<Record<string, unknown>> = {},
): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 8080 }] }],
          ...pod,
        },
      },
      ...spec,
    },
  };
}

async function begin(options: { readonly speed?: number; readonly nodes?: 0 } = {}) {
  testbed = startTestbed(options);
  await prepare(testbed.store);
  if (options.nodes !== 0) await addNode(testbed.store, node);
  return testbed.store;
}

function isAvailable(): boolean {
  return (
    conditionStatus(testbed.store.get('apps/v1', 'Deployment', 'default', 'web'), 'Available') === 'True'
  );
}

function pods(): readonly KubernetesObject[] {
  return testbed.store.list('v1', 'Pod', { namespace: 'default' });
}

const node = managementNode;

describe('a Deployment', () => {
  test('is available after a while, with a ReplicaSet and Pods', async () => {
    const store = await begin({ speed: 100 });
    await applyAll(store, [deployment()]);
    await until(
      () => conditionStatus(store.get('apps/v1', 'Deployment', 'default', 'web'), 'Available') === 'False',
    );
    await until(isAvailable);
    expect(store.get('apps/v1', 'Deployment', 'default', 'web')).toMatchObject({
      status: {
        observedGeneration: 1,
        replicas: 2,
        readyReplicas: 2,
        updatedReplicas: 2,
        availableReplicas: 2,
      },
    });
    expect(store.list('apps/v1', 'ReplicaSet')).toHaveLength(1);
    for (const pod of pods()) {
      expect(pod.metadata.name).toMatch(/^web-[a-z0-9]{10}-[a-z0-9]{5}$/);
      expect(textAt(pod, 'status', 'phase')).toBe('Running');
    }
  });

  test('waits for the Secret that its Pods mount', async () => {
    const store = await begin();
    const volumes = [{ name: 'cert', secret: { secretName: 'cert' } }];
    await applyAll(store, [deployment({ replicas: 1 }, { volumes })]);
    await until(() => JSON.stringify(pods()).includes('secret \\"cert\\" not found'));
    expect(isAvailable()).toBe(false);
    await applyAll(store, [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cert', namespace: 'default' } },
    ]);
    await until(isAvailable);
  });

  test('is scaled, and rolled when its template changes', async () => {
    const store = await begin();
    await applyAll(store, [deployment()]);
    await until(isAvailable);
    await applyAll(store, [deployment({ replicas: 4 })]);
    await until(() => pods().length === 4 && isAvailable());
    await applyAll(store, [deployment({ replicas: 1 })]);
    await until(() => pods().length === 1);
    const [before] = pods();
    await applyAll(store, [deployment({ replicas: 1 }, { priorityClassName: 'high' })]);
    await until(() => pods().length === 1 && pods()[0]?.metadata.name !== before?.metadata.name);
    expect(isAvailable()).toBe(true);
    await until(() => store.list('apps/v1', 'ReplicaSet').length === 1);
  });

  test('takes its Pods with it', async () => {
    const store = await begin();
    await applyAll(store, [deployment()]);
    await until(isAvailable);
    await store.remove({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' });
    await until(() => pods().length === 0 && store.list('apps/v1', 'ReplicaSet').length === 0);
  });

  test('never becomes available under a fault, and does after it', async () => {
    const store = await begin();
    testbed.faults.add('provider:web');
    await applyAll(store, [deployment()]);
    await until(() => JSON.stringify(pods()).includes('CrashLoopBackOff'));
    expect(isAvailable()).toBe(false);
    testbed.faults.clear();
    await until(isAvailable);
  });

  test('waits for a Node without taints, and leaves one that goes', async () => {
    const store = await begin({ nodes: 0 });
    await applyAll(store, [deployment()]);
    await until(() => JSON.stringify(pods()).includes('no nodes available to schedule pods'));
    await addNode(store, { ...node, notReady: 'cni plugin not initialized' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isAvailable()).toBe(false);
    await addNode(store, node);
    await until(isAvailable);
    expect(pods().map((pod) => textAt(pod, 'spec', 'nodeName'))).toEqual([node.name, node.name]);
    await addNode(store, { ...node, name: 'ip-10-0-0-5', address: '10.0.0.5' });
    await removeNode(store, node.name);
    await until(
      () => pods().every((pod) => textAt(pod, 'spec', 'nodeName') === 'ip-10-0-0-5') && isAvailable(),
    );
  });
});

test('a Service has an EndpointSlice with the Pods that are ready', async () => {
  const store = await begin();
  await applyAll(store, [
    deployment(),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 'http' }] },
    },
  ]);
  await until(isAvailable);
  const slice = () =>
    store.list('discovery.k8s.io/v1', 'EndpointSlice', {
      labelSelector: 'kubernetes.io/service-name=web',
    })[0];
  await until(() => listAt(slice(), 'endpoints').length === 2);
  expect(slice()).toMatchObject({ ports: [{ port: 8080, protocol: 'TCP' }] });
  expect(at(slice(), 'endpoints', 0, 'conditions', 'ready')).toBe(true);
});

describe('a Node', () => {
  test('is registered once, and brought up to date', async () => {
    const store = await begin({ nodes: 0 });
    const { providerId: _, ...uninitialized } = node;
    await addNode(store, { ...uninitialized, notReady: 'cni plugin not initialized' });
    expect(store.get('v1', 'Node', undefined, node.name)).toMatchObject({
      metadata: { labels: { 'node-role.kubernetes.io/control-plane': 'true' } },
      spec: {
        taints: [
          { key: 'node.cloudprovider.kubernetes.io/uninitialized' },
          { key: 'node.kubernetes.io/not-ready' },
        ],
      },
    });
    await addNode(store, node);
    const ready = store.get('v1', 'Node', undefined, node.name);
    expect(ready?.spec).toEqual({ podCIDR: '10.42.0.0/24', providerID: node.providerId });
    expect(conditionStatus(ready, 'Ready')).toBe('True');
    await addNode(store, node);
    expect(store.get('v1', 'Node', undefined, node.name)?.metadata.resourceVersion).toBe(
      ready?.metadata.resourceVersion,
    );
  });

  test('can be removed twice', async () => {
    const store = await begin();
    await addNode(store, node);
    await removeNode(store, node.name);
    await removeNode(store, node.name);
    expect(store.list('v1', 'Node')).toEqual([]);
  });
});
