// From an IAM action to the statements that allow it: on which resources, under which conditions.
// Which function gets which action is in function-actions.json. Resource types and condition keys are as the Service
// Authorization Reference has them.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { keyPermissions } from './key-grants.ts';
import type { Permission } from './statements.ts';
import { indexNames } from './storage.ts';

/** The resources that statements name, as ARNs. */
export interface GrantedResources {
  readonly tableArn: string;
  readonly bucketArn: string;
  readonly eventBusArn: string;
  readonly nodeSubnetIds: readonly string[];
  readonly nodeGroupId: string;
  readonly nodeRoleArn: string;
  readonly nodeProfileArn: string;
  readonly nodeImages: readonly string[];
  /** By the variable that holds the ARN, for example `INIT_STATE_MACHINE`. */
  readonly stateMachineNames: Readonly<Record<string, string>>;
  readonly kmsKeyArn?: string;
}

type Grant = Omit<Permission, 'actions'>;

/** Actions that come with another: AWS asks for them in the same call, or needs them to answer truthfully. */
export const companions: Readonly<Record<string, readonly string[]>> = {
  // With a profile, and with tags on what is made.
  'ec2:RunInstances': ['iam:PassRole', 'ec2:CreateTags'],
  'ec2:CreateNetworkInterface': ['ec2:CreateTags'],
  'ec2:AllocateAddress': ['ec2:CreateTags'],
  'secretsmanager:CreateSecret': ['secretsmanager:TagResource'],
  // Who may not list a bucket is told 403 of an object that is not there, not 404.
  's3:GetObject': ['s3:ListBucket'],
};

/** Actions on no resource that could be named, and why. Those of EC2 and load balancing are the calls that describe. */
export const withoutResource: Readonly<Record<string, string>> = {
  'ec2:Describe': 'EC2 knows no resources for what describes; they change nothing.',
  'elasticloadbalancing:Describe':
    'Load balancing knows no resources for what describes; they change nothing.',
  'secretsmanager:ListSecrets':
    'Lists all secrets of the account, by name and tag; values need GetSecretValue.',
  'servicequotas:GetAWSDefaultServiceQuota': 'Defaults belong to no account; they change nothing.',
  'ssm:DescribeInstanceInformation': 'Describes the fleet of machines; it changes nothing.',
  'ssm:GetCommandInvocation': 'A command is no resource for IAM; only its id leads to its output.',
  'tag:GetResources': 'Searches by tag in all services; it changes nothing.',
};

/** Tags that all EC2 resources made by Petra itself have. What CAPA makes for a cluster lacks the second. */
const marks = ['petra.sh/uid', 'petra.sh/node'];

function marked(where: 'aws:RequestTag' | 'aws:ResourceTag') {
  return Object.fromEntries(marks.map((tag) => [`${where}/${tag}`, 'false']));
}

const byTags = 'Made at run time: the condition asks for the tags of what Petra itself makes.';
const byUid = 'Secrets are made at run time, and named by the uid of their cluster.';

/** Only on what was made with Petra's tags: actions by the types of resource they take. */
const onMarked: Readonly<Record<string, readonly string[]>> = {
  // The machine too, where the interface has one already.
  'ec2:AssociateAddress': ['elastic-ip', 'instance', 'network-interface'],
  'ec2:DeleteNetworkInterface': ['network-interface'],
  'ec2:DisassociateAddress': ['elastic-ip', 'network-interface'],
  'ec2:GetConsoleOutput': ['instance'],
  'ec2:ReleaseAddress': ['elastic-ip'],
  'ec2:TerminateInstances': ['instance'],
};

/** Types of resource that a call makes with tags. */
const tagsWhatItMakes: Readonly<Record<string, readonly string[]>> = {
  RunInstances: ['instance', 'volume', 'network-interface'],
  CreateNetworkInterface: ['network-interface'],
  AllocateAddress: ['elastic-ip'],
};

/** What all actions of a function need. @throws for an action that nothing here knows */
export function permissionsFor(
  scope: Construct,
  { actions, variables }: { readonly actions: readonly string[]; readonly variables: readonly string[] },
  resources: GrantedResources,
): Permission[] {
  const all = new Set(actions.flatMap((action) => [action, ...(companions[action] ?? [])]));
  const byGrant = new Map<string, { grant: Grant; actions: string[] }>();
  for (const action of [...all].sort()) {
    for (const grant of grantsOf(Stack.of(scope), action, resources, { actions, variables })) {
      // No parameter is read where images are given by their ids.
      if (grant.resources.length === 0) continue;
      const key = JSON.stringify(Stack.of(scope).resolve(grant));
      const same = byGrant.get(key) ?? { grant, actions: [] };
      same.actions.push(action);
      byGrant.set(key, same);
    }
  }
  const permissions = [...byGrant.values()].map(({ grant, actions }) => ({ ...grant, actions }));
  return [...permissions, ...keyPermissions(actions, resources.kmsKeyArn)];
}

