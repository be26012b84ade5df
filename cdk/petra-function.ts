// One function with all that belongs to it: a role of its own, its log, its network.

import { ArnFormat, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgePatterns } from './acknowledge.ts';
import type { FunctionFacts } from './function-actions.ts';
import { type GrantedResources, permissionsFor } from './grants.ts';
import { documents, type Permission } from './statements.ts';

/** What all functions of a stack have in common. */
export interface FunctionSurroundings {
  /** Folder with a folder for each function, `<verb>/<name>`. */
  readonly bundles: string;
  /** Values of environment variables; one that is absent is not set. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly resources: GrantedResources;
  readonly subnetIds: readonly string[];
  readonly securityGroupId: string;
  readonly logRetentionDays: number;
  readonly fipsEndpoints: boolean;
}

/**
 * Processor comes with memory, and most functions wait for others. These parse and apply whole manifests. Chosen by
 * what they do; nothing was measured on AWS.
 */
const memoryMegabytes = { usual: 512, manifests: 1024 };
const handlesManifests =
  /\/(preflight|fetch-components|install-components|start-providers|apply-cluster-class|post-preflights)$/;

/** Lambda's own name for what its service does for a function in a VPC, with the caller's role. */
const networkInterfaceActions = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/** `name` is `<verb>/<state>` or `api/<route>`. */
export function petraFunction(
  scope: Construct,
  name: string,
  facts: FunctionFacts,
  options: { readonly description: string; readonly timeout: Duration },
  surroundings: FunctionSurroundings,
): LambdaFunction {
  const stack = Stack.of(scope);
  const [verb = '', file = ''] = name.split('/');
  const id = pascalCase(file);
  // Named, so that a role can name its function, and people find the log.
  const functionName = `${stack.stackName}-${verb}-${file}`;
  const logGroup = new LogGroup(scope, `${id}Log`, {
    logGroupName: `/petra/${stack.stackName}/${name}`,
    retention: surroundings.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const policies: Readonly<Record<string, readonly Permission[]>> = {
    Log: [
      { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] },
      {
        actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
        resources: ['*'],
        why: 'X-Ray knows no resources.',
      },
    ],
    ...(facts.kubernetes && { Network: networkPermissions(stack, functionName) }),
    ...(facts.actions.length > 0 && { Work: permissionsFor(scope, facts, surroundings.resources) }),
  };
  const role = new Role(scope, `${id}Role`, {
    description: `Petra: ${name}`,
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: documents(policies),
  });
  acknowledgePatterns(role, Object.values(policies).flat());
  const made = new LambdaFunction(scope, id, {
    functionName,
    description: options.description,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    code: Code.fromAsset(`${surroundings.bundles}/${name}`),
    handler: 'index.handler',
    memorySize: handlesManifests.test(name) ? memoryMegabytes.manifests : memoryMegabytes.usual,
    timeout: options.timeout,
    tracing: Tracing.ACTIVE,
    environment: environment(name, facts, surroundings),
    logGroup,
    // All it may do is in the role above; the CDK adds nothing.
    role: role.withoutPolicyUpdates(),
  });
  if (facts.kubernetes) {
    // By ids, because those of a given VPC are all that is known of it.
    const resource = made.node.defaultChild as CfnFunction;
    resource.vpcConfig = {
      subnetIds: [...surroundings.subnetIds],
      securityGroupIds: [surroundings.securityGroupId],
    };
  }
  return made;
}

function environment(
  name: string,
  { variables }: FunctionFacts,
  surroundings: FunctionSurroundings,
): Record<string, string> {
  const values: Record<string, string> = {
    ...(surroundings.fipsEndpoints && { AWS_USE_FIPS_ENDPOINT: 'true' }),
  };
  for (const variable of variables) {
    // Lambda sets these itself, and lets nobody else.
    if (/^(AWS_|_)/.test(variable)) continue;
    if (!(variable in surroundings.variables)) {
      throw new Error(`${name} reads ${variable}, of which cdk/petra-stack.ts does not know the value`);
    }
    const value = surroundings.variables[variable];
    if (value !== undefined) values[variable] = value;
  }
  return values;
}

/** For the service, which makes interfaces in the function's name; not for the function's own code. */
function networkPermissions(stack: Stack, functionName: string): Permission[] {
  const own = stack.formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: functionName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [
    {
      actions: networkInterfaceActions,
      resources: ['*'],
      why: 'Lambda makes and describes interfaces that have no name yet; the function itself is denied all of it.',
    },
    {
      effect: Effect.DENY,
      actions: networkInterfaceActions,
      resources: ['*'],
      conditions: { ArnEquals: { 'lambda:SourceFunctionArn': own } },
    },
  ];
}

export function pascalCase(kebab: string): string {
  return kebab.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export function kebabCase(pascal: string): string {
  return pascal.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}
