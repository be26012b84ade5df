import { expect, test } from 'vitest';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { at } from '../../core/json-fields.ts';
import { openRelay } from './kubernetes-relay.ts';
import { failureOf, type Scene } from './kubernetes-scene.ts';

/** Lists in pages, selections, and the changes that a watch tells. */
export function listsContract(scene: () => Scene): void {
  const manyWidgets = async () => {
    const { namespace, widgetReference, many } = scene();
    const { labelSelector, names } = await many();
    return { kind: widgetReference(''), query: { namespace, labelSelector }, names };
  };

  test('a list of a built-in kind has every object of every page, each with its kind', async () => {
    const { kubernetes, configMap, namespace } = scene();
    const { names } = await manyWidgets();
    const labels = { many: 'yes' };
    await Promise.all(names.map((name) => kubernetes.apply(configMap(name, {}, { labels }))));
    const listed = await kubernetes.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace, labelSelector: 'many=yes' },
    );
    expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(new Set(listed.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))).toEqual(
      new Set(['v1 ConfigMap']),
    );
  });

  test('a list of custom resources has every object of every page', async () => {
    const { kubernetes } = scene();
    const { kind, query, names } = await manyWidgets();
    const listed = await kubernetes.list(kind, query);
    expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
  });

  test('a list whose old states are forgotten between two pages is begun again', async () => {
    const { underTest } = scene();
    const { kind, query, names } = await manyWidgets();
    let expired = 0;
    const relay = await openRelay(underTest.kubeconfig, async ({ path }, pass) => {
      if (!path.includes('continue=') || expired > 0) return pass();
      await underTest.forgetOldStates();
      const answer = await pass();
      if (answer.code === 410) expired += 1;
      return answer;
    });
    try {
      const listed = await new HttpKubernetesAccess().connect(relay.kubeconfig).list(kind, query);
      expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
      expect(expired).toBe(1);
    } finally {
      await relay.close();
    }
  });

  test('a list that expires again and again is given up', async () => {
    const { underTest } = scene();
    const { kind, query } = await manyWidgets();
    const relay = await openRelay(underTest.kubeconfig, async ({ path }, pass) => {
      if (path.includes('continue=')) await underTest.forgetOldStates();
      return pass();
    });
    try {
      const failure = await failureOf(new HttpKubernetesAccess().connect(relay.kubeconfig).list(kind, query));
      expect(failure).toMatchObject({
        code: 'KubernetesUnreachable',
        retryable: true,
        details: { status: 410 },
      });
    } finally {
      await relay.close();
    }
  });

  test('pages lead through a selection, and the last of them may be empty', async () => {
    const { kubernetes, widget, widgetPath, request } = scene();
    for (const name of ['page-a', 'page-b', 'page-z']) {
      await kubernetes.apply(widget(name, {}, { labels: { page: name === 'page-z' ? 'no' : 'yes' } }));
    }
    const path = `${widgetPath()}?labelSelector=page%3Dyes&limit=1`;
    const seen: unknown[] = [];
    for (let token: unknown = 'first'; token; ) {
      const next = token === 'first' ? '' : `&continue=${encodeURIComponent(String(token))}`;
      const { body } = await request('GET', path + next);
      const { items } = body;
      seen.push((Array.isArray(items) ? items : []).map((item) => at(item, 'metadata', 'name')));
      expect(at(body, 'metadata', 'remainingItemCount')).toBeUndefined();
      token = at(body, 'metadata', 'continue');
    }
    expect(seen).toEqual([['page-a'], ['page-b'], []]);
  });

  test('a list is narrowed by label selectors of every form', async () => {
    const { kubernetes, configMap, namespace } = scene();
    const labels = [{ tier: 'a' }, { tier: 'b', extra: 'x' }, { other: 'y' }];
    await Promise.all(
      labels.map((set, index) =>
        kubernetes.apply(configMap(`selected-${index}`, {}, { labels: { ...set, selected: 'yes' } })),
      ),
    );
    const selected = async (labelSelector: string) => {
      const listed = await kubernetes.list(
        { apiVersion: 'v1', kind: 'ConfigMap' },
        { namespace, labelSelector: `selected=yes,${labelSelector}` },
      );
      return listed.map(({ metadata }) => metadata.name.replace('selected-', '')).join(' ');
    };
    expect(await selected('tier=a')).toBe('0');
    expect(await selected('tier==a')).toBe('0');
    expect(await selected('tier!=a')).toBe('1 2');
    expect(await selected('tier in (a, b)')).toBe('0 1');
    expect(await selected('tier notin (a)')).toBe('1 2');
    expect(await selected('tier')).toBe('0 1');
    expect(await selected('!tier')).toBe('2');
    expect(await selected('tier=b,extra=x')).toBe('1');
  });

  test('a selector that is none is refused', async () => {
    const { kubernetes } = scene();
    const listing = kubernetes.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { labelSelector: 'a in b' });
    const failure = await failureOf(listing);
    expect(failure).toMatchObject({ code: 'ObjectRefused', details: { status: 400 } });
    expect(failure.message).toContain("unable to parse requirement: found 'b' expected: '('");
  });

  test('a list without a namespace covers all of them', async () => {
    const { kubernetes, configMap, namespace } = scene();
    const elsewhere = `${namespace}-elsewhere`;
    await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: elsewhere } });
    const labels = { anywhere: namespace };
    await kubernetes.apply(configMap('anywhere', {}, { labels }));
    await kubernetes.apply(configMap('anywhere', {}, { labels, namespace: elsewhere }));
    const listed = await kubernetes.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { labelSelector: `anywhere=${namespace}` },
    );
    expect(listed.map(({ metadata }) => metadata.namespace)).toEqual([elsewhere, namespace]);
    await kubernetes.remove({ apiVersion: 'v1', kind: 'Namespace', name: elsewhere });
  });

  test('what Petra applied and removed is seen at once by its next read and list', async () => {
    const { kubernetes, widget, widgetReference, namespace } = scene();
    const query = { namespace, labelSelector: 'polled=yes' };
    for (const size of [1, 2, 3]) {
      await kubernetes.apply(widget('polled', { size }, { labels: { polled: 'yes' } }));
      expect((await kubernetes.read(widgetReference('polled')))?.spec).toMatchObject({ size });
      expect(await kubernetes.list(widgetReference(''), query)).toMatchObject([{ spec: { size } }]);
    }
    await kubernetes.remove(widgetReference('polled'));
    expect(await kubernetes.list(widgetReference(''), query)).toEqual([]);
  });

  test('a watch tells what enters, changes in and leaves a selection', async () => {
    const { kubernetes, widget, widgetReference, widgetPath, request } = scene();
    const labelled = (name: string, size: number, watched = 'yes') =>
      kubernetes.apply(widget(name, { size }, { labels: { watched } }));
    await labelled('watched-a', 1);
    const { body } = await request('GET', `${widgetPath()}?labelSelector=watched%3Dyes`);
    await labelled('watched-b', 1);
    await labelled('watched-b', 2);
    await labelled('watched-a', 3, 'no');
    await kubernetes.remove(widgetReference('watched-b'));
    const since = String(at(body, 'metadata', 'resourceVersion'));
    const query = `watch=true&timeoutSeconds=2&labelSelector=watched%3Dyes&resourceVersion=${since}`;
    const { text } = await request('GET', `${widgetPath()}?${query}`);
    const told = text
      .split('\n')
      .filter(Boolean)
      .map((line): unknown => JSON.parse(line));
    expect(
      told.map((event) =>
        [
          at(event, 'type'),
          at(event, 'object', 'metadata', 'name'),
          at(event, 'object', 'spec', 'size'),
        ].join(' '),
      ),
    ).toEqual([
      'ADDED watched-b 1',
      'MODIFIED watched-b 2',
      // What leaves a selection is told as it was in it.
      'DELETED watched-a 1',
      'DELETED watched-b 2',
    ]);
  });
}
