import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { tableDefinition } from '../../adapters/dynamodb-table.ts';
import { functionActions, functionOf, ofType, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const { template } = petra;
const given = {
  vpcId: 'vpc-0123',
  nodeSubnetIds: 'subnet-0a,subnet-0b',
  functionSubnetIds: ['subnet-0c', 'subnet-0d'],
};
const kmsKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/0000-1111';

describe('storage', () => {
  test('the table has the keys and indexes that the adapters write', () => {
    const { TableName: _, AttributeDefinitions, ...definition } = tableDefinition('fleet');
    template.hasResourceProperties('AWS::DynamoDB::Table', definition);
    const { Properties } = resource(petra, 'AWS::DynamoDB::Table');
    expect(new Set(Properties.AttributeDefinitions as object[])).toEqual(new Set(AttributeDefinitions));
  });

  test('the table is encrypted, restorable to a moment, safe from deletion, and drops what has expired', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      Properties: {
        SSESpecification: { SSEEnabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('the bucket is private, encrypted, versioned, for TLS only, and outlives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        VersioningConfiguration: { Status: 'Enabled' },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('only the table and the bucket are kept, and an output names both', () => {
    const kept = Object.values(petra.resources).filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain');
    expect(kept.map(({ Type }) => Type).sort()).toEqual(['AWS::DynamoDB::Table', 'AWS::S3::Bucket']);
    template.hasOutput('KeptOnDestroy', { Description: Match.stringLikeRegexp('cdk destroy leaves both') });
  });

  test('a key of one’s own is used by the table, the bucket and the functions', () => {
    const own = synthesise({ kmsKeyArn });
    own.template.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: kmsKeyArn },
    });
    own.template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: kmsKeyArn } },
        ],
      },
    });
    const { made } = functionOf(own, 'init/launch-servers');
    expect(made.Properties.Environment).toMatchObject({ Variables: { NODE_VOLUME_KEY: kmsKeyArn } });
  });
});

describe('network', () => {
  const ingress = () => [
    ...[...ofType(petra, 'AWS::EC2::SecurityGroup').values()].flatMap(
      ({ Properties }) => (Properties.SecurityGroupIngress ?? []) as readonly object[],
    ),
    ...[...ofType(petra, 'AWS::EC2::SecurityGroupIngress').values()].map(({ Properties }) => Properties),
  ];

  test('no rule lets anything in from outside: each names a group of the stack', () => {
    expect(ingress().length).toBeGreaterThan(0);
    for (const rule of ingress()) {
      expect(rule).toHaveProperty('SourceSecurityGroupId.Fn::GetAtt');
      expect(rule).not.toHaveProperty('CidrIp');
      expect(rule).not.toHaveProperty('CidrIpv6');
      expect(rule).not.toHaveProperty('SourcePrefixListId');
    }
  });

  test('functions reach nodes on the port of Kubernetes, and else only HTTPS', () => {
    const toNodes = ofType(petra, 'AWS::EC2::SecurityGroupEgress');
    expect([...toNodes.values()].map(({ Properties }) => [Properties.FromPort, Properties.ToPort])).toEqual([
      [6443, 6443],
    ]);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'Petra: functions that talk to Kubernetes',
      SecurityGroupEgress: [{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443, IpProtocol: 'tcp' }].map(
        Match.objectLike,
      ),
    });
  });

  test('the subnets of functions have no route out', () => {
    const tables = [...ofType(petra, 'AWS::EC2::RouteTable').keys()].filter((id) => id.includes('Functions'));
    expect(tables).toHaveLength(2);
    const routed = [...ofType(petra, 'AWS::EC2::Route').values()].map(
      ({ Properties }) => Properties.RouteTableId,
    );
    for (const table of tables) expect(routed).not.toContainEqual({ Ref: table });
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
  });

  test('nothing gets a public address unless it asks for one', () => {
    for (const { Properties } of ofType(petra, 'AWS::EC2::Subnet').values())
      expect(Properties.MapPublicIpOnLaunch).not.toBe(true);
  });

  test.each(Object.entries(functionActions))('%s is where its calls can be made', (name, { kubernetes }) => {
    const { made } = functionOf(petra, name);
    expect(made.Properties.VpcConfig !== undefined).toBe(kubernetes);
  });

  test('functions in the network are in isolated subnets and in their own group', () => {
    const { made } = functionOf(petra, 'create/apply-cluster');
    const { SubnetIds, SecurityGroupIds } = made.Properties.VpcConfig as Record<string, object[]>;
    expect(JSON.stringify(SubnetIds)).toMatch(/FunctionsSubnet1.*FunctionsSubnet2/);
    expect(JSON.stringify(SecurityGroupIds)).toContain('NetworkFunctions');
  });

  test('one interface is paid for, in as many zones as are asked for', () => {
    const interfaces = (of: typeof petra) =>
      [...ofType(of, 'AWS::EC2::VPCEndpoint').values()].filter(
        ({ Properties }) => Properties.VpcEndpointType === 'Interface',
      );
    expect(interfaces(petra).map(({ Properties }) => (Properties.SubnetIds as object[]).length)).toEqual([1]);
    const [three] = interfaces(synthesise({ zones: '3', secretsEndpointZones: '3' }));
    expect(three?.Properties.SubnetIds).toHaveLength(3);
  });

  test('in a VPC that is given, the stack makes two groups and no network', () => {
    const inGiven = synthesise(given);
    for (const type of ['VPC', 'Subnet', 'VPCEndpoint', 'InternetGateway'])
      inGiven.template.resourceCountIs(`AWS::EC2::${type}`, 0);
    inGiven.template.allResourcesProperties('AWS::EC2::SecurityGroup', { VpcId: 'vpc-0123' });
    inGiven.template.resourceCountIs('AWS::EC2::SecurityGroup', 2);
    expect(functionOf(inGiven, 'create/apply-cluster').made.Properties.VpcConfig).toMatchObject({
      SubnetIds: ['subnet-0c', 'subnet-0d'],
    });
    expect(functionOf(inGiven, 'init/launch-servers').made.Properties.Environment).toMatchObject({
      Variables: { NODE_SUBNETS: 'subnet-0a,subnet-0b' },
    });
  });
});

