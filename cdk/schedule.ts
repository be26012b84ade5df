// Starts reconciliation again and again.

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { PetraSettings } from './settings.ts';
import { documents } from './statements.ts';

export class Schedule extends Construct {
  /** Starts that failed. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, { reconcileMinutes }: PetraSettings, machine: StateMachine) {
    super(scope, 'Schedule');
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(this.deadLetters, {
      'AwsSolutions-SQS3': 'This is the dead-letter queue.',
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: documents({
        Start: [
          { actions: ['states:StartExecution'], resources: [machine.stateMachineArn] },
          { actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] },
        ],
      }),
    });
    new CfnSchedule(this, 'Reconcile', {
      description: 'Petra: looks at all clusters.',
      scheduleExpression: `rate(${reconcileMinutes} ${reconcileMinutes === 1 ? 'minute' : 'minutes'})`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: machine.stateMachineArn,
        roleArn: role.roleArn,
        input: '{}',
        deadLetterConfig: { arn: this.deadLetters.queueArn },
        // The next start is not far; a late one has no value.
        retryPolicy: { maximumRetryAttempts: 2, maximumEventAgeInSeconds: reconcileMinutes * 60 },
      },
    });
  }
}
