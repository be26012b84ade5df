import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { builtIn } from '../../adapters/kubernetes-resources.ts';
import { definitionKind, definitionOf, eventually, failureOf, type Scene } from './kubernetes-scene.ts';

/** Single objects: stored, read, removed, and kinds that come and go. */
export function objectsContract(scene: () => Scene): void {
  test('an applied object is stored, and can be read as it was sent', async () => {
    const { kubernetes, configMap, mapReference, namespace } = scene();
    const applied = await kubernetes.apply(configMap('stored', { a: '1' }, { labels: { app: 'x' } }));
    expect(applied.metadata.uid).toBeTruthy();
    expect(await kubernetes.read(mapReference('stored'))).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'stored', namespace, uid: applied.metadata.uid, labels: { app: 'x' } },
      data: { a: '1' },
    });
  });

  test('text with unusual characters arrives unharmed', async () => {
    const { kubernetes, configMap } = scene();
    const text =
      'del \u007f, next line \u0085, nbsp \u00a0, mark \ufeff, snowman ☃, emoji 🚀, "quoted": \\ \t\n';
    const applied = await kubernetes.apply(configMap('text', { text }));
    expect(applied.data).toEqual({ text });
  });

  test('kinds that Petra does not look for are served where it takes them to be', async () => {
    for (const [key, { plural, namespaced }] of builtIn) {
      const [apiVersion = '', kind] = key.split(' ');
      const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const { body } = await scene().request('GET', root);
      expect(body.resources).toContainEqual(expect.objectContaining({ name: plural, kind, namespaced }));
    }
  });

  test('an object can be read in every version of its kind', async () => {
    const { kubernetes, widget, widgetReference, group } = scene();
    await kubernetes.apply(widget('versions', { size: 3 }, {}, 'v1beta1'));
    for (const version of ['v1', 'v1beta1']) {
      const apiVersion = `${group}/${version}`;
      expect(await kubernetes.read({ ...widgetReference('versions'), apiVersion })).toMatchObject({
        apiVersion,
        spec: { size: 3 },
      });
    }
  });

  test('what does not exist reads as undefined, whether the object, its namespace or its kind is missing', async () => {
    const { kubernetes, mapReference, widgetReference } = scene();
    for (const reference of [
      mapReference('absent'),
      widgetReference('absent'),
      { ...mapReference('x'), namespace: 'absent' },
      { ...mapReference('x'), apiVersion: 'absent.petra.sh/v1' },
      { ...mapReference('x'), kind: 'Absent' },
      { ...widgetReference('x'), kind: 'Absent' },
    ]) {
      expect(await kubernetes.read(reference)).toBeUndefined();
    }
  });

  test('a kind that is not served lists as empty, is deleted already, and cannot be applied', async () => {
    const { kubernetes, namespace } = scene();
    const absent = { apiVersion: 'absent.petra.sh/v1', kind: 'Absent' };
    expect(await kubernetes.list(absent)).toEqual([]);
    await kubernetes.remove({ ...absent, name: 'x', namespace });
    const failure = await failureOf(kubernetes.apply({ ...absent, metadata: { name: 'x', namespace } }));
    expect(failure.code).toBe('ObjectRefused');
  });

  test('a kind is found as soon as its definition is served, and again under another plural', async () => {
    const { kubernetes, namespace } = scene();
    const group = `late-${randomUUID().slice(0, 8)}.petra.sh`;
    const object = { apiVersion: `${group}/v1`, kind: 'Late', metadata: { name: 'x', namespace } };
    expect(await kubernetes.list(object)).toEqual([]);
    for (const plural of ['lates', 'latecomers']) {
      const reference = { ...definitionKind, name: `${plural}.${group}` };
      await kubernetes.apply({
        ...definitionOf(group),
        metadata: { name: reference.name },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural, singular: 'late', kind: 'Late', listKind: 'LateList' },
          versions: [
            { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
          ],
        },
      });
      await eventually(() => kubernetes.apply(object));
      expect(await kubernetes.list(object)).toHaveLength(1);
      await kubernetes.remove(reference);
      await eventually(async () => (await kubernetes.read(reference)) === undefined || undefined);
    }
  });

  test('a removed object is gone, and removing it again succeeds', async () => {
    const { kubernetes, configMap, mapReference, widget, widgetReference } = scene();
    await kubernetes.apply(configMap('removed', {}));
    await kubernetes.apply(widget('removed', {}));
    for (const reference of [mapReference('removed'), widgetReference('removed')]) {
      await kubernetes.remove(reference);
      await kubernetes.remove(reference);
      expect(await kubernetes.read(reference)).toBeUndefined();
    }
  });

  test('an object is not removed in place of another that had its name', async () => {
    const { kubernetes, configMap, mapReference } = scene();
    const applied = await kubernetes.apply(configMap('replaced', {}));
    const failure = await failureOf(kubernetes.remove(mapReference('replaced'), { uid: randomUUID() }));
    expect(failure.code).toBe('ObjectConflict');
    expect(await kubernetes.read(mapReference('replaced'))).toBeDefined();
    await kubernetes.remove(mapReference('replaced'), { uid: applied.metadata.uid ?? '' });
    expect(await kubernetes.read(mapReference('replaced'))).toBeUndefined();
  });

  test('an object with a finalizer waits, marked, until the finalizer is gone', async () => {
    const { kubernetes, widget, widgetReference } = scene();
    await kubernetes.apply(widget('held', {}, { finalizers: ['petra.sh/contract'] }));
    await kubernetes.remove(widgetReference('held'));
    await kubernetes.remove(widgetReference('held'));
    const held = await kubernetes.read(widgetReference('held'));
    expect(held?.metadata).toMatchObject({ finalizers: ['petra.sh/contract'], generation: 2 });
    expect(held?.metadata.deletionTimestamp).toBeTruthy();
    await kubernetes.apply(widget('held', {}));
    expect(await kubernetes.read(widgetReference('held'))).toBeUndefined();
  });

  test('an object that is being deleted can be changed, and gets no new finalizer', async () => {
    const { kubernetes, widget, widgetReference } = scene();
    const finalizers = ['petra.sh/contract'];
    await kubernetes.apply(widget('leaving', { size: 1 }, { finalizers }));
    await kubernetes.remove(widgetReference('leaving'));
    const changed = await kubernetes.apply(widget('leaving', { size: 2 }, { finalizers }));
    expect(changed.spec).toMatchObject({ size: 2 });
    const more = widget('leaving', { size: 2 }, { finalizers: [...finalizers, 'petra.sh/more'] });
    const failure = await failureOf(kubernetes.apply(more));
    expect(failure.code).toBe('ObjectRefused');
    expect(failure.evidence[0]).toMatch(/^metadata\.finalizers: Forbidden: no new finalizers can be added/);
    await kubernetes.apply(widget('leaving', { size: 2 }));
    expect(await kubernetes.read(widgetReference('leaving'))).toBeUndefined();
  });

  test('the cluster says what a ServiceAccount may do once a role allows it', async () => {
    const { kubernetes, namespace } = scene();
    const name = `reader-${namespace}`;
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    const may = (resource: string, account = 'reader') =>
      kubernetes.allows({
        serviceAccount: { namespace, name: account },
        verb: 'list',
        group: 'apps',
        resource,
      });
    expect(await may('deployments')).toBe(false);
    await kubernetes.apply({
      ...rbac,
      kind: 'ClusterRole',
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }],
    });
    await kubernetes.apply({
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef,
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
    });
    await eventually(async () => (await may('deployments')) || undefined);
    expect(await may('daemonsets')).toBe(false);
    expect(await may('deployments', 'other')).toBe(false);
    for (const kind of ['ClusterRoleBinding', 'ClusterRole']) {
      await kubernetes.remove({ apiVersion: rbac.apiVersion, kind, name });
    }
  });
}
