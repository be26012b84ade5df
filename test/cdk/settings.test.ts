import { describe, expect, test } from 'vitest';
import { readSettings } from '../../cdk/settings.ts';

const read = (context: Readonly<Record<string, unknown>>) => readSettings((key) => context[key], '1.2.3');

describe('settings', () => {
  test('have a default for everything', () => {
    expect(read({})).toEqual({
      version: '1.2.3',
      stackName: 'petra',
      network: { cidr: '10.80.0.0/20', zones: 2, secretsEndpointZones: 1, flowLogs: false },
      nodePublicAddresses: true,
      nodeImages: {
        amd64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
        arm64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
      },
      createCapaProfiles: true,
      logRetentionDays: 30,
      reconcileMinutes: 5,
      eventArchiveDays: 0,
      fipsEndpoints: false,
    });
  });

  test('are read from texts of the command line and from values of cdk.json alike', () => {
    const texts = { zones: '3', flowLogs: 'true', logRetentionDays: '90', createCapaProfiles: 'false' };
    const values = { zones: 3, flowLogs: true, logRetentionDays: 90, createCapaProfiles: false };
    expect(read(texts)).toEqual(read(values));
  });

  test('a VPC is given with its subnets, in a list or in a text', () => {
    const network = {
      vpcId: 'vpc-1',
      nodeSubnetIds: ['subnet-a'],
      functionSubnetIds: ['subnet-b', 'subnet-c'],
    };
    expect(read({ ...network, functionSubnetIds: 'subnet-b,subnet-c' }).network).toEqual(network);
  });

  test.each([
    ['stackName', 'petra production'],
    ['stackName', 'a-name-of-more-than-20-letters'],
    ['kmsKeyArn', 'alias/petra'],
    ['vpcCidr', 'large'],
    ['zones', '1'],
    ['zones', '4'],
    ['secretsEndpointZones', '3'],
    ['flowLogs', 'yes'],
    ['nodeImageAmd64', 'ubuntu'],
    ['createCapaProfiles', 'no'],
    ['logRetentionDays', '31'],
    ['reconcileMinutes', '0'],
    ['reconcileMinutes', '1.5'],
    ['alarmTopicArn', 'oncall'],
    ['eventBusName', 'my bus'],
    ['releasesUrl', 'http://mirror'],
    ['k3sReleasesUrl', 'https://mirror/'],
    ['fips', 'maybe'],
  ])('%s is refused when it is %s', (key, value) => {
    expect(() => read({ [key]: value })).toThrow(`  ${key}: got ${JSON.stringify(value)}, expected `);
  });

  test('every problem is said at once', () => {
    expect(() => read({ vpcId: 'vpc-1', zones: 9 })).toThrow(
      /3 problem.*zones.*nodeSubnetIds.*functionSubnetIds/s,
    );
  });
});