describe('functions', () => {
  test('all run on Node 24 for arm64, traced, with a log that ends', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      TracingConfig: { Mode: 'Active' },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    const functions = ofType(petra, 'AWS::Lambda::Function');
    expect(functions.size).toBe(Object.keys(functionActions).length);
    const logs = [...functions.values()].map(({ Properties }) => JSON.stringify(Properties.LoggingConfig));
    expect(new Set(logs).size).toBe(functions.size);
  });

  test('no function reserves concurrency, which the account would lack elsewhere', () => {
    for (const { Properties } of ofType(petra, 'AWS::Lambda::Function').values())
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
  });

  test.each(Object.entries(functionActions))(
    '%s is told what it reads, and no more',
    (name, { variables }) => {
      const { Variables = {} } = (functionOf(petra, name).made.Properties.Environment ?? {}) as {
        readonly Variables?: Readonly<Record<string, unknown>>;
      };
      // Without a key and mirrors of one's own these have no value.
      const optional = ['NODE_VOLUME_KEY', 'SECRETS_KEY', 'RELEASES_URL', 'K3S_RELEASES_URL'];
      const expected = variables.filter((one) => !/^(AWS_|_)/.test(one) && !optional.includes(one));
      expect(Object.keys(Variables).sort()).toEqual([...expected].sort());
    },
  );

  test('endpoints of FIPS are used when asked for', () => {
    const fips = synthesise({ fips: 'true' });
    for (const { Properties } of ofType(fips, 'AWS::Lambda::Function').values())
      expect(Properties.Environment).toMatchObject({ Variables: { AWS_USE_FIPS_ENDPOINT: 'true' } });
    expect(fips.text).toContain('secretsmanager-fips');
  });

  test('the same bundles give the same template', () => {
    expect(synthesise().text).toBe(petra.text);
  });
});

describe('the whole', () => {
  test('is of no partition, region or account', () => {
    // Not by `not.toMatch`, which would print the whole template.
    expect(petra.text.match(/arn:aws[a-z-]*:/g)).toBeNull();
    expect(petra.text.match(/\b(us|eu|ap)-[a-z]+-\d\b/g)).toBeNull();
    expect(petra.text.match(/\b\d{12}\b/g)).toBeNull();
  });

  test('stays under what one stack may hold', () => {
    expect(Object.keys(petra.resources).length).toBeLessThan(400);
    expect(petra.text.length).toBeLessThan(1_000_000);
  });

  test('brings no function of the CDK’s own', () => {
    const custom = Object.values(petra.resources).filter(({ Type }) => Type.startsWith('Custom::'));
    expect(custom).toEqual([]);
  });

  test('the CLI finds the API by a parameter', () => {
    const { Properties } = resource(petra, 'AWS::SSM::Parameter');
    expect(Properties.Name).toBe('/petra/petra/api');
    expect(JSON.stringify(Properties.Value)).toMatch(/endpoint.*region.*version.*1\.2\.3.*partition/);
  });
});
