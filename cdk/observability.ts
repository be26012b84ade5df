// What wakes somebody, and what they look at then. docs/runbook.md has an article for each alarm.

import { Duration, Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { pascalCase } from './petra-function.ts';
import type { PetraSettings } from './settings.ts';

/** What is watched. */
export interface Watched {
  /** By verb. */
  readonly machines: Readonly<Record<string, StateMachine>>;
  readonly reconcile: StateMachine;
  readonly httpApi: HttpApi;
  readonly deadLetters: Queue;
}

const fiveMinutes = Duration.minutes(5);

/** One alarm: over its threshold for all of its periods, unless it says otherwise. */
interface Watch {
  readonly name: string;
  readonly says: string;
  readonly metric: IMetric;
  readonly threshold?: number;
  readonly periods?: number;
  /** Alarms below the threshold, and when nothing is heard. */
  readonly whenSilent?: boolean;
}

/**
 * The alarms. Each is paid by the metric, so errors of single functions have none: in a workflow they are retried, and
 * fail the execution if that does not help; behind the API they are its 5xx. Both have one.
 */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];

  constructor(scope: Construct, settings: PetraSettings, watched: Watched) {
    super(scope, 'Alarms');
    const { alarmTopicArn } = settings;
    const action =
      alarmTopicArn === undefined
        ? undefined
        : new SnsAction(Topic.fromTopicArn(this, 'Topic', alarmTopicArn));
    this.all = watches(settings, watched).map(({ name, says, metric, ...options }) => {
      const alarm = new Alarm(this, pascalCase(name), {
        alarmName: `${Stack.of(this).stackName}-${name}`,
        alarmDescription: `${says} See docs/runbook.md, ${name}.`,
        metric,
        threshold: options.threshold ?? 1,
        evaluationPeriods: options.periods ?? 1,
        comparisonOperator: options.whenSilent
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: options.whenSilent ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      if (action) alarm.addAlarmAction(action);
      return alarm;
    });
  }
}

function watches({ reconcileMinutes }: PetraSettings, watched: Watched): readonly Watch[] {
  const reconcilePeriod = Duration.minutes(reconcileMinutes);
  return [
    ...Object.entries(watched.machines).map(([verb, machine]) => ({
      name: `${verb}-failed`,
      says:
        verb === 'reconcile'
          ? 'A reconciliation failed.'
          : `An operation of ${verb} failed. The cluster has the cause; the same command continues it.`,
      // States have time limits and definitions have none, so no execution times out as a whole. A sum with that
      // metric would have no value where it has none.
      metric: machine.metricFailed({ period: fiveMinutes }),
    })),
    {
      name: 'reconcile-age',
      says: 'No reconciliation succeeded in three periods: what Petra says of clusters may be old.',
      metric: watched.reconcile.metricSucceeded({ period: reconcilePeriod }),
      periods: 3,
      whenSilent: true,
    },
    {
      name: 'stale-locks',
      says: 'A cluster is locked by an operation that no longer renews its lock.',
      metric: petraMetric('StaleLocks', 'Maximum', reconcilePeriod),
      // Reconciliation mends most of them, so one that it finds three times is for people.
      periods: 3,
    },
    {
      name: 'events-lost',
      says: 'Events could not be handed to the event bus; the ledger has them.',
      metric: petraMetric('EventsLost', 'Sum', fiveMinutes),
    },
    {
      name: 'api-errors',
      says: 'The API answered with 5xx: a function failed, or ran out of time.',
      metric: watched.httpApi.metricServerError({ period: fiveMinutes }),
      threshold: 3,
    },
    {
      name: 'functions-throttled',
      says: 'Lambda refused invocations: functions of this account and region take all of its concurrency.',
      // Of all functions in the region, Petra's or not: they share one limit.
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Throttles',
        statistic: 'Sum',
        period: fiveMinutes,
      }),
      periods: 3,
    },
    {
      name: 'schedule-failed',
      says: 'The scheduler could not start a reconciliation; the dead-letter queue has its reason.',
      metric: watched.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: fiveMinutes,
        statistic: 'Maximum',
      }),
    },
  ];
}

/** A number that functions write into their logs in the embedded metric format. */
export function petraMetric(name: string, statistic: string, period: Duration): Metric {
  return new Metric({ namespace: 'Petra', metricName: name, statistic, period });
}
