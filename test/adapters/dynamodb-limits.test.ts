import { describe, expect, it } from 'vitest';
import { cutFailure, cutLines, cutResidue, cutText, pageSize } from '../../adapters/dynamodb-limits.ts';

describe('text that is stored', () => {
  it('stays as it is up to the limit, and is marked when it is cut', () => {
    expect(cutText('12345', 5)).toBe('12345');
    expect(cutText('123456', 5)).toBe('1234…');
  });

  it('keeps the first and the last of too many lines, and says how many are missing', () => {
    expect(cutLines(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
    expect(cutLines(['a', 'b', 'c', 'd', 'e', 'f'], 4)).toEqual(['a', 'b', '… 3 left out …', 'f']);
  });

  it('of a failure leaves absent what is absent', () => {
    const failure = { code: 'X', message: 'm', fix: 'f', retryable: false, source: 'petra' } as const;
    expect(cutFailure(failure, 'operation')).toEqual(failure);
  });

  it('of a failed step has room for what AWS said to a controller', () => {
    const line = `AWSMachine ${'name-of-a-machine-'.repeat(4)}: ${'what it was doing: '.repeat(14)}AWS's own words`;
    const failure = {
      code: 'X',
      message: 'm',
      fix: 'f',
      retryable: false,
      source: 'petra',
      evidence: [line],
    } as const;
    expect(cutFailure(failure, 'step').evidence).toEqual([line]);
  });

  it('of a residue report has at most 200 ids a kind', () => {
    const found = Array.from({ length: 1_000 }, (_, number) => `i-${number}`);
    const [line] = cutResidue([{ type: 'EC2 instances', searched: 'tag', found }]);
    expect(line?.found).toHaveLength(200);
  });
});

describe('the size of a page', () => {
  it.each([
    [undefined, 100],
    [1, 1],
    [0, 1],
    [-5, 1],
    [7.9, 7],
    [1_000, 100],
  ])('asked for as %s is %s', (limit, size) => {
    expect(pageSize(limit)).toBe(size);
  });
});