function grantsOf(
  stack: Stack,
  action: string,
  resources: GrantedResources,
  caller: { readonly actions: readonly string[]; readonly variables: readonly string[] },
): readonly Grant[] {
  const without = reasonWithoutResource(action);
  if (without !== undefined) return [{ resources: ['*'], why: without }];
  const types = onMarked[action];
  if (types) {
    return types.map((type) => ({
      resources: [ec2Arn(stack, type, '*')],
      conditions: { Null: marked('aws:ResourceTag') },
      why: byTags,
    }));
  }
  const arn = (of: string, resource: string, resourceName: string, region?: string) =>
    stack.formatArn({
      service: of,
      resource,
      resourceName,
      ...(region === undefined ? {} : { region }),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  switch (action) {
    case 'dynamodb:Query':
      return [
        {
          resources: ['', ...indexNames.map((name) => `/index/${name}`)].map(
            (of) => `${resources.tableArn}${of}`,
          ),
        },
      ];
    case 'dynamodb:BatchGetItem':
    case 'dynamodb:DeleteItem':
    case 'dynamodb:GetItem':
    case 'dynamodb:PutItem':
    case 'dynamodb:UpdateItem':
      return [{ resources: [resources.tableArn] }];
    case 's3:GetObject':
    case 's3:PutObject':
      return [
        {
          resources: ['artifacts/sha256/*', 'releases/*'].map((key) => `${resources.bucketArn}/${key}`),
          why: 'Release files are named by their content, or as the release names them.',
        },
      ];
    case 's3:ListBucket':
      return [{ resources: [resources.bucketArn] }];
    case 'secretsmanager:GetSecretValue':
      // Functions read kubeconfigs only; join tokens are for nodes. Secrets Manager adds six characters to a name.
      return [{ resources: [arn('secretsmanager', 'secret', 'petra/*/kubeconfig-??????')], why: byUid }];
    case 'secretsmanager:CreateSecret':
    case 'secretsmanager:TagResource':
    case 'secretsmanager:DeleteSecret':
    case 'secretsmanager:DescribeSecret':
    case 'secretsmanager:PutSecretValue':
      return [{ resources: [arn('secretsmanager', 'secret', 'petra/*')], why: byUid }];
    case 'ec2:RunInstances':
      return launchGrants(stack, resources);
    case 'ec2:CreateNetworkInterface':
      return [
        {
          resources: [ec2Arn(stack, 'network-interface', '*')],
          conditions: { Null: marked('aws:RequestTag') },
          why: byTags,
        },
        { resources: placeOfNodes(stack, resources) },
      ];
    case 'ec2:AllocateAddress':
      return [
        {
          resources: [ec2Arn(stack, 'elastic-ip', '*')],
          conditions: { Null: marked('aws:RequestTag') },
          why: byTags,
        },
      ];
    case 'ec2:CreateTags':
      return Object.entries(tagsWhatItMakes)
        .filter(([making]) => caller.actions.includes(`ec2:${making}`))
        .map(([making, types]) => ({
          resources: types.map((type) => ec2Arn(stack, type, '*')),
          // Tags are given when something is made, and not to what exists.
          conditions: { StringEquals: { 'ec2:CreateAction': making } },
          why: 'What is being made has no name yet; the condition asks for the making.',
        }));
    case 'iam:PassRole':
      return [
        {
          resources: [resources.nodeRoleArn],
          conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
        },
      ];
    case 'iam:SimulatePrincipalPolicy':
      return [{ resources: [resources.nodeRoleArn] }];
    case 'ssm:GetParameter':
      return [{ resources: imageParameters(stack, resources) }];
    case 'ssm:SendCommand':
      return [
        { resources: [`arn:${stack.partition}:ssm:${stack.region}::document/AWS-RunShellScript`] },
        {
          resources: [ec2Arn(stack, 'instance', '*')],
          // Of the ways to name a tag, this is the one that Systems Manager documents for instances.
          conditions: { StringLike: Object.fromEntries(marks.map((tag) => [`ssm:resourceTag/${tag}`, '*'])) },
          why: byTags,
        },
      ];
    case 'servicequotas:GetServiceQuota':
      return [
        {
          resources: ['ec2', 'elasticloadbalancing', 'vpc'].map(
            (of) => `arn:${stack.partition}:servicequotas:*:${stack.account}:${of}/*`,
          ),
          why: 'Limits of three services, read in the region of each cluster.',
        },
      ];
    case 'events:PutEvents':
      return [{ resources: [resources.eventBusArn] }];
    case 'states:StartExecution':
      return [{ resources: machinesOf(resources, caller).map((one) => arn('states', 'stateMachine', one)) }];
    case 'states:DescribeExecution':
      return [
        {
          resources: machinesOf(resources, caller).map((one) => arn('states', 'execution', `${one}:*`)),
          why: 'Executions are named after the operations that they are.',
        },
      ];
    default:
      throw new Error(`cdk/grants.ts knows no resources for ${action}: add them there`);
  }
}

function reasonWithoutResource(action: string): string | undefined {
  const [, why] =
    Object.entries(withoutResource).find(([one]) =>
      one.endsWith(':Describe') ? action.startsWith(one) : action === one,
    ) ?? [];
  return why;
}

/** A machine of Petra's making: on the given network, as the node role, with an encrypted volume and IMDSv2. */
function launchGrants(stack: Stack, resources: GrantedResources): readonly Grant[] {
  const amis = resources.nodeImages.filter((image) => image.startsWith('ami-'));
  const amazons = resources.nodeImages.every((image) => image.startsWith('/aws/service/'));
  return [
    {
      resources: [ec2Arn(stack, 'instance', '*')],
      conditions: {
        Null: marked('aws:RequestTag'),
        StringEquals: { 'ec2:MetadataHttpTokens': 'required' },
        ArnEquals: { 'ec2:InstanceProfile': resources.nodeProfileArn },
      },
      why: byTags,
    },
    {
      resources: [ec2Arn(stack, 'volume', '*')],
      conditions: { Null: marked('aws:RequestTag'), Bool: { 'ec2:Encrypted': 'true' } },
      why: byTags,
    },
    // Agents get a new interface; servers start on one that is there.
    {
      resources: [ec2Arn(stack, 'network-interface', '*')],
      conditions: { Null: marked('aws:RequestTag') },
      why: byTags,
    },
    // A launch does not tell IAM the tags of an interface that is there, but its subnet. An interface that is being made
    // has no id yet, so this is not for those.
    {
      resources: [ec2Arn(stack, 'network-interface', 'eni-*')],
      conditions: {
        ArnEqualsIfExists: {
          'ec2:Subnet': resources.nodeSubnetIds.map((subnet) => ec2Arn(stack, 'subnet', subnet)),
        },
      },
      why: 'Interfaces of servers are made at run time, in the subnets of the nodes.',
    },
    { resources: placeOfNodes(stack, resources) },
    amis.length === resources.nodeImages.length
      ? { resources: amis.map((ami) => imageArn(stack, ami)) }
      : {
          resources: [imageArn(stack, '*')],
          // What a parameter of one's own holds is not known here.
          ...(amazons && { conditions: { StringEquals: { 'ec2:Owner': 'amazon' } } }),
          why: 'A parameter says which image is the newest.',
        },
  ];
}

function placeOfNodes(stack: Stack, resources: GrantedResources): readonly string[] {
  return [
    ...resources.nodeSubnetIds.map((subnet) => ec2Arn(stack, 'subnet', subnet)),
    ec2Arn(stack, 'security-group', resources.nodeGroupId),
  ];
}

function imageParameters(stack: Stack, { nodeImages }: GrantedResources): readonly string[] {
  return nodeImages
    .filter((image) => image.startsWith('/'))
    .map((name) => {
      // Public parameters are of no account.
      const account = name.startsWith('/aws/service/') ? '' : stack.account;
      return `arn:${stack.partition}:ssm:${stack.region}:${account}:parameter${name}`;
    });
}

function machinesOf(
  { stateMachineNames }: GrantedResources,
  { variables }: { readonly variables: readonly string[] },
): readonly string[] {
  return variables.flatMap((variable) => stateMachineNames[variable] ?? []);
}

function ec2Arn(stack: Stack, resource: string, resourceName: string): string {
  return stack.formatArn({ service: 'ec2', resource, resourceName });
}

/** Images are named without an account. */
function imageArn(stack: Stack, id: string): string {
  return `arn:${stack.partition}:ec2:${stack.region}::image/${id}`;
}
