import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { Disk } from '../../local/disk.ts';
import { referenceTo } from '../../local/kubernetes/api-object.ts';
import { ApiStatusError } from '../../local/kubernetes/api-status.ts';
import { ObjectStore } from '../../local/kubernetes/object-store.ts';

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };

async function storeWithNamespace(disk = Disk.inMemory()): Promise<ObjectStore> {
  const store = ObjectStore.open(disk, 'one');
  await store.create(namespace);
  return store;
}

function configMap(name: string, data: Record<string, string> = {}, more: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...more }, data };
}

const widgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
    versions: ['v1beta1', 'v1'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    })),
  },
};

function widget(name: string, spec: object, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name, namespace: 'default', ...metadata },
    spec,
  };
}

function ref(name: string, namespace = 'default'): ObjectReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, namespace };
}

async function failureOf(promise: Promise<unknown>): Promise<ApiStatusError> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof ApiStatusError)) throw new Error(`expected a Status, got ${failure}`);
  return failure;
}

describe('writing objects', () => {
  test('a created object has a uid, a time and a version, and can be read', async () => {
    const store = await storeWithNamespace();
    const made = await store.create(configMap('a', { x: '1' }));
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.creationTimestamp).toMatch(/Z$/);
    expect(store.get('v1', 'ConfigMap', 'default', 'a')).toEqual(made);
  });

  test('a name that is taken, an absent namespace and a bad name are refused as a real server words it', async () => {
    const store = await storeWithNamespace();
    await store.create(configMap('a'));
    expect((await failureOf(store.create(configMap('a')))).status()).toMatchObject({
      reason: 'AlreadyExists',
      code: 409,
      message: 'configmaps "a" already exists',
      details: { name: 'a', kind: 'configmaps' },
    });
    expect((await failureOf(store.create(configMap('b', {}, { namespace: 'no' })))).message).toBe(
      'namespaces "no" not found',
    );
    expect(await failureOf(store.create(configMap('B_')))).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  test('an update with an old resourceVersion conflicts, and one without change writes nothing', async () => {
    const store = await storeWithNamespace();
    const first = await store.create(configMap('a', { x: '1' }));
    const second = await store.update({ ...first, data: { x: '2' } });
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    expect(await failureOf(store.update({ ...first, data: { x: '3' } }))).toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
    expect(await store.update(second)).toEqual(second);
  });

  test('generation counts changes of the spec, not of status or labels', async () => {
    const store = await storeWithNamespace();
    await store.create(widgets);
    const made = await store.create(widget('w', { size: 1 }));
    expect(made.metadata.generation).toBe(1);
    await store.updateStatus('example.org/v1', 'Widget', 'default', 'w', () => ({ ready: true }));
    await store.mutate(referenceTo(made), (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { a: 'b' } },
    }));
    expect(store.get('example.org/v1', 'Widget', 'default', 'w')).toMatchObject({
      metadata: { generation: 1 },
      status: { ready: true },
    });
    const changed = await store.mutate(referenceTo(made), (object) => ({
      ...object,
      spec: { size: 2 },
      status: {},
    }));
    expect(changed).toMatchObject({ metadata: { generation: 2 }, status: { ready: true } });
  });

  test('a dry run answers and stores nothing', async () => {
    const store = await storeWithNamespace();
    const made = await store.create(configMap('a'), { dryRun: true });
    expect(made.metadata.uid).toBeDefined();
    expect(store.get('v1', 'ConfigMap', 'default', 'a')).toBeUndefined();
  });

  test('objects, versions and definitions survive a restart', async () => {
    const disk = Disk.inMemory();
    const before = await storeWithNamespace(disk);
    await before.create(widgets);
    const made = await before.create(widget('w', { size: 1 }));
    const after = ObjectStore.open(disk, 'one');
    expect(after.get('example.org/v1', 'Widget', 'default', 'w')).toEqual(made);
    const next = await after.create(configMap('later'));
    expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
  });

  test('watchers are told of each change in order, with the object before', async () => {
    const store = await storeWithNamespace();
    const seen: string[] = [];
    const stop = store.watch(({ type, object, previous }) =>
      seen.push(`${type} ${object.metadata.name} ${previous ? 'had' : 'new'}`),
    );
    await Promise.all([store.create(configMap('a')), store.create(configMap('b'))]);
    await store.mutate(ref('a'), (object) => ({ ...object, data: { x: '1' } }));
    await store.remove(ref('b'));
    stop();
    await store.create(configMap('c'));
    expect(seen).toEqual(['ADDED a new', 'ADDED b new', 'MODIFIED a had', 'DELETED b had']);
  });

  test('what the store hands out cannot be changed by accident', async () => {
    const store = await storeWithNamespace();
    const made = await store.create(configMap('a', { x: '1' }));
    expect(() => Object.assign(made.metadata, { name: 'b' })).toThrow(TypeError);
  });

  test('admission can change or refuse any write, dry runs included', async () => {
    const store = await storeWithNamespace();
    store.admit = ({ object, operation, dryRun }) => {
      if (object.metadata.name === 'bad') {
        throw new ApiStatusError(
          403,
          'Forbidden',
          `admission webhook "w" denied the request: ${operation} ${dryRun}`,
        );
      }
      return { ...object, data: { added: 'yes' } };
    };
    expect(await store.create(configMap('a'))).toMatchObject({ data: { added: 'yes' } });
    expect((await failureOf(store.create(configMap('bad'), { dryRun: true }))).message).toContain(
      'CREATE true',
    );
  });
});

