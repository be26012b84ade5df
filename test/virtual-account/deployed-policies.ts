// The policies of the deployed roles, and what moto knows of the resources that a request is about.

import { DescribeTagsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListPoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import type { AwsRequest } from './aws-request.ts';
import type { KeysOf } from './edge.ts';
import { readStatements, type Statement } from './role-policies.ts';

export class DeployedPolicies {
  readonly #iam: IAMClient;
  readonly #roles = new Map<string, Promise<readonly Statement[]>>();

  constructor(iam: IAMClient) {
    this.#iam = iam;
  }

  /** Everything that a role has: its own policies and those attached to it. */
  ofRole(arn: string): Promise<readonly Statement[]> {
    const known = this.#roles.get(arn) ?? this.#readRole(arn.slice(arn.lastIndexOf('/') + 1));
    this.#roles.set(arn, known);
    return known;
  }

  /** A managed policy of the account whose name contains the words. */
  async named(words: string): Promise<readonly Statement[]> {
    const { Policies = [] } = await this.#iam.send(
      new ListPoliciesCommand({ Scope: 'Local', MaxItems: 1000 }),
    );
    const found = Policies.filter(({ PolicyName = '' }) => PolicyName.includes(words));
    const [policy, another] = found;
    if (policy?.Arn === undefined || another)
      throw new Error(`${found.length} managed policies are named like ${words}`);
    return this.#managed(policy.Arn);
  }

  async #readRole(RoleName: string): Promise<readonly Statement[]> {
    const { PolicyNames = [] } = await this.#iam.send(new ListRolePoliciesCommand({ RoleName }));
    const own = PolicyNames.map(async (PolicyName) => {
      const { PolicyDocument } = await this.#iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
      return readStatements(PolicyDocument);
    });
    const { AttachedPolicies = [] } = await this.#iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    const attached = AttachedPolicies.map(({ PolicyArn = '' }) => this.#managed(PolicyArn));
    return (await Promise.all([...own, ...attached])).flat();
  }

  async #managed(PolicyArn: string): Promise<readonly Statement[]> {
    const { Policy } = await this.#iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy?.DefaultVersionId;
    const { PolicyVersion } = await this.#iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    return readStatements(PolicyVersion?.Document);
  }
}

/** Parameters that name the one resource of EC2 that an action is about. */
const aboutParameters = ['InstanceId', 'InstanceId.1', 'AllocationId', 'NetworkInterfaceId', 'ResourceId.1'];

/** Condition keys: tags that the request carries, and those that its resource has. */
export function keysFrom(ec2: (region: string) => EC2Client): KeysOf {
  return async (request) => {
    const { service, action, parameters, region } = request;
    const requested = { 'aws:RequestedRegion': [region] };
    if (service !== 'ec2') return requested;
    const given = requestTags(parameters);
    const keys: Record<string, readonly string[]> = {
      ...requested,
      'aws:RequestTag/*': [],
      'aws:TagKeys': Object.keys(given),
      'ec2:CreateAction': [],
    };
    for (const [name, value] of Object.entries(given)) keys[`aws:RequestTag/${name}`] = [value];
    const id = aboutParameters.map((name) => parameters[name]).find((value) => value !== undefined);
    if (id === undefined || action.startsWith('Describe') || action === 'RunInstances') return keys;
    if (String(id).startsWith('i-')) keys['ec2:InstanceID'] = [String(id)];
    for (const family of ['aws:ResourceTag', 'ec2:ResourceTag']) {
      keys[`${family}/*`] = [];
      for (const [name, value] of await tagsOf(ec2(region), String(id))) keys[`${family}/${name}`] = [value];
    }
    return keys;
  };
}

function requestTags(parameters: AwsRequest['parameters']): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  for (const [name, key] of Object.entries(parameters)) {
    if (!/^(?:TagSpecifications?\.\d+\.)?Tag\.\d+\.Key$/.test(name)) continue;
    tags[String(key)] = String(parameters[name.replace(/Key$/, 'Value')] ?? '');
  }
  return tags;
}

async function tagsOf(ec2: EC2Client, id: string): Promise<readonly (readonly [string, string])[]> {
  const Filters = [{ Name: 'resource-id', Values: [id] }];
  const { Tags = [] } = await ec2.send(new DescribeTagsCommand({ Filters }));
  return Tags.map(({ Key = '', Value = '' }) => [Key, Value] as const);
}
