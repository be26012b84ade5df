import { expect, test } from 'vitest';
import { toProblem } from '../../../core/api/problem.ts';
import { errorCatalogue, PetraError } from '../../../core/errors.ts';

test('an error of Petra becomes a problem with everything a caller can use', () => {
  const error = new PetraError('NameTaken', 'the name is taken', {
    fix: 'choose another',
    evidence: ['ec2:vpc vpc-1'],
    details: { clusters: ['dev'] },
    cause: new Error('kept for the log'),
  });
  expect(toProblem(error)).toEqual({
    type: 'https://petra.sh/errors/NameTaken',
    title: errorCatalogue.NameTaken.cause,
    status: 409,
    code: 'NameTaken',
    message: 'the name is taken',
    fix: 'choose another',
    retryable: false,
    source: 'user',
    evidence: ['ec2:vpc vpc-1'],
    details: { clusters: ['dev'] },
  });
});

test('a problem leaves out what it does not have', () => {
  expect(Object.keys(toProblem(new PetraError('NotLocked', 'no lock')))).toEqual([
    'type',
    'title',
    'status',
    'code',
    'message',
    'fix',
    'retryable',
    'source',
  ]);
});

test.each([new TypeError('password=hunter2 is not a function'), 'password=hunter2', undefined])(
  'what Petra did not foresee shows no insides: %s',
  (error) => {
    const problem = toProblem(error);
    expect(problem).toMatchObject({
      status: 500,
      code: 'InternalError',
      message: 'Petra failed unexpectedly',
    });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  },
);
