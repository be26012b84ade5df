import { describe, expect, test } from 'vitest';
import { capaActions } from '../../core/preflight/permissions.ts';
import { allDocuments, inlineStatements } from './policies.ts';
import { ofType, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const management = resource(petra, 'AWS::IAM::Role', 'NodeRolesManagementRole');
const machineRoles = [...ofType(petra, 'AWS::IAM::Role')].filter(([id]) => id.startsWith('NodeRoles'));
const boundary = [...allDocuments(petra)].find(([at]) => at.startsWith('NodeRolesBoundary'))?.[1] ?? [];

describe('machines', () => {
  test('have profiles of the names that CAPA expects', () => {
    const names = [...ofType(petra, 'AWS::IAM::InstanceProfile').values()].flatMap(
      ({ Properties }) => Properties.InstanceProfileName ?? [],
    );
    expect(names.sort()).toEqual([
      'control-plane.cluster-api-provider-aws.sigs.k8s.io',
      'nodes.cluster-api-provider-aws.sigs.k8s.io',
    ]);
  });

  test('are all within one boundary, which allows all that their roles do', () => {
    const bounded = new Set(
      boundary.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action),
    );
    expect(machineRoles).toHaveLength(3);
    for (const [, role] of machineRoles) {
      expect(JSON.stringify(role.Properties.PermissionsBoundary)).toContain('NodeRolesBoundary');
      const allowed = inlineStatements(role).filter(({ Effect }) => Effect === 'Allow');
      expect(allowed.flatMap(({ Action }) => Action).filter((action) => !bounded.has(action))).toEqual([]);
    }
  });

  test('can neither make nor change identities', () => {
    const identity = boundary.flatMap(({ Action }) => Action).filter((action) => /^(iam|sts):/.test(action));
    expect([...new Set(identity)].sort()).toEqual(['iam:CreateServiceLinkedRole', 'iam:PassRole']);
  });

  test('of a second region use the profiles of the first', () => {
    const second = synthesise({ createCapaProfiles: 'false' });
    // Names in IAM are the account's: two stacks with one of these would not both deploy.
    for (const { Properties } of Object.values(second.resources))
      for (const name of ['RoleName', 'InstanceProfileName', 'ManagedPolicyName', 'PolicyName'])
        if (Properties[name] !== undefined) expect(Properties[name]).toBeUndefined();
    second.template.resourceCountIs('AWS::IAM::InstanceProfile', 1);
  });
});

describe('a management node', () => {
  const bootstrap = inlineStatements(management, 'Bootstrap');

  test('reads join tokens and writes kubeconfigs, not the other way round', () => {
    const secrets = bootstrap.filter(({ Action }) => Action[0]?.startsWith('secretsmanager:'));
    expect(secrets.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [['secretsmanager:GetSecretValue'], [expect.stringMatching(/:secret:petra\/\*\/join-token-\?{6}"/)]],
      [['secretsmanager:PutSecretValue'], [expect.stringMatching(/:secret:petra\/\*\/kubeconfig-\?{6}"/)]],
    ]);
  });

  test('tags itself with its progress', () => {
    const [tagging] = bootstrap.filter(({ Action }) => Action.includes('ec2:CreateTags'));
    expect(JSON.stringify(tagging?.Condition)).toMatch(/ec2:SourceInstanceARN.*\$\{ec2:InstanceID\}/);
    expect(tagging?.Condition).toMatchObject({
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['petra.sh/progress'] },
      Null: { 'aws:ResourceTag/petra.sh/uid': 'false', 'aws:TagKeys': 'false' },
    });
  });

  test.each(['own', 'existing'] as const)(
    'may do what preflight asks of CAPA, in a network that is %s',
    (network) => {
      const allowed = inlineStatements(management, 'ClusterApi').flatMap(({ Action }) => Action);
      expect(capaActions(network).length).toBeGreaterThan(0);
      expect(capaActions(network).filter((action) => !allowed.includes(action))).toEqual([]);
    },
  );

  test('passes on the two roles of CAPA’s machines, and no other', () => {
    const [passing] = inlineStatements(management).filter(({ Action }) => Action.includes('iam:PassRole'));
    expect(passing?.Resource.map((arn) => /role\/([\w.-]+)/.exec(arn)?.[1])).toEqual([
      'control-plane.cluster-api-provider-aws.sigs.k8s.io',
      'nodes.cluster-api-provider-aws.sigs.k8s.io',
    ]);
  });

  test('cannot end or weaken management nodes, nor mark something as Petra’s', () => {
    const refused = inlineStatements(management, 'Fence').slice(0, 3);
    expect(refused.every(({ Effect }) => Effect === 'Deny')).toBe(true);
    const onOwn = refused.filter(({ Condition }) =>
      JSON.stringify(Condition).includes('aws:ResourceTag/petra.sh/node'),
    );
    expect(onOwn.flatMap(({ Action }) => Action)).toEqual(
      expect.arrayContaining([
        'ec2:TerminateInstances',
        'ec2:ModifyInstanceMetadataOptions',
        'ec2:CreateTags',
      ]),
    );
    expect(refused.at(-1)).toMatchObject({
      Action: ['ec2:CreateTags'],
      Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['petra.sh/node', 'petra.sh/stack'] } },
    });
    // The same for the machines of workload clusters, by their boundary.
    expect(boundary.filter(({ Effect }) => Effect === 'Deny')).toEqual(refused);
  });

  test('nor can it or a control plane of a workload cluster change the network of the stack', () => {
    const ofStack = { Null: { 'aws:ResourceTag/petra.sh/stack': 'false' } };
    for (const id of ['NodeRolesManagementRole', 'NodeRolesControlPlaneRole']) {
      const fence = inlineStatements(resource(petra, 'AWS::IAM::Role', id), 'Fence');
      const refused = fence.filter(({ Condition }) => JSON.stringify(Condition) === JSON.stringify(ofStack));
      const [changes, joins] = refused;
      expect(refused).toHaveLength(2);
      expect(changes).toMatchObject({ Effect: 'Deny', Resource: ['*'] });
      expect(changes?.Action).toEqual(
        expect.arrayContaining(['ec2:AuthorizeSecurityGroupIngress', 'ec2:DeleteVpc', 'ec2:DeleteTags']),
      );
      expect(joins).toMatchObject({
        Effect: 'Deny',
        Resource: [expect.stringMatching(/:security-group\/\*"/)],
      });
      expect(joins?.Action).toContain('ec2:RunInstances');
    }
    // What the fence asks for is there.
    for (const type of ['VPC', 'Subnet', 'RouteTable', 'SecurityGroup', 'InternetGateway'])
      for (const { Properties } of ofType(petra, `AWS::EC2::${type}`).values())
        expect(Properties.Tags).toContainEqual({ Key: 'petra.sh/stack', Value: 'petra' });
  });
});
