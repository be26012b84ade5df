import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { ofType, readStateMachines, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const topic = 'arn:aws:sns:us-east-1:111122223333:oncall';

function alarm(name: string) {
  const found = [...ofType(petra, 'AWS::CloudWatch::Alarm').values()].find(
    ({ Properties }) => Properties.AlarmName === `petra-${name}`,
  );
  if (!found) throw new Error(`there is no alarm ${name}`);
  return found.Properties;
}

describe('alarms', () => {
  test.each([...readStateMachines().keys()])('a failed execution of %s is one', (verb) => {
    expect(alarm(`${verb}-failed`)).toMatchObject({
      Namespace: 'AWS/States',
      MetricName: 'ExecutionsFailed',
      Dimensions: [{ Name: 'StateMachineArn', Value: { Ref: expect.stringContaining('StateMachine') } }],
      Threshold: 1,
    });
    const machine = `${verb[0]?.toUpperCase()}${verb.slice(1)}StateMachine`;
    expect(JSON.stringify(alarm(`${verb}-failed`).Dimensions)).toContain(`"Ref":"${machine}`);
    // Else an execution could end as timed out, which the metric does not count.
    expect(readStateMachines().get(verb)).not.toHaveProperty('TimeoutSeconds');
  });

  test('silence of reconciliation is one, after three periods', () => {
    const hourly = synthesise({ reconcileMinutes: '60' });
    hourly.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'petra-reconcile-age',
      MetricName: 'ExecutionsSucceeded',
      Period: 3600,
      EvaluationPeriods: 3,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  test('the numbers that functions write are some', () => {
    for (const [name, metric] of [
      ['stale-locks', 'StaleLocks'],
      ['events-lost', 'EventsLost'],
    ] as const) {
      expect(alarm(name)).toMatchObject({ Namespace: 'Petra', MetricName: metric });
      expect(alarm(name).Dimensions).toBeUndefined();
    }
  });

  test('errors of the API, refused invocations and dead letters are some', () => {
    expect(alarm('api-errors')).toMatchObject({ Namespace: 'AWS/ApiGateway', MetricName: '5xx' });
    expect(alarm('functions-throttled')).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Throttles' });
    expect(alarm('schedule-failed')).toMatchObject({ Namespace: 'AWS/SQS' });
  });

  test('each says what it means and where to read on', () => {
    for (const { Properties } of ofType(petra, 'AWS::CloudWatch::Alarm').values()) {
      const name = String(Properties.AlarmName).replace('petra-', '');
      expect(Properties.AlarmDescription).toMatch(new RegExp(`\\. See docs/runbook\\.md, ${name}\\.$`));
    }
  });

  test('go to a topic that is given, and else nowhere', () => {
    for (const { Properties } of ofType(petra, 'AWS::CloudWatch::Alarm').values())
      expect(Properties.AlarmActions).toBeUndefined();
    synthesise({ alarmTopicArn: topic }).template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [topic],
    });
  });
});

describe('the schedule', () => {
  test('starts reconciliation every five minutes, or as it is told', () => {
    petra.template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(5 minutes)',
      Target: {
        Arn: { Ref: Match.stringLikeRegexp('^ReconcileStateMachine') },
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    });
    synthesise({ reconcileMinutes: '1' }).template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
    });
  });
});

describe('events', () => {
  test('go to a bus of the stack’s own', () => {
    petra.template.hasResourceProperties('AWS::Events::EventBus', { Name: 'petra' });
    petra.template.resourceCountIs('AWS::Events::Archive', 0);
  });

  test('go to a bus that is given, or into an archive', () => {
    const given = synthesise({ eventBusName: 'default' });
    given.template.resourceCountIs('AWS::Events::EventBus', 0);
    expect(given.text).toContain(':event-bus/default');
    synthesise({ eventArchiveDays: '90' }).template.hasResourceProperties('AWS::Events::Archive', {
      RetentionDays: 90,
    });
  });
});

test('the dashboard names every verb and shows every alarm', () => {
  const body = JSON.stringify(resource(petra, 'AWS::CloudWatch::Dashboard').Properties.DashboardBody);
  for (const verb of readStateMachines().keys()) expect(body).toContain(`"${verb}`.replace('"', '\\"'));
  for (const id of ofType(petra, 'AWS::CloudWatch::Alarm').keys()) expect(body).toContain(id);
});
