// Whom the machines are: management nodes, on which Cluster API's provider works under the machine's role, and the
// machines that the provider makes, by the profiles whose names it expects.
//
// Names in IAM are the account's, not the region's. The two profiles of CAPA's machines have fixed names, so the stack
// of a second region is deployed with `-c createCapaProfiles=false`, as one beside clusterawsadm is. All else here is
// named by CloudFormation.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import {
  Effect,
  InstanceProfile,
  type IRole,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  capaReads,
  capaWrites,
  cloudControllerActions,
  serviceLinkedRoles,
  systemsManagerActions,
  volumeControllerActions,
  workloadNodeActions,
} from './capa-actions.ts';
import type { PetraSettings } from './settings.ts';

const capaName = (role: 'control-plane' | 'nodes') => `${role}.cluster-api-provider-aws.sigs.k8s.io`;

/** Set on what is Petra's own, and on nothing that CAPA makes. */
const ownTag = 'petra.sh/node';

export class NodeRoles extends Construct {
  readonly managementRole: Role;
  readonly managementProfile: InstanceProfile;

  constructor(scope: Construct, settings: PetraSettings) {
    super(scope, 'NodeRoles');
    const boundary = new ManagedPolicy(this, 'Boundary', {
      description: 'The most that a machine of Petra or of its clusters may ever be allowed.',
      statements: boundaryStatements(this, settings),
    });
    this.managementRole = machineRole(this, 'Management', boundary, {
      SystemsManager: [allow(systemsManagerActions, ['*'])],
      Bootstrap: bootstrapStatements(this, settings),
      ClusterApi: capaStatements(this),
      // Last, and above the others: nothing on these machines may act on these machines.
      Fence: fenceStatements(),
    });
    this.managementProfile = new InstanceProfile(this, 'ManagementProfile', { role: this.managementRole });
    if (settings.createCapaProfiles) {
      capaProfile(this, 'ControlPlane', capaName('control-plane'), boundary, {
        SystemsManager: [allow(systemsManagerActions, ['*'])],
        Node: [allow(workloadNodeActions, ['*'])],
        CloudController: [allow(cloudControllerActions, ['*']), serviceLinkedRole(this)],
        Volumes: [allow(volumeControllerActions, ['*'])],
      });
      capaProfile(this, 'Workers', capaName('nodes'), boundary, {
        SystemsManager: [allow(systemsManagerActions, ['*'])],
        Node: [allow(workloadNodeActions, ['*'])],
      });
    }
  }
}

function allow(
  actions: readonly string[],
  resources: readonly string[],
  conditions?: object,
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions: { ...conditions } }),
  });
}

function machineRole(
  scope: Construct,
  id: string,
  permissionsBoundary: ManagedPolicy,
  policies: Readonly<Record<string, readonly PolicyStatement[]>>,
  roleName?: string,
): Role {
  return new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    permissionsBoundary,
    ...(roleName === undefined ? {} : { roleName }),
    inlinePolicies: Object.fromEntries(
      Object.entries(policies).map(([name, statements]) => [
        name,
        new PolicyDocument({ statements: [...statements] }),
      ]),
    ),
  });
}

function capaProfile(
  scope: Construct,
  id: string,
  name: string,
  boundary: ManagedPolicy,
  policies: Readonly<Record<string, readonly PolicyStatement[]>>,
): void {
  const role: IRole = machineRole(scope, id, boundary, policies, name);
  new InstanceProfile(scope, `${id}Profile`, { role, instanceProfileName: name });
}

function secretArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    // Secrets Manager adds six characters to the name.
    resourceName: `petra/*/${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** What brings a node into its cluster: the token, the kubeconfig, and the word of how far it is. */
function bootstrapStatements(scope: Construct, { kmsKeyArn }: PetraSettings): PolicyStatement[] {
  const stack = Stack.of(scope);
  const instance = (id: string) =>
    stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: id });
  return [
    allow(['secretsmanager:GetSecretValue'], [secretArn(scope, 'join-token')]),
    allow(['secretsmanager:PutSecretValue'], [secretArn(scope, 'kubeconfig')]),
    allow(['ec2:CreateTags'], [instance('*')], {
      // Of the machine itself: IAM fills in the id of the machine to be tagged.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM, not of JavaScript.
      ArnEquals: { 'ec2:SourceInstanceARN': instance('${ec2:InstanceID}') },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['petra.sh/progress'] },
      Null: { 'aws:ResourceTag/petra.sh/uid': 'false', 'aws:TagKeys': 'false' },
    }),
    ...(kmsKeyArn === undefined
      ? []
      : [
          allow(['kms:Decrypt', 'kms:GenerateDataKey'], [kmsKeyArn], {
            StringLike: { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' },
          }),
        ]),
  ];
}

function capaStatements(scope: Construct): PolicyStatement[] {
  const { partition, account } = Stack.of(scope);
  return [
    allow(capaReads, ['*']),
    // Of what does not exist yet nothing can be named, and what exists is in VPCs that are not known here.
    allow(capaWrites, ['*']),
    // CAPA looks images up by public parameters.
    allow(['ssm:GetParameter'], [`arn:${partition}:ssm:*::parameter/aws/service/*`]),
    allow(
      ['iam:PassRole'],
      (['control-plane', 'nodes'] as const).map(
        (role) => `arn:${partition}:iam::${account}:role/${capaName(role)}`,
      ),
      { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    ),
    serviceLinkedRole(scope),
  ];
}

function serviceLinkedRole(scope: Construct): PolicyStatement {
  const { partition, account } = Stack.of(scope);
  return allow(
    ['iam:CreateServiceLinkedRole'],
    Object.entries(serviceLinkedRoles).map(
      ([service, role]) => `arn:${partition}:iam::${account}:role/aws-service-role/${service}/${role}`,
    ),
    { StringEquals: { 'iam:AWSServiceName': Object.keys(serviceLinkedRoles) } },
  );
}

/**
 * CAPA may change any machine, since its own cannot be told beforehand. Petra's can: they have a tag that CAPA gives to
 * nothing. So who gets hold of a node's credentials cannot end the management cluster, weaken its metadata service, or
 * mark something else as Petra's.
 */
function fenceStatements(): PolicyStatement[] {
  const deny = (actions: readonly string[], conditions: object) => {
    const statement = allow(actions, ['*'], conditions);
    statement.effect = Effect.DENY;
    return statement;
  };
  const own = { [`aws:ResourceTag/${ownTag}`]: 'false' };
  return [
    deny(
      [
        'ec2:DeleteTags',
        'ec2:DisassociateAddress',
        'ec2:ModifyInstanceAttribute',
        'ec2:ModifyInstanceMetadataOptions',
        'ec2:ModifyNetworkInterfaceAttribute',
        'ec2:ReleaseAddress',
        'ec2:TerminateInstances',
      ],
      { Null: own },
    ),
    deny(['ec2:CreateTags'], {
      Null: own,
      'ForAnyValue:StringNotEquals': { 'aws:TagKeys': ['petra.sh/progress'] },
    }),
    deny(['ec2:CreateTags'], { 'ForAnyValue:StringEquals': { 'aws:TagKeys': [ownTag] } }),
  ];
}

function boundaryStatements(scope: Construct, settings: PetraSettings): PolicyStatement[] {
  const unconditional = new Set<string>([
    ...systemsManagerActions,
    ...capaReads,
    ...capaWrites,
    ...cloudControllerActions,
    ...volumeControllerActions,
    ...workloadNodeActions,
  ]);
  const limited = [...bootstrapStatements(scope, settings), ...capaStatements(scope)].filter(
    (statement) => !statement.actions.every((action) => unconditional.has(action)),
  );
  return [allow([...unconditional].sort(), ['*']), ...limited, ...fenceStatements()];
}
