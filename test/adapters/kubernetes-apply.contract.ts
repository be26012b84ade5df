import { expect, test } from 'vitest';
import { at, listAt } from '../../core/json-fields.ts';
import { failureOf, type Scene } from './kubernetes-scene.ts';

const applyPatch = 'application/apply-patch+yaml';
const mergePatch = 'application/merge-patch+json';

/** Merging by ownership: what an apply changes, what it leaves to others, what it takes from them. */
export function applyContract(scene: () => Scene): void {
  test('applying the same again changes nothing', async () => {
    const { kubernetes, widget } = scene();
    const first = await kubernetes.apply(widget('same', { size: 1, parts: [{ name: 'a' }] }));
    const second = await kubernetes.apply(widget('same', { size: 1, parts: [{ name: 'a' }] }));
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(second.metadata.uid).toBe(first.metadata.uid);
  });

  test('fields that are no longer applied are removed', async () => {
    const { kubernetes, configMap } = scene();
    await kubernetes.apply(configMap('fewer', { a: '1', b: '2' }, { labels: { old: 'yes', kept: 'yes' } }));
    const applied = await kubernetes.apply(
      configMap('fewer', { a: '1', c: '3' }, { labels: { kept: 'yes' } }),
    );
    expect(applied).toMatchObject({ data: { a: '1', c: '3' }, metadata: { labels: { kept: 'yes' } } });
    expect(applied.data).not.toHaveProperty('b');
    expect(applied.metadata.labels).not.toHaveProperty('old');
  });

  test('items of keyed lists are merged and removed by their key', async () => {
    const { kubernetes, widget } = scene();
    await kubernetes.apply(widget('keyed', { parts: [{ name: 'a', weight: 1 }, { name: 'b' }] }));
    const applied = await kubernetes.apply(widget('keyed', { parts: [{ name: 'a', weight: 2 }] }));
    expect(applied.spec).toMatchObject({ parts: [{ name: 'a', weight: 2 }] });
  });

  test('defaults of the schema are filled in, and free fields survive', async () => {
    const { kubernetes, widget, widgetReference } = scene();
    const free = { any: { thing: [1, null, 'x'], 'with.dots/and~tildes': {} }, empty: [], no: false };
    await kubernetes.apply(widget('free', { free }));
    const read = await kubernetes.read(widgetReference('free'));
    expect(read?.spec).toEqual({ colour: 'grey', free });
  });

  test('generation counts changes of the spec only', async () => {
    const { kubernetes, widget } = scene();
    const first = await kubernetes.apply(widget('counted', { size: 1 }));
    const labelled = await kubernetes.apply(widget('counted', { size: 1 }, { labels: { a: 'b' } }));
    const changed = await kubernetes.apply(widget('counted', { size: 2 }));
    expect([first, labelled, changed].map(({ metadata }) => metadata.generation)).toEqual([1, 1, 2]);
  });

  test('status is not written together with the object', async () => {
    const { kubernetes, widget } = scene();
    const applied = await kubernetes.apply({ ...widget('stated', { size: 1 }), status: { ready: true } });
    expect(applied.status).toBeUndefined();
  });

  test('status that a controller wrote survives an apply of the object', async () => {
    const { kubernetes, widget, request, widgetPath } = scene();
    await kubernetes.apply(widget('ready', { size: 1 }));
    const path = `${widgetPath('ready')}/status?fieldManager=controller`;
    expect((await request('PATCH', path, { status: { ready: true } }, mergePatch)).code).toBe(200);
    const applied = await kubernetes.apply(widget('ready', { size: 2 }));
    expect(applied).toMatchObject({
      spec: { size: 2 },
      status: { ready: true },
      metadata: { generation: 2 },
    });
  });

  test('a dry run answers as the apply would, and stores nothing', async () => {
    const { kubernetes, widget, widgetReference } = scene();
    const answer = await kubernetes.apply(widget('dry', { size: 1 }), { dryRun: true });
    expect(answer.spec).toMatchObject({ size: 1, colour: 'grey' });
    expect(await kubernetes.read(widgetReference('dry'))).toBeUndefined();
    const refused = await failureOf(kubernetes.apply(widget('dry', { size: 0 }), { dryRun: true }));
    expect(refused.code).toBe('ObjectRefused');
  });

  test('what another manager applied is kept, and dropped only when that manager drops it', async () => {
    const { kubernetes, widget, request, widgetPath } = scene();
    const path = `${widgetPath('shared')}?fieldManager=other`;
    const others = widget('shared', { colour: 'red', parts: [{ name: 'o', weight: 1 }] });
    expect((await request('PATCH', path, others, applyPatch)).code).toBe(201);
    const applied = await kubernetes.apply(widget('shared', { size: 1, parts: [{ name: 'p' }] }));
    expect(applied.spec).toEqual({
      colour: 'red',
      size: 1,
      parts: [{ name: 'o', weight: 1 }, { name: 'p' }],
    });
    const less = await kubernetes.apply(widget('shared', {}));
    expect(less.spec).toEqual({ colour: 'red', parts: [{ name: 'o', weight: 1 }] });
    const dropped = await request('PATCH', path, widget('shared', { colour: 'red' }), applyPatch);
    expect(at(dropped.body, 'spec')).toEqual({ colour: 'red' });
  });

  test('an apply that is not forced is told each field that is owned otherwise, and its owner', async () => {
    const { kubernetes, widget, request, widgetPath } = scene();
    const parts = (weight: number) => [{ name: 'p', weight }];
    await kubernetes.apply(
      widget('owned', { size: 1, parts: parts(1), free: { x: 1 } }, { labels: { a: 'b' } }),
    );
    const path = `${widgetPath('owned')}?fieldManager=other`;
    const one = await request('PATCH', path, widget('owned', { size: 2 }), applyPatch);
    expect(one).toMatchObject({
      code: 409,
      body: {
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "petra": .spec.size',
        details: {
          causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "petra"', field: '.spec.size' }],
        },
      },
    });
    const all = widget('owned', { size: 2, parts: parts(2), free: { x: 2 } }, { labels: { a: 'c' } });
    const many = await request('PATCH', path, all, applyPatch);
    expect(many.body.message).toBe(
      'Apply failed with 4 conflicts: conflicts with "petra":\n- .metadata.labels.a\n- .spec.size\n- .spec.free.x\n- .spec.parts[name="p"].weight',
    );
    const agreed = await request('PATCH', path, widget('owned', { size: 1 }), applyPatch);
    expect(agreed.code).toBe(200);
  });

  test('Petra takes the fields that it applies from whoever owns them, and only these', async () => {
    const { kubernetes, widget, request, widgetPath } = scene();
    const path = widgetPath('taken');
    await request('PATCH', `${path}?fieldManager=one`, widget('taken', { size: 1, tags: ['x'] }), applyPatch);
    await request('PATCH', `${path}?fieldManager=two`, { spec: { colour: 'red' } }, mergePatch);
    const applied = await kubernetes.apply(widget('taken', { size: 2, colour: 'blue' }));
    expect(applied.spec).toEqual({ size: 2, colour: 'blue', tags: ['x'] });
    const owners = listAt(applied, 'metadata', 'managedFields').map((entry) => [
      at(entry, 'manager'),
      at(entry, 'operation'),
      Object.keys(Object(at(entry, 'fieldsV1', 'f:spec'))).toSorted(),
    ]);
    expect(owners.toSorted()).toEqual([
      ['one', 'Apply', ['f:tags']],
      ['petra', 'Apply', ['f:colour', 'f:size']],
    ]);
  });

  test('an apply that names an old version of the object conflicts', async () => {
    const { kubernetes, configMap } = scene();
    const first = await kubernetes.apply(configMap('raced', { a: '1' }));
    await kubernetes.apply(configMap('raced', { a: '2' }));
    const { resourceVersion } = first.metadata;
    const failure = await failureOf(kubernetes.apply(configMap('raced', { a: '3' }, { resourceVersion })));
    expect(failure.code).toBe('ObjectConflict');
  });

  test('of many applies of one object at once every one succeeds, and one of them is what is stored', async () => {
    const { kubernetes, configMap, mapReference } = scene();
    const values = Array.from({ length: 12 }, (_, index) => String(index));
    const applied = await Promise.all(
      values.map((value) => kubernetes.apply(configMap('contended', { [`k${value}`]: value }))),
    );
    expect(new Set(applied.map(({ metadata }) => metadata.uid)).size).toBe(1);
    const read = await kubernetes.read(mapReference('contended'));
    expect(Object.keys(Object(read?.data))).toHaveLength(1);
  });
}
