import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PetraError } from '../../core/errors.ts';
import type { Kubernetes, KubernetesObject, ObjectReference } from '../../core/ports.ts';

/** An API to test, with leave to do anything in it, and how to give up what it needs. */
export interface KubernetesUnderTest {
  readonly kubernetes: Kubernetes;
  close(): Promise<void>;
}

async function failureOf(promise: Promise<unknown>): Promise<PetraError> {
  const failure = await promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
  if (!(failure instanceof PetraError)) throw new Error(`expected a PetraError, got ${failure}`);
  return failure;
}

/** Repeats until the value is there: definitions and deletions take effect a moment after they are accepted. */
async function eventually<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    const value = await attempt().catch((error: unknown) => {
      if (left === 0) throw error;
      return undefined;
    });
    if (value !== undefined) return value;
    if (left === 0) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What every Kubernetes does; holds for a real API server too. */
export function kubernetesContract(open: () => Promise<KubernetesUnderTest>): void {
  describe('a Kubernetes API', () => {
    const run = randomUUID().slice(0, 8);
    const namespace = `contract-${run}`;
    const group = `contract-${run}.petra.sh`;
    let underTest: KubernetesUnderTest;
    let kubernetes: Kubernetes;

    const configMap = (name: string, data: Record<string, string>, metadata: object = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, ...metadata },
      data,
    });
    const mapReference = (name: string): ObjectReference => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name,
      namespace,
    });
    const widget = (name: string, spec: object, version = 'v1'): KubernetesObject => ({
      apiVersion: `${group}/${version}`,
      kind: 'Widget',
      metadata: { name, namespace },
      spec,
    });
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: ['v1', 'v1beta1'].map((name) => ({
          name,
          served: true,
          storage: name === 'v1',
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  properties: {
                    size: { type: 'integer', minimum: 1 },
                    colour: { type: 'string', default: 'grey' },
                    parts: {
                      type: 'array',
                      'x-kubernetes-list-type': 'map',
                      'x-kubernetes-list-map-keys': ['name'],
                      items: {
                        type: 'object',
                        required: ['name'],
                        properties: { name: { type: 'string' }, weight: { type: 'integer' } },
                      },
                    },
                    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  },
                },
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        })),
      },
    };

    beforeAll(async () => {
      underTest = await open();
      kubernetes = underTest.kubernetes;
      await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      await kubernetes.apply(definition);
      await eventually(() => kubernetes.apply(widget('first', { size: 1 })));
    });

    afterAll(async () => {
      if (kubernetes) {
        const { apiVersion, kind } = definition;
        await kubernetes.remove({ apiVersion, kind, name: definition.metadata.name });
        await kubernetes.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
      }
      await underTest?.close();
    });

    test('an applied object is stored, and can be read as it was sent', async () => {
      const applied = await kubernetes.apply(configMap('stored', { a: '1' }, { labels: { app: 'x' } }));
      expect(applied.metadata.uid).toBeTruthy();
      const read = await kubernetes.read(mapReference('stored'));
      expect(read).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'stored', namespace, uid: applied.metadata.uid, labels: { app: 'x' } },
        data: { a: '1' },
      });
    });

    test('applying the same again changes nothing', async () => {
      const object = configMap('same', { a: '1' });
      const first = await kubernetes.apply(object);
      const second = await kubernetes.apply(object);
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      expect(second.metadata.uid).toBe(first.metadata.uid);
    });

    test('fields that are no longer applied are removed', async () => {
      await kubernetes.apply(configMap('fewer', { a: '1', b: '2' }, { labels: { old: 'yes', kept: 'yes' } }));
      const applied = await kubernetes.apply(
        configMap('fewer', { a: '1', c: '3' }, { labels: { kept: 'yes' } }),
      );
      expect(applied).toMatchObject({ data: { a: '1', c: '3' }, metadata: { labels: { kept: 'yes' } } });
      expect(applied.data).not.toHaveProperty('b');
      expect(applied.metadata.labels).not.toHaveProperty('old');
    });

    test('items of keyed lists are merged and removed by their key', async () => {
      await kubernetes.apply(widget('keyed', { parts: [{ name: 'a', weight: 1 }, { name: 'b' }] }));
      const applied = await kubernetes.apply(widget('keyed', { parts: [{ name: 'a', weight: 2 }] }));
      expect(applied.spec).toMatchObject({ parts: [{ name: 'a', weight: 2 }] });
    });

    test('defaults of the schema are filled in, and free fields survive', async () => {
      const applied = await kubernetes.apply(widget('free', { free: { any: { thing: [1, null, 'x'] } } }));
      expect(applied.spec).toMatchObject({ colour: 'grey', free: { any: { thing: [1, null, 'x'] } } });
    });

    test('text with unusual characters arrives unharmed', async () => {
      const text =
        'del \u007f, next line \u0085, nbsp \u00a0, mark \ufeff, snowman ☃, emoji 🚀, "quoted": \\ \t\n';
      const applied = await kubernetes.apply(configMap('text', { text }));
      expect(applied.data).toEqual({ text });
    });

    test('generation counts changes of the spec only', async () => {
      const first = await kubernetes.apply(widget('counted', { size: 1 }));
      const labelled = await kubernetes.apply({
        ...widget('counted', { size: 1 }),
        metadata: { name: 'counted', namespace, labels: { a: 'b' } },
      });
      const changed = await kubernetes.apply(widget('counted', { size: 2 }));
      expect([first, labelled, changed].map(({ metadata }) => metadata.generation)).toEqual([1, 1, 2]);
    });

    test('status is not written together with the object', async () => {
      const applied = await kubernetes.apply({ ...widget('stated', { size: 1 }), status: { ready: true } });
      expect(applied.status).toBeUndefined();
    });

    test('an object can be read in every version of its kind', async () => {
      await kubernetes.apply(widget('versions', { size: 3 }, 'v1beta1'));
      for (const version of ['v1', 'v1beta1']) {
        const reference = { apiVersion: `${group}/${version}`, kind: 'Widget', name: 'versions', namespace };
        expect(await kubernetes.read(reference)).toMatchObject({
          apiVersion: `${group}/${version}`,
          spec: { size: 3 },
        });
      }
    });

    test('a dry run answers as the apply would, and stores nothing', async () => {
      const answer = await kubernetes.apply(widget('dry', { size: 1 }), { dryRun: true });
      expect(answer.spec).toMatchObject({ size: 1, colour: 'grey' });
      const reference = { apiVersion: `${group}/v1`, kind: 'Widget', name: 'dry', namespace };
      expect(await kubernetes.read(reference)).toBeUndefined();
      expect((await failureOf(kubernetes.apply(widget('dry', { size: 0 }), { dryRun: true }))).code).toBe(
        'ObjectRefused',
      );
    });

    test('a field that the schema does not know is refused by its path', async () => {
      const failure = await failureOf(kubernetes.apply(widget('unknown', { sizzle: 1 })));
      expect(failure.code).toBe('ObjectRefused');
      expect(failure.message).toContain('.spec.sizzle');
    });

    test('a value that the schema forbids is refused, with its path as evidence', async () => {
      const failure = await failureOf(kubernetes.apply(widget('invalid', { size: 0 })));
      expect(failure.code).toBe('ObjectRefused');
      expect(failure.message).toContain('Widget contract-');
      expect(failure.evidence.join('\n')).toMatch(/^spec\.size: Invalid value: /m);
    });

    test('a name that is not one is refused', async () => {
      const failure = await failureOf(kubernetes.apply(configMap('Not_A_Name', {})));
      expect(failure.code).toBe('ObjectRefused');
      expect(failure.evidence.join('\n')).toContain('metadata.name: ');
    });

    test('nothing can be applied into a namespace that does not exist', async () => {
      const elsewhere = configMap('lost', {}, { namespace: `${namespace}-absent` });
      const failure = await failureOf(kubernetes.apply(elsewhere));
      expect(failure.code).toBe('ObjectRefused');
      expect(failure.message).toContain(`namespaces "${namespace}-absent" not found`);
    });

    test('an error about a Secret does not show what is in it', async () => {
      const failure = await failureOf(
        kubernetes.apply({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'Bad_Name', namespace },
          stringData: { password: 'hunter2' },
        }),
      );
      expect(failure.code).toBe('ObjectRefused');
      expect(JSON.stringify([failure.message, failure.evidence, failure.details])).not.toContain('hunter2');
    });

    test('an apply that names an old version of the object conflicts', async () => {
      const first = await kubernetes.apply(configMap('raced', { a: '1' }));
      await kubernetes.apply(configMap('raced', { a: '2' }));
      const { resourceVersion } = first.metadata;
      const failure = await failureOf(kubernetes.apply(configMap('raced', { a: '3' }, { resourceVersion })));
      expect(failure.code).toBe('ObjectConflict');
    });

    test('what does not exist reads as undefined, whether the object or its kind is missing', async () => {
      expect(await kubernetes.read(mapReference('absent'))).toBeUndefined();
      expect(
        await kubernetes.read({ ...mapReference('x'), apiVersion: 'absent.petra.sh/v1' }),
      ).toBeUndefined();
      expect(await kubernetes.read({ ...mapReference('x'), kind: 'Absent' })).toBeUndefined();
    });

    test('a kind that is not served lists as empty, is deleted already, and cannot be applied', async () => {
      const absent = { apiVersion: 'absent.petra.sh/v1', kind: 'Absent' };
      expect(await kubernetes.list(absent)).toEqual([]);
      await kubernetes.remove({ ...absent, name: 'x', namespace });
      const failure = await failureOf(kubernetes.apply({ ...absent, metadata: { name: 'x', namespace } }));
      expect(failure.code).toBe('ObjectRefused');
    });

    test('a kind is found as soon as its definition is applied', async () => {
      const late = `late-${run}.petra.sh`;
      const object = {
        apiVersion: `${late}/v1`,
        kind: 'Late',
        metadata: { name: 'x', namespace },
      };
      expect(await kubernetes.list(object)).toEqual([]);
      const metadata = { name: `lates.${late}` };
      const schema = { openAPIV3Schema: { type: 'object' } };
      await kubernetes.apply({
        ...definition,
        metadata,
        spec: {
          group: late,
          scope: 'Namespaced',
          names: { plural: 'lates', singular: 'late', kind: 'Late', listKind: 'LateList' },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      });
      await eventually(() => kubernetes.apply(object));
      expect(await kubernetes.list(object)).toHaveLength(1);
      await kubernetes.remove({ apiVersion: definition.apiVersion, kind: definition.kind, ...metadata });
    });

    test('a list has every object of every page, each with its kind', async () => {
      const many = Array.from({ length: 620 }, (_, index) => `many-${String(index).padStart(3, '0')}`);
      await Promise.all(
        many.map((name) => kubernetes.apply(configMap(name, {}, { labels: { many: 'yes' } }))),
      );
      const listed = await kubernetes.list(
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { namespace, labelSelector: 'many=yes' },
      );
      expect(listed.map(({ metadata }) => metadata.name)).toEqual(many);
      expect(new Set(listed.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))).toEqual(
        new Set(['v1 ConfigMap']),
      );
    });

    test('a list is narrowed by label selectors of every form', async () => {
      const labels = [{ tier: 'a' }, { tier: 'b', extra: 'x' }, { other: 'y' }];
      await Promise.all(
        labels.map((set, index) =>
          kubernetes.apply(configMap(`selected-${index}`, {}, { labels: { ...set, selected: 'yes' } })),
        ),
      );
      const names = async (labelSelector: string) => {
        const listed = await kubernetes.list(
          { apiVersion: 'v1', kind: 'ConfigMap' },
          { namespace, labelSelector: `selected=yes,${labelSelector}` },
        );
        return listed.map(({ metadata }) => metadata.name.replace('selected-', '')).join(' ');
      };
      expect(await names('tier=a')).toBe('0');
      expect(await names('tier!=a')).toBe('1 2');
      expect(await names('tier in (a, b)')).toBe('0 1');
      expect(await names('tier notin (a)')).toBe('1 2');
      expect(await names('tier')).toBe('0 1');
      expect(await names('!tier')).toBe('2');
      expect(await names('tier=b,extra=x')).toBe('1');
    });

    test('a list without a namespace covers all of them', async () => {
      await kubernetes.apply(configMap('anywhere', {}, { labels: { anywhere: run } }));
      const listed = await kubernetes.list(
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { labelSelector: `anywhere=${run}` },
      );
      expect(listed).toHaveLength(1);
    });

    test('a removed object is gone, and removing it again succeeds', async () => {
      await kubernetes.apply(configMap('removed', {}));
      await kubernetes.remove(mapReference('removed'));
      await kubernetes.remove(mapReference('removed'));
      expect(await kubernetes.read(mapReference('removed'))).toBeUndefined();
    });

    test('an object is not removed in place of another that had its name', async () => {
      const applied = await kubernetes.apply(configMap('replaced', {}));
      const failure = await failureOf(kubernetes.remove(mapReference('replaced'), { uid: randomUUID() }));
      expect(failure.code).toBe('ObjectConflict');
      expect(await kubernetes.read(mapReference('replaced'))).toBeDefined();
      await kubernetes.remove(mapReference('replaced'), { uid: applied.metadata.uid ?? '' });
      expect(await kubernetes.read(mapReference('replaced'))).toBeUndefined();
    });

    test('an object with a finalizer waits, marked, until the finalizer is gone', async () => {
      await kubernetes.apply(configMap('held', {}, { finalizers: ['petra.sh/contract'] }));
      await kubernetes.remove(mapReference('held'));
      expect((await kubernetes.read(mapReference('held')))?.metadata.deletionTimestamp).toBeTruthy();
      await kubernetes.apply(configMap('held', {}));
      expect(await kubernetes.read(mapReference('held'))).toBeUndefined();
    });

    test('the cluster says what a ServiceAccount may do once a role allows it', async () => {
      const role = `petra-contract-${run}`;
      const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: role } };
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
      const reader = { namespace, name: 'reader' };
      const may = (resource: string, name = 'reader') =>
        kubernetes.allows({ serviceAccount: { namespace, name }, verb: 'list', group: 'apps', resource });
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
        subjects: [{ kind: 'ServiceAccount', ...reader }],
      });
      await eventually(async () => (await may('deployments')) || undefined);
      expect(await may('daemonsets')).toBe(false);
      expect(await may('deployments', 'other')).toBe(false);
      for (const kind of ['ClusterRoleBinding', 'ClusterRole']) {
        await kubernetes.remove({ apiVersion: rbac.apiVersion, kind, name: role });
      }
    });
  });
}
