import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { ApiStatusError } from '../../local/kubernetes/api-status.ts';
import { type ApplyOptions, ObjectStore } from '../../local/kubernetes/object-store.ts';

async function openStore(): Promise<ObjectStore> {
  const store = ObjectStore.open(Disk.inMemory(), 'one');
  await store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  return store;
}

function configMap(data: Record<string, string>, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default', ...metadata },
    data,
  };
}

function deployment(containers: readonly object[], spec: object = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: {
      ...spec,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
    },
  };
}

const by = (fieldManager: string, force = false): ApplyOptions => ({ fieldManager, force });

async function failureOf(promise: Promise<unknown>): Promise<ApiStatusError> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof ApiStatusError)) throw new Error(`expected a Status, got ${failure}`);
  return failure;
}

function containersOf(object: KubernetesObject): unknown {
  const { template } = object.spec as { template: { spec: { containers: unknown } } };
  return template.spec.containers;
}

describe('server-side apply', () => {
  test('two managers that say the same own it together, and it stays until both leave it out', async () => {
    const store = await openStore();
    await store.apply(configMap({ x: '1' }), by('one'));
    await store.apply(configMap({ x: '1', y: '2' }), by('two'));
    expect(await store.apply(configMap({}), by('one'))).toMatchObject({ data: { x: '1', y: '2' } });
    expect((await store.apply(configMap({}), by('two'))).data).not.toHaveProperty('x');
  });

  test('a forced apply takes the field, and the other manager no longer removes it', async () => {
    const store = await openStore();
    await store.apply(configMap({ x: '1' }), by('one'));
    expect((await failureOf(store.apply(configMap({ x: '2' }), by('two')))).message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .data.x',
    );
    await store.apply(configMap({ x: '2' }), by('two', true));
    expect(await store.apply(configMap({}), by('one'))).toMatchObject({ data: { x: '2' } });
  });

  test('an update takes what it changes, so that applying something else conflicts', async () => {
    const store = await openStore();
    const applied = await store.apply(configMap({ x: '1', y: '1' }), by('one'));
    await store.update({ ...applied, data: { x: '2', y: '1' } }, { fieldManager: 'editor' });
    expect(await failureOf(store.apply(configMap({ x: '1', y: '1' }), by('one')))).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.x',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.x' }] },
    });
  });

  test('containers are merged by name, ports by number, and lists without a key are replaced', async () => {
    const store = await openStore();
    const ports = [{ containerPort: 80 }];
    await store.apply(deployment([{ name: 'a', image: 'i:1', args: ['x', 'y'], ports }]), by('one'));
    const second = [
      { name: 'a', ports: [{ containerPort: 81 }] },
      { name: 'b', image: 'j' },
    ];
    const merged = await store.apply(deployment(second), by('two'));
    expect(containersOf(merged)).toMatchObject([
      { name: 'a', image: 'i:1', args: ['x', 'y'], ports: [{ containerPort: 80 }, { containerPort: 81 }] },
      { name: 'b' },
    ]);
    const fewer = await store.apply(deployment([{ name: 'a', image: 'i:1', args: ['z'], ports }]), by('one'));
    expect(containersOf(fewer)).toMatchObject([{ args: ['z'] }, { name: 'b' }]);
    const left = await store.apply(deployment([]), by('two'));
    expect(containersOf(left)).toMatchObject([{ name: 'a', ports: [{ containerPort: 80 }] }]);
  });

  test('defaults belong to nobody and are not taken back', async () => {
    const store = await openStore();
    await store.apply(deployment([{ name: 'a', image: 'i' }]), by('one'));
    const again = await store.apply(deployment([{ name: 'a', image: 'i' }]), by('one'));
    expect(again).toMatchObject({ metadata: { generation: 1 }, spec: { replicas: 1 } });
    expect(containersOf(again)).toMatchObject([{ imagePullPolicy: 'Always' }]);
  });

  test('status is applied through its subresource, apart from the rest', async () => {
    const store = await openStore();
    const object = deployment([{ name: 'a', image: 'i' }]);
    await store.apply(object, by('one'));
    const status = { replicas: 1, conditions: [{ type: 'Available', status: 'True' }] };
    await store.apply({ ...object, status }, { ...by('two'), subresource: 'status' });
    const applied = await store.apply({ ...object, status: { replicas: 9 } }, by('one'));
    expect(applied).toMatchObject({ status, metadata: { generation: 1 } });
    expect(applied.metadata.managedFields).toMatchObject([
      { manager: 'two', subresource: 'status', operation: 'Apply' },
      { manager: 'one', operation: 'Apply' },
    ]);
  });

  test('the ownership of fields is written as FieldsV1', async () => {
    const store = await openStore();
    const applied = await store.apply(
      configMap({ x: '1' }, { labels: { l: 'v' }, finalizers: ['a.b/c'] }),
      by('one'),
    );
    expect(applied.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: expect.any(String),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:data': { 'f:x': {} },
          'f:metadata': { 'f:finalizers': { 'v:"a.b/c"': {} }, 'f:labels': { 'f:l': {} } },
        },
      },
    ]);
  });
});

describe('patches', () => {
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'd' };

  test('a merge patch replaces lists and removes what is null', async () => {
    const store = await openStore();
    await store.create(deployment([{ name: 'a', image: 'i' }], { paused: true }));
    const containers = [{ name: 'b', image: 'j' }];
    const value = { spec: { paused: null, template: { spec: { containers } } } };
    const patched = await store.patch(reference, { type: 'merge', value });
    expect(patched.spec).not.toHaveProperty('paused');
    expect(containersOf(patched)).toMatchObject([{ name: 'b' }]);
  });

  test('a strategic patch merges containers by name and deletes the one it says', async () => {
    const store = await openStore();
    await store.create(
      deployment([
        { name: 'a', image: 'i' },
        { name: 'b', image: 'j' },
      ]),
    );
    const containers = [
      { name: 'a', image: 'k' },
      { name: 'b', $patch: 'delete' },
    ];
    const value = { spec: { template: { spec: { containers, '$setElementOrder/containers': [] } } } };
    const patched = await store.patch(reference, { type: 'strategic', value });
    expect(containersOf(patched)).toMatchObject([{ name: 'a', image: 'k', imagePullPolicy: 'Always' }]);
  });

  test('a JSON patch adds, replaces, moves and removes, or does nothing at all', async () => {
    const store = await openStore();
    await store.create(configMap({ a: '1', b: '2' }));
    const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };
    const value = [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'add', path: '/metadata/labels', value: {} },
      { op: 'add', path: '/metadata/labels/x~1y', value: 'z' },
      { op: 'move', from: '/data/a', path: '/data/c' },
      { op: 'copy', from: '/data/c', path: '/data/d' },
      { op: 'replace', path: '/data/c', value: '3' },
      { op: 'remove', path: '/data/b' },
    ];
    expect(await store.patch(map, { type: 'json', value })).toMatchObject({
      metadata: { labels: { 'x/y': 'z' } },
      data: { c: '3', d: '1' },
    });
    const failing = [
      { op: 'remove', path: '/data/c' },
      { op: 'test', path: '/data/d', value: 'no' },
    ];
    expect((await failureOf(store.patch(map, { type: 'json', value: failing }))).code).toBe(422);
    expect(store.get('v1', 'ConfigMap', 'default', 'a')?.data).toEqual({ c: '3', d: '1' });
  });
});