describe('custom resource definitions', () => {
  test('a stored definition is established and its kind is served in every version', async () => {
    const store = await storeWithNamespace();
    expect(store.resourceFor('example.org/v1', 'Widget')).toBeUndefined();
    await store.create(widgets);
    expect(store.resourceFor('example.org/v1beta1', 'Widget')?.versions.map(({ name }) => name)).toEqual([
      'v1',
      'v1beta1',
    ]);
    await store.create({ ...widget('w', { size: 1 }), apiVersion: 'example.org/v1beta1' });
    expect(store.get('example.org/v1', 'Widget', 'default', 'w')).toMatchObject({
      apiVersion: 'example.org/v1',
      spec: { size: 1 },
    });
    expect(store.get('example.org/v1beta1', 'Widget', 'default', 'w')?.apiVersion).toBe(
      'example.org/v1beta1',
    );
  });

  test('deleting a definition deletes its objects first', async () => {
    const store = await storeWithNamespace();
    await store.create(widgets);
    await store.create(widget('w', {}));
    await store.remove({ apiVersion: widgets.apiVersion, kind: widgets.kind, name: widgets.metadata.name });
    await store.settled();
    expect(store.get(widgets.apiVersion, widgets.kind, undefined, 'widgets.example.org')).toBeUndefined();
    expect([...store.all()].map(({ kind }) => kind)).not.toContain('Widget');
  });
});

