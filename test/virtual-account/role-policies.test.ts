import { describe, expect, it } from 'vitest';
import { isAllowed, readStatements } from './role-policies.ts';

const statements = readStatements({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:us-west-1:1:table/petra' },
    {
      Effect: 'Allow',
      Action: ['ec2:Terminate*'],
      Resource: '*',
      Condition: { StringLike: { 'aws:ResourceTag/petra.sh/uid': '*' } },
    },
    { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::bucket/artifacts/*' },
    { Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' },
  ],
});

describe('the policies of a role', () => {
  it.each([
    ['dynamodb:GetItem', 'arn:aws:dynamodb:us-west-1:1:table/petra', true],
    ['dynamodb:GetItem', 'arn:aws:dynamodb:us-west-1:1:table/other', false],
    ['dynamodb:PutItem', 'arn:aws:dynamodb:us-west-1:1:table/petra', false],
    ['s3:GetObject', 'arn:aws:s3:::bucket/artifacts/1', true],
    ['s3:GetObject', 'arn:aws:s3:::bucket/releases/1', false],
    ['s3:DeleteObject', 'arn:aws:s3:::bucket/artifacts/1', false],
    ['ec2:TerminateInstances', undefined, true],
  ])('say of %s on %s: %s', (action, resource, expected) => {
    const about = resource === undefined ? {} : { resource };
    expect(isAllowed(statements, { action, ...about, keys: {} })).toBe(expected);
  });

  it('want a tag where they say so, as soon as the tags are known', () => {
    const question = { action: 'ec2:TerminateInstances' };
    const tag = 'aws:ResourceTag/petra.sh/uid';
    expect(isAllowed(statements, { ...question, keys: { [tag]: ['1'] } })).toBe(true);
    expect(isAllowed(statements, { ...question, keys: { [tag]: [] } })).toBe(false);
  });

  it('are refused where they cannot be evaluated', () => {
    const statement = { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' };
    expect(() => readStatements({ Statement: statement })).toThrow('NotAction');
  });
});
