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
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgePatterns } from './acknowledge.ts';
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
import { documents, type Permission, statement } from './statements.ts';

const capaRoles = ['control-plane', 'nodes'] as const;
const capaName = (role: (typeof capaRoles)[number]) => `${role}.cluster-api-provider-aws.sigs.k8s.io`;

/** Set on what is Petra's own, and on nothing that CAPA makes: on machines by functions, on the rest by the stack. */
const ownTag = 'petra.sh/node';
export const stackTag = 'petra.sh/stack';

type Policies = Readonly<Record<string, readonly Permission[]>>;

const readsAndMakes =
  "Machines and networks of clusters that do not exist yet, in regions and VPCs that are not known here; the fence keeps Petra's own out.";

export class NodeRoles extends Construct {
  readonly managementRole: Role;
  readonly managementProfile: InstanceProfile;

  constructor(scope: Construct, settings: PetraSettings) {
    super(scope, 'NodeRoles');
    const limits = boundaryPermissions(this, settings);
    const boundary = new ManagedPolicy(this, 'Boundary', {
      description: 'The most that a machine of Petra or of its clusters may ever be allowed.',
      statements: limits.map(statement),
    });
    acknowledgePatterns(boundary, limits);
    const agent = allow(systemsManagerActions, ['*'], {
      why: 'What the agent of Systems Manager asks for is for the machine that asks, by the service.',
    });
    this.managementRole = machineRole(this, 'Management', boundary, {
      SystemsManager: [agent],
      Bootstrap: bootstrapPermissions(this, settings),
      ClusterApi: capaPermissions(this),
      Fence: [...fence, ...networkFence(this)],
    });
    this.managementProfile = new InstanceProfile(this, 'ManagementProfile', { role: this.managementRole });
    if (!settings.createCapaProfiles) return;
    const node = allow(workloadNodeActions, ['*'], {
      why: 'Reads of EC2 have no resources; images may be in any repository of the account.',
    });
    capaProfile(this, 'ControlPlane', capaName('control-plane'), boundary, {
      SystemsManager: [agent],
      Node: [node],
      CloudController: [
        allow(cloudControllerActions, ['*'], { why: readsAndMakes }),
        serviceLinkedRole(this),
      ],
      Volumes: [allow(volumeControllerActions, ['*'], { why: readsAndMakes })],
      Fence: networkFence(this),
    });
    capaProfile(this, 'Workers', capaName('nodes'), boundary, { SystemsManager: [agent], Node: [node] });
  }
}

function allow(
  actions: readonly string[],
  resources: readonly string[],
  more: Pick<Permission, 'conditions' | 'why'> = {},
): Permission {
  return { actions, resources, ...more };
}

function machineRole(
  scope: Construct,
  id: string,
  permissionsBoundary: ManagedPolicy,
  policies: Policies,
  roleName?: string,
): Role {
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    permissionsBoundary,
    ...(roleName === undefined ? {} : { roleName }),
    inlinePolicies: documents(policies),
  });
  acknowledgePatterns(role, Object.values(policies).flat());
  return role;
}

function capaProfile(
  scope: Construct,
  id: string,
  name: string,
  boundary: ManagedPolicy,
  policies: Policies,
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
function bootstrapPermissions(scope: Construct, { kmsKeyArn }: PetraSettings): Permission[] {
  const stack = Stack.of(scope);
  const instance = (id: string) =>
    stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: id });
  const why = 'Secrets are named by the uid of their cluster, which no role knows before.';
  return [
    allow(['secretsmanager:GetSecretValue'], [secretArn(scope, 'join-token')], { why }),
    allow(['secretsmanager:PutSecretValue'], [secretArn(scope, 'kubeconfig')], { why }),
    allow(['ec2:CreateTags'], [instance('*')], {
      conditions: {
        // Of the machine itself: IAM fills in the id of the machine to be tagged.
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM, not of JavaScript.
        ArnEquals: { 'ec2:SourceInstanceARN': instance('${ec2:InstanceID}') },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['petra.sh/progress'] },
        Null: { 'aws:ResourceTag/petra.sh/uid': 'false', 'aws:TagKeys': 'false' },
      },
      why: 'The condition asks for the machine that tags.',
    }),
    ...(kmsKeyArn === undefined
      ? []
      : [
          allow(['kms:Decrypt', 'kms:GenerateDataKey'], [kmsKeyArn], {
            conditions: { StringLike: { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' } },
          }),
        ]),
  ];
}

