import { describe, expect, test } from 'vitest';
import { companions, withoutResource } from '../../cdk/grants.ts';
import { allDocuments, inlineStatements, rendered, type Statement } from './policies.ts';
import { functionActions, functionOf, ofType, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const withKey = synthesise({ kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/0000-1111' });

function actionsOf(statements: readonly Statement[], effect: Statement['Effect'] = 'Allow'): string[] {
  const found = statements.filter(({ Effect }) => Effect === effect).flatMap(({ Action }) => Action);
  return [...new Set(found)].sort();
}

function statementsAbout(name: string, action: string): Statement[] {
  return inlineStatements(functionOf(petra, name).role, 'Work').filter(({ Action }) =>
    Action.includes(action),
  );
}

/** Functions that have the action. */
function callersOf(action: string): string[] {
  return Object.entries(functionActions).flatMap(([name, { actions }]) =>
    actions.includes(action) ? [name] : [],
  );
}

describe('a function', () => {
  test.each(Object.entries(functionActions))(
    '%s may do what its code does, and no more',
    (name, { actions }) => {
      const expected = new Set(actions.flatMap((action) => [action, ...(companions[action] ?? [])]));
      expect(actionsOf(inlineStatements(functionOf(petra, name).role, 'Work'))).toEqual([...expected].sort());
    },
  );

  test.each(Object.entries(functionActions))(
    '%s writes its own log alone',
    (name, { kubernetes, actions }) => {
      const { made, role } = functionOf(petra, name);
      const [log, traces, ...others] = inlineStatements(role, 'Log');
      expect(log?.Action).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
      const { LogGroup } = made.Properties.LoggingConfig as { readonly LogGroup: { readonly Ref: string } };
      expect(log?.Resource).toEqual([JSON.stringify({ 'Fn::GetAtt': [LogGroup.Ref, 'Arn'] })]);
      expect(traces?.Action).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
      expect(others).toEqual([]);
      // Nothing but what is looked at here and above.
      const names = (role.Properties.Policies as { readonly PolicyName: string }[]).map(
        (one) => one.PolicyName,
      );
      expect(names).toEqual([
        'Log',
        ...(kubernetes ? ['Network'] : []),
        ...(actions.length > 0 ? ['Work'] : []),
      ]);
      expect(role.Properties.ManagedPolicyArns).toBeUndefined();
    },
  );

  test('has a role that no other function has', () => {
    const roles = [...ofType(petra, 'AWS::Lambda::Function').values()].map(({ Properties }) =>
      JSON.stringify(Properties.Role),
    );
    expect(new Set(roles).size).toBe(roles.length);
  });

  test('in the network lends its role to Lambda for interfaces, and may not use that itself', () => {
    const [lent, refused] = inlineStatements(functionOf(petra, 'create/apply-cluster').role, 'Network');
    expect(refused?.Effect).toBe('Deny');
    expect(refused?.Action).toEqual(lent?.Action);
    expect(JSON.stringify(refused?.Condition)).toMatch(
      /lambda:SourceFunctionArn.*petra-create-apply-cluster/,
    );
  });

  test('uses a key of one’s own through the services that encrypt with it', () => {
    for (const [name, { actions }] of Object.entries(functionActions)) {
      const keyed = inlineStatements(functionOf(withKey, name).role, 'Work').filter(({ Action }) =>
        Action.some((action) => action.startsWith('kms:')),
      );
      const uses = actions.some((one) => /^(dynamodb|s3|secretsmanager):/.test(one));
      expect([name, keyed.length > 0]).toEqual([name, uses]);
      if (actions.includes('ec2:RunInstances'))
        expect(actionsOf(keyed)).toEqual(expect.arrayContaining(['kms:CreateGrant', 'kms:ReEncryptFrom']));
      for (const { Resource: resources, Condition } of keyed) {
        expect(resources).toEqual(['arn:aws:kms:us-east-1:111122223333:key/0000-1111']);
        expect(JSON.stringify(Condition)).toContain('kms:ViaService');
      }
    }
    expect(petra.text).not.toContain('kms:');
  });
});

describe('what functions do to EC2', () => {
  const changing = ['ec2:TerminateInstances', 'ec2:ReleaseAddress', 'ec2:DeleteNetworkInterface'];

  test.each(changing)('%s is for what has Petra’s tags', (action) => {
    expect(callersOf(action).length).toBeGreaterThan(0);
    for (const name of callersOf(action)) {
      for (const { Condition } of statementsAbout(name, action)) {
        expect(Condition).toEqual({
          Null: { 'aws:ResourceTag/petra.sh/uid': 'false', 'aws:ResourceTag/petra.sh/node': 'false' },
        });
      }
    }
  });

  test('no machine is launched without tags, IMDSv2, the node profile and an encrypted volume', () => {
    expect(callersOf('ec2:RunInstances')).toContain('init/launch-servers');
    for (const name of callersOf('ec2:RunInstances')) {
      const of = (type: string) =>
        statementsAbout(name, 'ec2:RunInstances').filter(({ Resource: resources }) =>
          resources.every((one) => one.includes(`:${type}/*`)),
        );
      const tags = { 'aws:RequestTag/petra.sh/uid': 'false', 'aws:RequestTag/petra.sh/node': 'false' };
      expect(of('instance').map(({ Condition }) => Condition)).toEqual([
        {
          Null: tags,
          StringEquals: { 'ec2:MetadataHttpTokens': 'required' },
          ArnEquals: { 'ec2:InstanceProfile': { 'Fn::GetAtt': [expect.stringMatching(/Profile/), 'Arn'] } },
        },
      ]);
      expect(of('volume').map(({ Condition }) => Condition)).toEqual([
        { Null: tags, Bool: { 'ec2:Encrypted': 'true' } },
      ]);
      expect(of('image').map(({ Condition }) => Condition)).toEqual([
        { StringEquals: { 'ec2:Owner': 'amazon' } },
      ]);
    }
  });

  test('a server starts on an interface in the node subnets, by what a launch tells IAM of it', () => {
    for (const name of callersOf('ec2:RunInstances')) {
      const interfaces = statementsAbout(name, 'ec2:RunInstances').filter(({ Resource: all }) =>
        all.some((one) => one.includes(':network-interface/')),
      );
      // The Service Authorization Reference has tags of the request, and no tags of an interface that exists.
      expect(JSON.stringify(interfaces)).not.toContain('aws:ResourceTag');
      const [, existing] = interfaces;
      expect(existing?.Resource).toEqual([expect.stringContaining(':network-interface/eni-*')]);
      expect(JSON.stringify(existing?.Condition)).toMatch(/ArnEqualsIfExists.*ec2:Subnet.*NodesSubnet1/);
    }
  });

  test('machines start in the node subnets alone', () => {
    const [places] = statementsAbout('init/launch-servers', 'ec2:RunInstances').filter(({ Resource: all }) =>
      all.some((one) => one.includes(':subnet/')),
    );
    const subnets = places?.Resource.filter((one) => one.includes(':subnet/'));
    expect(subnets).toHaveLength(2);
    for (const subnet of subnets ?? []) expect(subnet).toMatch(/NodesSubnet[12]/);
  });

  test('an image of one’s own is the only one', () => {
    const own = synthesise({ nodeImageAmd64: 'ami-0a1b', nodeImageArm64: 'ami-2c3d' });
    const images = inlineStatements(functionOf(own, 'init/launch-servers').role, 'Work')
      .flatMap(({ Resource: resources }) => resources)
      .filter((one) => one.includes(':image/'));
    expect(images.map((one) => /image\/[\w-]+/.exec(one)?.[0])).toEqual(['image/ami-0a1b', 'image/ami-2c3d']);
  });

  test('tags are given when something is made, and not to what exists', () => {
    const tagging = Object.keys(functionActions).flatMap((name) => statementsAbout(name, 'ec2:CreateTags'));
    expect(tagging.length).toBeGreaterThan(0);
    for (const { Condition } of tagging)
      expect(Condition).toMatchObject({ StringEquals: { 'ec2:CreateAction': expect.anything() } });
  });

  test('the node role is the one that is passed on, and to EC2', () => {
    const passing = Object.keys(functionActions).flatMap((name) => statementsAbout(name, 'iam:PassRole'));
    expect(passing.length).toBeGreaterThan(0);
    for (const { Resource: resources, Condition } of passing) {
      expect(resources).toEqual([expect.stringContaining('NodeRolesManagementRole')]);
      expect(Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } });
    }
  });
});

describe('what functions do elsewhere', () => {
  test('they read kubeconfigs, and no join token', () => {
    for (const name of callersOf('secretsmanager:GetSecretValue')) {
      for (const { Resource: resources } of statementsAbout(name, 'secretsmanager:GetSecretValue'))
        for (const one of resources) expect(one).toMatch(/secret:petra\/\*\/kubeconfig-\?{6}/);
    }
  });

  test('all secrets they touch are Petra’s', () => {
    for (const [, statements] of allDocuments(petra))
      for (const { Action, Resource: resources } of statements) {
        if (!Action.some((one) => one.startsWith('secretsmanager:'))) continue;
        if (Action.every((one) => one === 'secretsmanager:ListSecrets')) continue;
        for (const one of resources) expect(one).toContain(':secret:petra/*');
      }
  });

  test('they start the machines whose ARNs they are given', () => {
    for (const name of callersOf('states:StartExecution')) {
      const given = (functionActions[name]?.variables ?? []).filter((one) => one.endsWith('_STATE_MACHINE'));
      const started = statementsAbout(name, 'states:StartExecution').flatMap((one) => one.Resource);
      expect(started).toHaveLength(given.length);
      for (const one of started) expect(one).toMatch(/:stateMachine:petra-(init|create|delete|destroy)"/);
    }
  });

  test('the scheduler starts reconciliation, and nothing else', () => {
    const role = resource(petra, 'AWS::IAM::Role', 'Schedule');
    const [start, letters, ...others] = inlineStatements(role);
    expect(start?.Action).toEqual(['states:StartExecution']);
    expect(start?.Resource).toEqual([expect.stringContaining('ReconcileStateMachine')]);
    expect(letters?.Action).toEqual(['sqs:SendMessage']);
    expect(others).toEqual([]);
  });
});

describe('all policies', () => {
  const allowed = [...allDocuments(petra)].flatMap(([at, statements]) =>
    statements.filter(({ Effect }) => Effect === 'Allow').map((statement) => ({ at, ...statement })),
  );

  test('name every action they allow', () => {
    expect(allowed.flatMap(({ Action }) => Action).filter((action) => /\*/.test(action))).toEqual([]);
  });

  /** Where `*` is allowed besides the actions of cdk/grants.ts, and why. */
  const onAnything: readonly (readonly [RegExp, RegExp, string])[] = [
    [/Role[0-9A-F]{8}\.Policies/, /^xray:/, 'X-Ray knows no resources'],
    [/StateMachineRole/, /^logs:/, 'delivery of logs knows no resources'],
    [
      /Role[0-9A-F]{8}\.Policies/,
      /^ec2:(.*NetworkInterfaces?|DescribeSubnets|.*PrivateIpAddresses)$/,
      'Lambda’s own use',
    ],
    [
      /^NodeRoles/,
      /./,
      'machines of clusters that do not exist yet, in VPCs that are not known; fenced, bounded',
    ],
    [/^NetworkSecretsManager/, /^secretsmanager:ListSecrets$/, 'the endpoint, for a list'],
  ];

  test('name resources, but for actions that have none', () => {
    for (const { at, Action, Resource: resources } of allowed) {
      if (!resources.includes('*')) continue;
      for (const action of Action) {
        const known = Object.keys(withoutResource).some((one) => action.startsWith(one));
        const excused = onAnything.some(([where, what]) => where.test(at) && what.test(action));
        expect({ at, action, known: known || excused }).toEqual({ at, action, known: true });
      }
    }
  });

  test('are within the sizes that IAM accepts', () => {
    for (const of of [petra, withKey]) {
      for (const { Properties } of ofType(of, 'AWS::IAM::ManagedPolicy').values())
        expect(rendered(Properties.PolicyDocument).length).toBeLessThan(6_144);
      for (const { Properties } of ofType(of, 'AWS::IAM::Role').values())
        expect(rendered(Properties.Policies ?? []).length).toBeLessThan(10_240);
    }
  });

  test('let one service assume each role', () => {
    for (const { Properties } of ofType(petra, 'AWS::IAM::Role').values()) {
      expect(Properties.AssumeRolePolicyDocument).toMatchObject({
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Principal: { Service: expect.stringMatching(/^(lambda|states|scheduler|ec2)\.amazonaws\.com$/) },
          },
        ],
      });
    }
  });
});
