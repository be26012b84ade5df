// One page for people: is anything wrong, what runs, what failed, how long it takes.

import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  PeriodOverride,
  SingleValueWidget,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { petraMetric, type Watched } from './observability.ts';

const fiveMinutes = Duration.minutes(5);
const hour = Duration.hours(1);

export function petraDashboard(scope: Construct, watched: Watched, alarms: readonly Alarm[]): Dashboard {
  const { stackName } = Stack.of(scope);
  const machines = Object.entries(watched.machines);
  const ofEach = (
    metric: (machine: (typeof machines)[number][1]) => IMetric,
    label: (verb: string) => string,
  ) => machines.map(([verb, machine]) => labelled(metric(machine), label(verb)));
  const { httpApi } = watched;
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: stackName,
    periodOverride: PeriodOverride.INHERIT,
    defaultInterval: Duration.days(1),
    widgets: [
      [
        new TextWidget({
          markdown: [
            `# ${stackName}`,
            'Operations are executions of state machines. A failed one leaves its cause with the cluster: `petra capi describe NAME`, `petra capi operations`. Repeating the command continues it.',
          ].join('\n'),
          width: 24,
          height: 2,
        }),
      ],
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 3 })],
      [
        graph(
          'Operations begun, by the hour',
          ofEach(
            (one) => one.metricStarted({ period: hour }),
            (verb) => verb,
          ),
        ),
        graph(
          'Operations failed, by the hour',
          ofEach(
            (one) => one.metricFailed({ period: hour }),
            (verb) => verb,
          ),
        ),
        graph(
          'How long they take (minutes, median)',
          machines.map(
            ([verb, machine]) =>
              new MathExpression({
                label: verb,
                expression: `${verb} / 60000`,
                usingMetrics: { [verb]: machine.metricTime({ statistic: Stats.p(50), period: hour }) },
                period: hour,
              }),
          ),
        ),
      ],
      [
        graph('API: requests', [
          labelled(httpApi.metricCount({ period: fiveMinutes, statistic: Stats.SAMPLE_COUNT }), 'all'),
          labelled(httpApi.metricClientError({ period: fiveMinutes }), 'refused (4xx)'),
          labelled(httpApi.metricServerError({ period: fiveMinutes }), 'failed (5xx)'),
        ]),
        graph('API: answer time (milliseconds)', [
          labelled(httpApi.metricLatency({ period: fiveMinutes, statistic: Stats.p(50) }), 'median'),
          labelled(httpApi.metricLatency({ period: fiveMinutes, statistic: Stats.p(99) }), 'slowest of 100'),
        ]),
        graph("Petra's own numbers", [
          labelled(petraMetric('Findings', 'Maximum', hour), 'findings'),
          labelled(petraMetric('StaleLocks', 'Maximum', hour), 'stale locks'),
          labelled(petraMetric('EventsLost', 'Sum', hour), 'events lost'),
        ]),
      ],
      [
        new SingleValueWidget({
          title: 'Reconciliation: last numbers',
          metrics: [
            labelled(petraMetric('Findings', 'Maximum', hour), 'findings'),
            labelled(petraMetric('StaleLocks', 'Maximum', hour), 'stale locks'),
            labelled(petraMetric('EventsLost', 'Sum', hour), 'events lost'),
          ],
          width: 8,
          height: 6,
        }),
        graph('Reconciliation: succeeded, by the hour', [
          labelled(watched.reconcile.metricSucceeded({ period: hour }), 'succeeded'),
        ]),
        graph('Reconciliation: seconds', [
          new MathExpression({
            label: 'slowest of 20',
            expression: 'milliseconds / 1000',
            usingMetrics: {
              milliseconds: watched.reconcile.metricTime({ statistic: Stats.p(95), period: hour }),
            },
            period: hour,
          }),
        ]),
      ],
      [
        graph('Functions: errors', [ofAllFunctions(stackName, 'Errors', 'Sum')]),
        graph('Functions: refused invocations', [ofAllFunctions(stackName, 'Throttles', 'Sum')]),
        graph('Functions: time (milliseconds, slowest of 20)', [
          ofAllFunctions(stackName, 'Duration', 'p95'),
        ]),
      ],
    ],
  });
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { min: 0 } });
}

function labelled(metric: IMetric, label: string): IMetric {
  return 'with' in metric && typeof metric.with === 'function' ? metric.with({ label }) : metric;
}

/** One line for each function that has something to show. */
function ofAllFunctions(stackName: string, metricName: string, statistic: string): MathExpression {
  return new MathExpression({
    label: '',
    expression: `SEARCH('{AWS/Lambda,FunctionName} MetricName="${metricName}" ${stackName}', '${statistic}', 300)`,
    period: fiveMinutes,
  });
}
