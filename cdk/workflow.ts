// One state machine: the file, one function for each of its Task states, and the right to call exactly those.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgePatterns } from './acknowledge.ts';
import type { FunctionActions } from './function-actions.ts';
import { type FunctionSurroundings, kebabCase, petraFunction } from './petra-function.ts';
import { documents, type Permission } from './statements.ts';

const stateMachinesFolder = path.join(import.meta.dirname, '..', 'state-machines');

/** Seconds by which a function ends before its state does: the error is then the function's, with a cause. */
const headStartSeconds = 5;

/** A state that calls a function. */
interface Task {
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly comment?: string;
}

export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly functions: readonly LambdaFunction[];

  constructor(scope: Construct, verb: string, facts: FunctionActions, surroundings: FunctionSurroundings) {
    super(scope, `${verb[0]?.toUpperCase()}${verb.slice(1)}`);
    const definition = readFileSync(path.join(stateMachinesFolder, `${verb}.asl.json`), 'utf8');
    const functions = new Map(
      tasksOf(JSON.parse(definition)).map(({ name, timeoutSeconds, comment }) => {
        const key = `${verb}/${kebabCase(name)}`;
        const known = facts[key];
        if (!known) throw new Error(`cdk/function-actions.json does not have ${key}: generate it anew`);
        const options = {
          description: comment ?? `Petra: the state ${name} of ${verb}.`,
          timeout: Duration.seconds(timeoutSeconds - headStartSeconds),
        };
        return [name, petraFunction(this, key, known, options, surroundings)];
      }),
    );
    this.functions = [...functions.values()];
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: stateMachineName(this, verb),
      stateMachineType: StateMachineType.STANDARD,
      // As text, so that the flow is in the template, and in what `cdk diff` shows.
      definitionBody: DefinitionBody.fromString(inAnyPartition(definition)),
      definitionSubstitutions: {
        Partition: Aws.PARTITION,
        ...Object.fromEntries([...functions].map(([name, { functionArn }]) => [name, functionArn])),
      },
      role: machineRole(this, this.functions),
      logs: {
        destination: new LogGroup(this, 'Log', {
          // The prefix for which CloudWatch keeps one policy, whose length is limited, instead of one entry a group.
          logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}/${verb}`,
          retention: surroundings.logRetentionDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        // State is ids and small facts, never a spec, manifest, user data, token or kubeconfig.
        includeExecutionData: true,
      },
      tracingEnabled: true,
    });
  }
}

/** The files say `arn:aws:`, as every engine on one machine takes it; in GovCloud it would be another. */
function inAnyPartition(definition: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the definition.
  return definition.replaceAll('"arn:aws:states:', '"arn:${Partition}:states:');
}

/** Known before the machine exists: its functions and its caller are told of it, and it of them. */
export function stateMachineName(scope: Construct, verb: string): string {
  return `${Stack.of(scope).stackName}-${verb}`;
}

/** All states that call a function, those inside a Map included. */
export function tasksOf(definition: unknown): readonly Task[] {
  if (typeof definition !== 'object' || definition === null) return [];
  const { Type, Parameters, TimeoutSeconds, Comment } = definition as {
    readonly Type?: string;
    readonly Parameters?: { readonly FunctionName?: string };
    readonly TimeoutSeconds?: number;
    readonly Comment?: string;
  };
  const name = /^\$\{(\w+)\}$/.exec(Parameters?.FunctionName ?? '')?.[1];
  if (Type === 'Task' && name !== undefined) {
    if (TimeoutSeconds === undefined) throw new Error(`the state ${name} has no TimeoutSeconds`);
    return [{ name, timeoutSeconds: TimeoutSeconds, ...(Comment !== undefined && { comment: Comment }) }];
  }
  return Object.values(definition).flatMap(tasksOf);
}

function machineRole(scope: Construct, functions: readonly LambdaFunction[]) {
  const policies: Readonly<Record<string, readonly Permission[]>> = {
    Functions: [
      {
        actions: ['lambda:InvokeFunction'],
        resources: functions.map(({ functionArn }) => functionArn),
      },
    ],
    Log: [
      {
        actions: [
          'logs:CreateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:DescribeLogGroups',
          'logs:DescribeResourcePolicies',
          'logs:GetLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:UpdateLogDelivery',
          'xray:GetSamplingRules',
          'xray:GetSamplingTargets',
          'xray:PutTelemetryRecords',
          'xray:PutTraceSegments',
        ],
        resources: ['*'],
        why: 'Delivery of logs and traces knows no resources.',
      },
    ],
  };
  const role = new Role(scope, 'StateMachineRole', {
    assumedBy: new ServicePrincipal('states.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
    inlinePolicies: documents(policies),
  });
  acknowledgePatterns(role, Object.values(policies).flat());
  return role.withoutPolicyUpdates();
}