describe('deletion', () => {
  test('an object with finalizers stays, marked, until they are gone', async () => {
    const store = await storeWithNamespace();
    await store.create(configMap('a', {}, { finalizers: ['example.org/hold'] }));
    const left = await store.remove(ref('a'));
    expect(left?.metadata.deletionTimestamp).toBeDefined();
    const held = (finalizers: string[]) =>
      store.mutate(ref('a'), (object) => ({ ...object, metadata: { ...object.metadata, finalizers } }));
    expect(await failureOf(held(['example.org/hold', 'example.org/more']))).toMatchObject({ code: 422 });
    await held([]);
    expect(store.get('v1', 'ConfigMap', 'default', 'a')).toBeUndefined();
  });

  test('only the object with the given uid is deleted', async () => {
    const store = await storeWithNamespace();
    await store.create(configMap('a'));
    expect(await failureOf(store.remove(ref('a'), { uid: 'other' }))).toMatchObject({ code: 409 });
  });

  test('what an object owns follows it, unless someone else owns it too', async () => {
    const store = await storeWithNamespace();
    const [a, b] = [await store.create(configMap('a')), await store.create(configMap('b'))];
    const owner = ({ apiVersion, kind, metadata }: KubernetesObject) => ({
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
    });
    const child = await store.create(configMap('child', {}, { ownerReferences: [owner(a)] }));
    await store.create(configMap('grandchild', {}, { ownerReferences: [owner(child)] }));
    await store.create(configMap('shared', {}, { ownerReferences: [owner(a), owner(b)] }));
    await store.remove(ref('a'));
    await store.settled();
    const left = store.list('v1', 'ConfigMap').map(({ metadata }) => metadata.name);
    expect(left).toEqual(['b', 'shared']);
    expect(store.get('v1', 'ConfigMap', 'default', 'shared')?.metadata.ownerReferences).toEqual([owner(b)]);
  });

  test('a foreground deletion waits for what blocks it, and an orphaning one frees what it owned', async () => {
    const store = await storeWithNamespace();
    const owned = async (name: string) => {
      const made = await store.create(configMap(name));
      const { apiVersion, kind, metadata } = made;
      const ownerReferences = [{ apiVersion, kind, name, uid: metadata.uid, blockOwnerDeletion: true }];
      await store.create(
        configMap(`${name}-child`, {}, { ownerReferences, finalizers: ['example.org/hold'] }),
      );
    };
    await owned('a');
    await owned('b');
    await store.remove(ref('a'), { propagation: 'Foreground' });
    await store.remove(ref('b'), { propagation: 'Orphan' });
    await store.settled();
    const names = () => store.list('v1', 'ConfigMap').map(({ metadata }) => metadata.name);
    expect(names()).toEqual(['a', 'a-child', 'b-child']);
    await store.mutate(ref('a-child'), ({ metadata, ...object }) => ({
      ...object,
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, finalizers: [] },
    }));
    await store.settled();
    expect(names()).toEqual(['b-child']);
    expect(store.get('v1', 'ConfigMap', 'default', 'b-child')?.metadata.ownerReferences).toBeUndefined();
  });

  test('a deleted namespace takes its contents with it and accepts nothing new meanwhile', async () => {
    const store = await storeWithNamespace();
    await store.create({ ...namespace, metadata: { name: 'team' } });
    await store.create(configMap('a', {}, { namespace: 'team', finalizers: ['example.org/hold'] }));
    await store.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'team' });
    await store.settled();
    expect(store.get('v1', 'Namespace', undefined, 'team')).toMatchObject({
      status: { phase: 'Terminating' },
    });
    expect(await failureOf(store.create(configMap('b', {}, { namespace: 'team' })))).toMatchObject({
      code: 403,
    });
    await store.mutate({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'team' }, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: [] },
    }));
    await store.settled();
    expect(store.get('v1', 'Namespace', undefined, 'team')).toBeUndefined();
  });

  test('a deletion interrupted by a crash goes on after the restart', async () => {
    const disk = Disk.inMemory();
    const before = await storeWithNamespace(disk);
    const { metadata } = await before.create(configMap('a'));
    await before.create(
      configMap(
        'child',
        {},
        { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: metadata.uid }] },
      ),
    );
    before.close();
    await before.remove(ref('a'));
    const after = ObjectStore.open(disk, 'one');
    await after.settled();
    expect(after.list('v1', 'ConfigMap')).toEqual([]);
  });
});

test('a version is not given twice, even when its reservation was lost in a crash', async () => {
  const disk = Disk.inMemory();
  const before = await storeWithNamespace(disk);
  const made = await before.create(configMap('a'));
  await disk.collection<number>('kubernetes-versions').put('one', 0);
  const after = ObjectStore.open(disk, 'one');
  const next = await after.create(configMap('b'));
  expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
});

test('workloads that a real server refuses are refused', async () => {
  const store = await storeWithNamespace();
  const deployment = (selector: object | undefined, containers: readonly object[]): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: { selector, template: { metadata: { labels: { a: 'b' } }, spec: { containers } } },
  });
  const selector = { matchLabels: { a: 'b' } };
  const problemOf = async (object: KubernetesObject) =>
    (await failureOf(store.create(object))).message.replace('Deployment.apps "d" is invalid: ', '');
  expect(await problemOf(deployment(selector, []))).toBe('spec.template.spec.containers: Required value');
  expect(await problemOf(deployment(selector, [{ name: 'a' }]))).toBe(
    'spec.template.spec.containers[0].image: Required value',
  );
  expect(await problemOf(deployment(undefined, [{ name: 'a', image: 'i' }]))).toBe(
    'spec.selector: Required value',
  );
  expect(await problemOf(deployment({ matchLabels: { a: 'c' } }, [{ name: 'a', image: 'i' }]))).toBe(
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  );
  await store.create(deployment(selector, [{ name: 'a', image: 'i' }]));
});
