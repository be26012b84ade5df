// What a deployed Petra costs, computed from its template and its state machines, for docs/deploy.md. Prices are list
// prices of us-east-1, without free tiers. Compared on 2026-11-25: Step Functions with its price page; NAT gateways, public
// addresses, alarms and custom metrics with what others reported of theirs in 2026. The rest is known from before and
// was not looked up again: instances, volumes, load balancers, endpoints, Lambda, X-Ray, logs, DynamoDB, secrets.

import { availabilityZones, parseClusterSpec } from '../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { recordReconciliation } from '../core/steps/reconcile.ts';

/** What is charged for each month of AWS's bills: 730 hours. */
const hours = 730;

export const pricesAsOf = '2026-11-25';

/** Dollars. */
const prices = {
  interfaceEndpointHour: 0.01,
  alarmMetricMonth: 0.1,
  dashboardMonth: 3,
  customMetricMonth: 0.3,
  stateTransition: 0.000025,
  lambdaArmGibibyteSecond: 0.0000133334,
  lambdaRequest: 0.0000002,
  trace: 0.000005,
  logGigabyte: 0.5,
  scheduledInvocation: 0.000001,
  dynamoDbRead: 0.000000125,
  secretMonth: 0.4,
  publicAddressHour: 0.005,
  gp3GibibyteMonth: 0.08,
  natGatewayHour: 0.045,
  networkLoadBalancerHour: 0.0225,
} as const;

/** Dollars an hour, On-Demand, Linux; the types of the specs in examples/. */
const instanceHour: Readonly<Record<string, number>> = { 'm5a.large': 0.086, 'm5a.xlarge': 0.172 };

const volumeGibibytes = 40;

/** One line of a bill. */
export interface Cost {
  readonly what: string;
  readonly sum: string;
  readonly dollars: number;
}

interface Part {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** A month of a stack in which nothing is: no cluster, no request, a reconciliation every so many minutes. */
export async function idleCosts(
  resources: Readonly<Record<string, Part>>,
  reconcileMinutes: number,
  statesOfEmptyReconciliation: number,
): Promise<readonly Cost[]> {
  const parts = Object.values(resources);
  const zones = parts.flatMap(({ Type, Properties }) =>
    Type === 'AWS::EC2::VPCEndpoint' && Properties.VpcEndpointType === 'Interface'
      ? (Properties.SubnetIds as readonly unknown[])
      : [],
  ).length;
  const alarms = parts.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  const alarmMetrics = alarms.map(metricsOfAlarm).reduce((sum, count) => sum + count, 0);
  const dashboards = parts.filter(({ Type }) => Type === 'AWS::CloudWatch::Dashboard').length;
  const customMetrics = await metricsOfReconciliation();
  const runs = (hours * 60) / reconcileMinutes;
  const { stateTransition, lambdaArmGibibyteSecond, lambdaRequest } = prices;
  const transitions = runs * statesOfEmptyReconciliation;
  return [
    cost(
      'interface endpoint of Secrets Manager',
      `${zones} zone × ${hours} h × $${prices.interfaceEndpointHour}`,
      zones * hours * prices.interfaceEndpointHour,
    ),
    cost('dashboard', `${dashboards} × $${prices.dashboardMonth}`, dashboards * prices.dashboardMonth),
    cost(
      'alarms',
      `${alarms.length} alarms on ${alarmMetrics} metrics × $${prices.alarmMetricMonth}`,
      alarmMetrics * prices.alarmMetricMonth,
    ),
    cost(
      "Petra's own metrics",
      `${customMetrics} × $${prices.customMetricMonth}`,
      customMetrics * prices.customMetricMonth,
    ),
    cost(
      'Step Functions: reconciliation',
      `${number(runs)} runs × ${statesOfEmptyReconciliation} states × $${stateTransition}`,
      transitions * stateTransition,
    ),
    cost(
      'Lambda: reconciliation',
      `${number(runs * 2)} invocations × (1 s × 0.5 GiB × $${lambdaArmGibibyteSecond} + $${lambdaRequest.toFixed(7)})`,
      runs * 2 * (0.5 * lambdaArmGibibyteSecond + lambdaRequest),
    ),
    cost('X-Ray', `${number(runs)} traces × $${prices.trace.toFixed(6)}`, runs * prices.trace),
    cost(
      'logs',
      `${number(runs)} runs × 20 kB × $${prices.logGigabyte} a GB`,
      runs * 0.00002 * prices.logGigabyte,
    ),
    cost(
      'DynamoDB, Scheduler',
      `${number(runs)} × (10 reads × $${prices.dynamoDbRead.toFixed(9)} + $${prices.scheduledInvocation.toFixed(6)})`,
      runs * (10 * prices.dynamoDbRead + prices.scheduledInvocation),
    ),
  ];
}

/** What a management cluster of this spec adds, while it runs. */
export function managementCosts(file: string, text: string): readonly Cost[] {
  const spec = parseClusterSpec(text, { file });
  const { controlPlane, workers } = spec.spec.nodes;
  const machines = controlPlane.count + workers.count;
  return [
    ...machineCosts(spec),
    addresses(machines, 'public addresses of the nodes'),
    cost('secrets', `2 × $${prices.secretMonth}`, 2 * prices.secretMonth),
  ];
}

/** What a workload cluster of this spec adds, in a VPC that CAPA makes. */
export function workloadCosts(file: string, text: string): readonly Cost[] {
  const spec = parseClusterSpec(text, { file });
  const zones = availabilityZones(spec);
  const { natGatewayHour, networkLoadBalancerHour, secretMonth } = prices;
  return [
    ...machineCosts(spec),
    cost('NAT gateways', `${zones} zone × ${hours} h × $${natGatewayHour}`, zones * hours * natGatewayHour),
    cost(
      'network load balancer',
      `${hours} h × $${networkLoadBalancerHour}`,
      hours * networkLoadBalancerHour,
    ),
    addresses(2 * zones, 'public addresses of both'),
    cost('secret', `1 × $${secretMonth}`, secretMonth),
  ];
}

function machineCosts({ spec }: ClusterSpec): readonly Cost[] {
  const { controlPlane, workers } = spec.nodes;
  const machines = controlPlane.count + workers.count;
  return [
    ...[controlPlane, workers].map(({ count, instanceType }) => {
      const hour = instanceHour[instanceType];
      if (hour === undefined) throw new Error(`scripts/deploy-costs.ts knows no price of ${instanceType}`);
      return cost(instanceType, `${count} × ${hours} h × $${hour}`, count * hours * hour);
    }),
    cost(
      'gp3 volumes',
      `${machines} × ${volumeGibibytes} GiB × $${prices.gp3GibibyteMonth}`,
      machines * volumeGibibytes * prices.gp3GibibyteMonth,
    ),
  ];
}

function addresses(count: number, what: string): Cost {
  return cost(
    what,
    `${count} × ${hours} h × $${prices.publicAddressHour}`,
    count * hours * prices.publicAddressHour,
  );
}

/** An alarm on an expression is charged for each metric in it. */
function metricsOfAlarm({ Properties }: Part): number {
  const { Metrics } = Properties as { readonly Metrics?: readonly { readonly MetricStat?: unknown }[] };
  return Metrics === undefined ? 1 : Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length;
}

async function metricsOfReconciliation(): Promise<number> {
  const nowhere = { events: { publish: async () => {} }, metrics: { record: () => {} } };
  const numbers = await recordReconciliation(nowhere, { resumed: 0, staleLocks: 0, results: [] });
  return Object.keys(numbers).length;
}

function cost(what: string, sum: string, dollars: number): Cost {
  return { what, sum, dollars };
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