function capaPermissions(scope: Construct): Permission[] {
  const { partition, account } = Stack.of(scope);
  return [
    allow(capaReads, ['*'], { why: 'Reads of EC2 and load balancing have no resources.' }),
    allow(capaWrites, ['*'], { why: readsAndMakes }),
    allow(['ssm:GetParameter'], [`arn:${partition}:ssm:*::parameter/aws/service/*`], {
      why: 'CAPA looks images up by the public parameters of each region.',
    }),
    allow(
      ['iam:PassRole'],
      capaRoles.map((role) => `arn:${partition}:iam::${account}:role/${capaName(role)}`),
      { conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } } },
    ),
    serviceLinkedRole(scope),
  ];
}

function serviceLinkedRole(scope: Construct): Permission {
  const { partition, account } = Stack.of(scope);
  return allow(
    ['iam:CreateServiceLinkedRole'],
    Object.entries(serviceLinkedRoles).map(
      ([service, role]) => `arn:${partition}:iam::${account}:role/aws-service-role/${service}/${role}`,
    ),
    { conditions: { StringEquals: { 'iam:AWSServiceName': Object.keys(serviceLinkedRoles) } } },
  );
}

const isOwn = { [`aws:ResourceTag/${ownTag}`]: 'false' };

/**
 * CAPA may change any machine, since its own cannot be told beforehand. Petra's can: they have a tag that CAPA gives to
 * nothing. So who gets hold of a node's credentials cannot end the management cluster, weaken its metadata service, or
 * mark something else as Petra's.
 */
const fence: readonly Permission[] = [
  {
    effect: Effect.DENY,
    actions: [
      'ec2:DeleteTags',
      'ec2:DisassociateAddress',
      'ec2:ModifyInstanceAttribute',
      'ec2:ModifyInstanceMetadataOptions',
      'ec2:ModifyNetworkInterfaceAttribute',
      'ec2:ReleaseAddress',
      'ec2:TerminateInstances',
    ],
    resources: ['*'],
    conditions: { Null: isOwn },
  },
  {
    effect: Effect.DENY,
    actions: ['ec2:CreateTags'],
    resources: ['*'],
    conditions: {
      Null: isOwn,
      'ForAnyValue:StringNotEquals': { 'aws:TagKeys': ['petra.sh/progress'] },
    },
  },
  {
    effect: Effect.DENY,
    actions: ['ec2:CreateTags'],
    resources: ['*'],
    conditions: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': [ownTag, stackTag] } },
  },
];

/**
 * The same for the network of the stack, which nobody but CloudFormation changes: not opened, not unmade, and no other
 * machine put into its groups. Machines of workload clusters may be in its subnets. With the roles and not in their
 * boundary, which has no room left.
 */
function networkFence(scope: Construct): readonly Permission[] {
  const isOfStack = { Null: { [`aws:ResourceTag/${stackTag}`]: 'false' } };
  const groups = `arn:${Stack.of(scope).partition}:ec2:*:${Stack.of(scope).account}:security-group/*`;
  return [
    {
      effect: Effect.DENY,
      actions: [
        'ec2:AssociateRouteTable',
        'ec2:AuthorizeSecurityGroupIngress',
        'ec2:CreateRoute',
        'ec2:DeleteInternetGateway',
        'ec2:DeleteRouteTable',
        'ec2:DeleteSecurityGroup',
        'ec2:DeleteSubnet',
        'ec2:DeleteTags',
        'ec2:DeleteVpc',
        'ec2:DeleteVpcEndpoints',
        'ec2:DetachInternetGateway',
        'ec2:DisassociateRouteTable',
        'ec2:ModifySubnetAttribute',
        'ec2:ModifyVpcAttribute',
        'ec2:ReplaceRoute',
        'ec2:RevokeSecurityGroupEgress',
        'ec2:RevokeSecurityGroupIngress',
      ],
      resources: ['*'],
      conditions: isOfStack,
    },
    {
      effect: Effect.DENY,
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:ModifyInstanceAttribute',
        'ec2:ModifyNetworkInterfaceAttribute',
        'ec2:RunInstances',
      ],
      resources: [groups],
      conditions: isOfStack,
      why: 'Groups of the stack are told from others by their tag.',
    },
  ];
}

function boundaryPermissions(scope: Construct, settings: PetraSettings): Permission[] {
  const unconditional = new Set<string>([
    ...systemsManagerActions,
    ...capaReads,
    ...capaWrites,
    ...cloudControllerActions,
    ...volumeControllerActions,
    ...workloadNodeActions,
  ]);
  const limited = [...bootstrapPermissions(scope, settings), ...capaPermissions(scope)].filter(
    ({ actions }) => !actions.every((action) => unconditional.has(action)),
  );
  const why = 'A boundary allows nothing; it is the most that the roles within it may.';
  return [allow([...unconditional].sort(), ['*'], { why }), ...limited, ...fence];
}
