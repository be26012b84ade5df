import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../adapters/dynamodb-cursor.ts';

describe('a cursor', () => {
  it('gives back the position it was made from', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (position) => {
        expect(decodeCursor('clusters', encodeCursor('clusters', position))).toBe(position);
      }),
    );
  });

  it('can be put into a URL as it is', () => {
    expect(encodeCursor('operations', '2026-01-31T12:00:00.000Z#create-dev-1')).toMatch(/^[\w-]+$/);
  });

  it('of another kind of list is refused', () => {
    const cursor = encodeCursor('operations', 'dev');
    expect(() => decodeCursor('clusters', cursor)).toThrow(
      expect.objectContaining({ code: 'InvalidRequest' }),
    );
  });

  it('with any letter changed is refused', () => {
    const cursor = encodeCursor('clusters', 'workload-dev');
    for (let place = 0; place < cursor.length; place++) {
      const changed = `${cursor.slice(0, place)}${cursor[place] === 'x' ? 'y' : 'x'}${cursor.slice(place + 1)}`;
      expect(() => decodeCursor('clusters', changed)).toThrow('not one of a list of clusters');
    }
  });

  it('of any other text is refused, and shown short', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor('clusters', text)).toThrow('not one of a list of clusters');
      }),
    );
    expect(() => decodeCursor('clusters', 'x'.repeat(10_000))).toThrow(/^.{1,150}$/);
  });
});
