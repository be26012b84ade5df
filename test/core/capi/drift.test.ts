import { describe, expect, test } from 'vitest';
import { driftOf } from '../../../core/capi/drift.ts';
import type { KubernetesObject } from '../../../core/ports.ts';

function object(spec: unknown): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x' }, spec };
}

describe('drift', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['nothing, where all is equal', { a: 1, b: { c: ['x'] } }, { a: 1, b: { c: ['x'] } }, []],
    ['nothing, where others added fields', { a: 1 }, { a: 1, b: 2 }, []],
    ['a changed value', { a: { b: 1 } }, { a: { b: 2 } }, ['spec.a.b']],
    ['a missing value', { a: { b: 1 } }, {}, ['spec.a']],
    [
      'named items wherever they are',
      { v: [{ name: 'x', value: 1 }] },
      { v: [{ name: 'y' }, { name: 'x', value: 1 }] },
      [],
    ],
    [
      'a changed named item',
      { v: [{ name: 'x', value: 1 }] },
      { v: [{ name: 'x', value: 2 }] },
      ['spec.v[x].value'],
    ],
    ['a missing named item', { v: [{ name: 'x' }] }, { v: [] }, ['spec.v[x]']],
    ['other items by their position', { v: ['a', 'b'] }, { v: ['a', 'c'] }, ['spec.v[1]']],
    ['another type', { a: [1] }, { a: 'b' }, ['spec.a']],
  ])('is %s', (_what, wanted, found, paths) => {
    expect(driftOf(object(wanted), object(found)).map(({ path }) => path)).toEqual(paths);
  });
});
