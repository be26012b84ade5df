import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { definitionKind, definitionOf, eventually, failureOf, type Scene } from './kubernetes-scene.ts';

/** Requests that the API answers with a fault of the object or of the user: 400, 401, 403, 404, 409, 413, 422, and 500. */
export function refusalsContract(scene: () => Scene): void {
  const refusalOf = async (name: string, spec: object, metadata: object = {}) => {
    const { kubernetes, widget } = scene();
    const failure = await failureOf(kubernetes.apply(widget(name, spec, metadata)));
    expect(failure).toMatchObject({ code: 'ObjectRefused', retryable: false });
    return failure;
  };

  describe('a field that the schema does not know', () => {
    test('is refused by its path', async () => {
      const failure = await refusalOf('unknown', { sizzle: 1 });
      expect(failure.evidence).toEqual(['spec.sizzle: field not declared in schema']);
      expect(failure.message).toContain('.spec.sizzle: field not declared in schema');
    });

    test('is refused together with the others, each by its path', async () => {
      const inner = { must: 'x', sizzle: 1 };
      const failure = await refusalOf('unknowns', { inner, parts: [{ name: 'a', wait: 1 }], size: 'big' });
      expect(failure.evidence.toSorted()).toEqual([
        'spec.inner.sizzle: field not declared in schema',
        'spec.parts[name="a"].wait: field not declared in schema',
        'spec.size: expected numeric (int or float), got string',
      ]);
    });

    test('is refused in metadata and beside it', async () => {
      const inMetadata = await refusalOf('misplaced', {}, { sizzle: 1 });
      expect(inMetadata.evidence).toEqual(['metadata.sizzle: field not declared in schema']);
      const { kubernetes, widget, configMap } = scene();
      for (const object of [widget('beside', {}), configMap('beside', {})]) {
        const failure = await failureOf(kubernetes.apply({ ...object, sizzle: 1 }));
        expect(failure.evidence).toEqual(['sizzle: field not declared in schema']);
      }
    });
  });

  test('a value that the schema forbids is refused, with its path as evidence', async () => {
    const failure = await refusalOf('invalid', { size: 0 });
    expect(failure.message).toContain('Widget contract-');
    expect(failure.evidence).toEqual([
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    ]);
    expect(failure.details).toMatchObject({ status: 422, reason: 'Invalid' });
  });

  test('every forbidden value of an object is told', async () => {
    const failure = await refusalOf('invalids', { size: -1, colour: 'pink', inner: {} });
    expect(failure.evidence.toSorted()).toEqual([
      'spec.colour: Unsupported value: "pink": supported values: "grey", "red", "blue"',
      'spec.inner.must: Required value',
      'spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 1',
    ]);
  });

  test('items of a keyed list are refused when two have one key, or one has none', async () => {
    const repeated = await refusalOf('repeated', { parts: [{ name: 'a' }, { name: 'a' }] });
    expect(repeated.evidence).toEqual(['spec.parts: duplicate entries for key [name="a"]']);
    const keyless = await refusalOf('keyless', { parts: [{ weight: 1 }] });
    expect(keyless.evidence[0]).toMatch(/^spec\.parts: element 0: associative list with keys/);
  });

  test('a name that is not one is refused', async () => {
    const { kubernetes, configMap } = scene();
    const failure = await failureOf(kubernetes.apply(configMap('Not_A_Name', {})));
    expect(failure.code).toBe('ObjectRefused');
    expect(failure.evidence.join('\n')).toMatch(/^metadata\.name: Invalid value: "Not_A_Name": /);
  });

  test('a value of the wrong type in a built-in kind is refused by its path', async () => {
    const { kubernetes, configMap } = scene();
    const failure = await failureOf(kubernetes.apply(configMap('mistyped', { a: 1 })));
    expect(failure.code).toBe('ObjectRefused');
    expect(failure.evidence[0]).toMatch(/^data\.a: expected string, got /);
  });

  test('a misspelled field deep in a built-in kind is refused by its path', async () => {
    const { kubernetes, namespace } = scene();
    const container = { name: 'c', image: 'example.org/c:v1', imag: 'x' };
    const failure = await failureOf(kubernetes.apply(deployment(namespace, { replicas: 'x' }, container)));
    expect(failure).toMatchObject({ code: 'ObjectRefused', retryable: false });
    expect(failure.evidence.toSorted()).toEqual([
      'spec.replicas: expected numeric (int or float), got string',
      'spec.template.spec.containers[name="c"].imag: field not declared in schema',
    ]);
  });

  test('a value that a built-in kind forbids is refused, with its path as evidence', async () => {
    const { kubernetes, configMap, namespace } = scene();
    const container = { name: 'c', image: 'example.org/c:v1' };
    const negative = await failureOf(kubernetes.apply(deployment(namespace, { replicas: -1 }, container)));
    expect(negative.evidence).toEqual([
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ]);
    const key = await failureOf(kubernetes.apply(configMap('bad-key', { 'a b': '1' })));
    expect(key.evidence[0]).toMatch(/^data\[a b\]: Invalid value: "a b": a valid config key must consist of/);
  });

  test('nothing can be applied into a namespace that does not exist', async () => {
    const { kubernetes, configMap, widget, namespace } = scene();
    for (const object of [configMap('lost', {}), widget('lost', {})]) {
      const metadata = { name: 'lost', namespace: `${namespace}-absent` };
      const failure = await failureOf(kubernetes.apply({ ...object, metadata }));
      expect(failure.code).toBe('ObjectRefused');
      expect(failure.message).toContain(`namespaces "${namespace}-absent" not found`);
    }
  });

  test('nothing new is applied into a namespace that is being deleted, which may be retried', async () => {
    const { kubernetes, configMap, namespace } = scene();
    const kind = { apiVersion: 'v1', kind: 'Namespace' };
    const name = `${namespace}-leaving`;
    await kubernetes.apply({ ...kind, metadata: { name, finalizers: ['petra.sh/contract'] } });
    await kubernetes.remove({ ...kind, name });
    const failure = await failureOf(kubernetes.apply(configMap('late', {}, { namespace: name })));
    expect(failure).toMatchObject({ code: 'ObjectConflict', retryable: true });
    await kubernetes.apply({ ...kind, metadata: { name } });
  });

  test('no object of a kind that is being deleted is applied, which may be retried', async () => {
    const { kubernetes, widget, group } = scene();
    const leaving = `leaving-${group}`;
    await kubernetes.apply(definitionOf(leaving));
    const finalizers = ['petra.sh/contract'];
    const of = (name: string, metadata: object) => ({
      ...widget(name, {}, metadata),
      apiVersion: `${leaving}/v1`,
    });
    await eventually(() => kubernetes.apply(of('held', { finalizers })));
    await kubernetes.remove({ ...definitionKind, name: `widgets.${leaving}` });
    const refused = await eventually(() => failureOf(kubernetes.apply(of('late', {}))));
    expect(refused).toMatchObject({ code: 'ObjectConflict', retryable: true });
    await kubernetes.apply(of('held', {}));
  });

  test('an object that is too large is refused', async () => {
    const { kubernetes, configMap } = scene();
    const failure = await failureOf(kubernetes.apply(configMap('large', { text: 'x'.repeat(4_000_000) })));
    expect(failure).toMatchObject({ code: 'ObjectRefused', details: { status: 413 } });
  });

  describe('about a Secret', () => {
    test.each([
      ['a name that is not one', 'Bad_Name', { stringData: { password: 'hunter2' } }],
      ['data that is not base64', 'undecodable', { data: { password: 'hunter2!' } }],
      ['data of the wrong type', 'mistyped', { stringData: { password: ['hunter2'] } }],
    ])('an error about %s does not show what is in it', async (_title, name, content) => {
      const { kubernetes, namespace } = scene();
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, ...content };
      const failure = await failureOf(kubernetes.apply(secret));
      expect(failure.code).toBe('ObjectRefused');
      expect(JSON.stringify([failure.message, failure.evidence, failure.details])).not.toContain('hunter2');
    });

    test('its type cannot be changed', async () => {
      const { kubernetes, namespace } = scene();
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'typed', namespace } };
      await kubernetes.apply({ ...secret, type: 'petra.sh/one' });
      const failure = await failureOf(kubernetes.apply({ ...secret, type: 'petra.sh/two' }));
      expect(failure).toMatchObject({ code: 'ObjectRefused', evidence: ['type'] });
    });
  });

  describe('a user', () => {
    test('whom the API does not know is unauthorized, whatever it asks', async () => {
      const { underTest, mapReference, configMap } = scene();
      const kubeconfig = withToken(underTest.kubeconfig, 'nobodys-token');
      const stranger = new HttpKubernetesAccess().connect(kubeconfig);
      for (const attempt of [
        () => stranger.read(mapReference('x')),
        () => stranger.list({ apiVersion: 'v1', kind: 'ConfigMap' }),
        () => stranger.apply(configMap('x', {})),
        () => stranger.remove(mapReference('x')),
      ]) {
        const failure = await failureOf(attempt());
        expect(failure).toMatchObject({ code: 'KubernetesUnauthorized', details: { status: 401 } });
        expect(failure.message).not.toContain('nobodys-token');
      }
    });

    test('without rights is told which right is missing', async () => {
      const { underTest, mapReference, widget, widgetReference, namespace } = scene();
      const powerless = new HttpKubernetesAccess().connect(await underTest.powerlessUser());
      const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['get resource "configmaps" in API group ""', () => powerless.read(mapReference('x'))],
        ['patch resource "widgets" in API group', () => powerless.apply(widget('x', { size: 1 }))],
        ['delete resource "widgets" in API group', () => powerless.remove(widgetReference('x'))],
        ['list resource "widgets" in API group', () => powerless.list(widgetReference('x'), { namespace })],
      ];
      for (const [right, attempt] of attempts) {
        const failure = await failureOf(attempt());
        expect(failure).toMatchObject({ code: 'KubernetesUnauthorized', details: { status: 403 } });
        expect(failure.message).toMatch(/is forbidden: User ".+" cannot /);
        expect(failure.message).toContain(right);
        expect(failure.message).toContain(`in the namespace "${namespace}"`);
      }
      const everywhere = await failureOf(powerless.list({ apiVersion: 'v1', kind: 'Namespace' }));
      expect(everywhere.message).toContain(
        'cannot list resource "namespaces" in API group "" at the cluster scope',
      );
    });
  });
}

function deployment(namespace: string, spec: object, container: object): KubernetesObject {
  const labels = { app: 'x' };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'refused', namespace },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

/** The kubeconfig with a token in place of its user's credentials. */
function withToken(kubeconfig: string, token: string): string {
  const config = parse(kubeconfig);
  return JSON.stringify({ ...config, users: [{ name: config.users[0].name, user: { token } }] });
}
