// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies
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
    expect(isAllowed(statements, { ...question, keys: { 'aws:ResourceTag/*': [] } })).toBe(false);
  });

  it('are read with their variables filled in', () => {
    const own = readStatements({
      Statement: {
        Effect: 'Allow',
        Action: 'ec2:CreateTags',
        Resource: '*',
        Condition: {
          ArnEquals: { 'ec2:SourceInstanceARN': 'arn:aws:ec2:us-west-1:1:instance/${ec2:InstanceID}' },
        },
      },
    });
    const may = (instance: string) =>
      isAllowed(own, {
        action: 'ec2:CreateTags',
        keys: {
          'ec2:SourceInstanceARN': ['arn:aws:ec2:us-west-1:1:instance/i-1'],
          'ec2:InstanceID': [instance],
        },
      });
    expect([may('i-1'), may('i-2')]).toEqual([true, false]);
  });

  it('are refused where they cannot be evaluated', () => {
    const statement = { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' };
    expect(() => readStatements({ Statement: statement })).toThrow('NotAction');
  });
});
