// Writes the lists of docs/deploy.md: what the stack makes and can be told, and what it costs. The text around them is
// written by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { type ContextKey, type PetraSettings, readSettings } from '../cdk/settings.ts';
import { type Cost, idleCosts, managementCosts, pricesAsOf, workloadCosts } from './deploy-costs.ts';

/** The part of a template that is looked at. */
export type Resources = Readonly<
  Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
>;

/** What each type of resource is there for. A type that is missing here stops the script. */
const purposes: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'the fleet: clusters, operations, ledgers; kept by `cdk destroy`',
  'AWS::S3::Bucket': 'release files by their sum; kept by `cdk destroy`',
  'AWS::S3::BucketPolicy': 'TLS only',
  'AWS::EC2::VPC': 'one for management nodes and the functions that talk to them',
  'AWS::EC2::Subnet': 'public ones for nodes, isolated ones for functions, a pair in each zone',
  'AWS::EC2::RouteTable': 'one for each subnet',
  'AWS::EC2::SubnetRouteTableAssociation': 'ties them',
  'AWS::EC2::Route': 'to the internet, from the subnets of nodes alone',
  'AWS::EC2::InternetGateway': 'the way out of nodes',
  'AWS::EC2::VPCGatewayAttachment': 'ties it to the VPC',
  'AWS::EC2::SecurityGroup': 'nodes, functions, the endpoint of Secrets Manager',
  'AWS::EC2::SecurityGroupIngress': 'from a group of the stack, each',
  'AWS::EC2::SecurityGroupEgress': 'from functions to the Kubernetes API',
  'AWS::EC2::VPCEndpoint': 'S3 and DynamoDB (free of charge), Secrets Manager',
  'AWS::IAM::ManagedPolicy': 'four for callers, and the permission boundary of machines',
  'AWS::IAM::Role': 'one for each function and each state machine, the scheduler, three kinds of machines',
  'AWS::IAM::InstanceProfile': 'for management nodes, and two for the machines that CAPA makes',
  'AWS::Events::EventBus': 'what happens to clusters, for automation of your own',
  'AWS::Events::Archive': 'keeps events, when asked for',
  'AWS::Logs::LogGroup': 'one for each function and state machine, and access to the API',
  'AWS::Lambda::Function': 'one for each Task state and each route',
  'AWS::Lambda::Permission': 'lets the API call the function of each route',
  'AWS::StepFunctions::StateMachine': 'one for each verb, and reconciliation',
  'AWS::ApiGatewayV2::Api': 'the HTTP API',
  'AWS::ApiGatewayV2::Integration': 'one for each route',
  'AWS::ApiGatewayV2::Route': 'those of docs/openapi.json, each with IAM authorization',
  'AWS::ApiGatewayV2::Stage': 'throttling and access log',
  'AWS::SQS::Queue': 'starts of reconciliation that failed',
  'AWS::SQS::QueuePolicy': 'TLS only',
  'AWS::Scheduler::Schedule': 'starts reconciliation',
  'AWS::CloudWatch::Alarm': 'each has its article in docs/runbook.md',
  'AWS::CloudWatch::Dashboard': 'one page for people',
  'AWS::SSM::Parameter': 'where `petra config use-stack` finds the API',
};

interface ContextDoc {
  readonly fallback: (settings: PetraSettings) => string | number | boolean;
  readonly when: string;
}

const unset = () => 'none';

const management = 'examples/management.yaml';
const workload = 'examples/workload-dev.yaml';

/** Of every key. What goes missing here does not compile. */
const contextDocs: Readonly<Record<ContextKey, ContextDoc>> = {
  stackName: {
    fallback: ({ stackName }) => stackName,
    when: 'a second Petra in the same account and region; up to 20 letters, digits and hyphens',
  },
  kmsKeyArn: {
    fallback: unset,
    when: 'a KMS key of your own for table, bucket, secrets and the volumes of management nodes',
  },
  vpcId: { fallback: unset, when: 'a VPC of your own, with the next two' },
  nodeSubnetIds: {
    fallback: unset,
    when: 'subnets for management nodes, at best one in each of several zones; they need a way to the internet or to mirrors',
  },
  functionSubnetIds: {
    fallback: unset,
    when: 'subnets for the functions that talk to Kubernetes; they need DynamoDB, S3 and Secrets Manager',
  },
  vpcCidr: {
    fallback: ({ network }) => ('cidr' in network ? network.cidr : ''),
    when: 'the addresses of the new VPC, where the default overlaps with what it will be peered to; /22 or larger',
  },
  zones: {
    fallback: ({ network }) => ('zones' in network ? network.zones : ''),
    when: '3 for management clusters with three servers',
  },
  secretsEndpointZones: {
    fallback: ({ network }) => ('zones' in network ? network.secretsEndpointZones : ''),
    when: 'more interfaces of the endpoint, so that operations go on while a zone is down; each is paid',
  },
  flowLogs: {
    fallback: ({ network }) => ('zones' in network ? network.flowLogs : ''),
    when: 'where flow logs of every VPC are asked for; paid by traffic',
  },
  nodePublicAddresses: {
    fallback: ({ nodePublicAddresses }) => nodePublicAddresses,
    when: '`false` where routes of your subnets lead nodes out through a NAT gateway, a proxy or a firewall',
  },
  nodeImageAmd64: {
    fallback: ({ nodeImages }) => nodeImages.amd64,
    when: 'a hardened or pinned image for management nodes: an AMI id, or an SSM parameter that holds one',
  },
  nodeImageArm64: { fallback: ({ nodeImages }) => nodeImages.arm64, when: 'the same, for Graviton' },
  createCapaProfiles: {
    fallback: ({ createCapaProfiles }) => createCapaProfiles,
    when: '`false` in the second region of an account, or where `clusterawsadm` has made them',
  },
  logRetentionDays: {
    fallback: ({ logRetentionDays }) => logRetentionDays,
    when: 'as your rules on logs say; one of the values that CloudWatch Logs takes',
  },
  reconcileMinutes: {
    fallback: ({ reconcileMinutes }) => reconcileMinutes,
    when: 'more, to pay less; alarms on its age follow',
  },
  alarmTopicArn: { fallback: unset, when: 'always in production: an SNS topic to which alarms go' },
  eventBusName: {
    fallback: unset,
    when: 'a bus of your own for events, in place of the one that the stack makes',
  },
  eventArchiveDays: {
    fallback: ({ eventArchiveDays }) => eventArchiveDays,
    when: 'to keep events for replay; the ledger has them anyway',
  },
  releasesUrl: {
    fallback: unset,
    when: 'a mirror of the provider releases, laid out as GitHub does it',
  },
  k3sReleasesUrl: { fallback: unset, when: 'a mirror of the k3s releases, for management nodes' },
  fips: {
    fallback: ({ fipsEndpoints }) => fipsEndpoints,
    when: "`true`, for FIPS endpoints of AWS's services where the functions call them",
  },
};

/** The page with its lists brought up to date. Repeating it changes nothing. */
export async function renderDeployDoc(page: string, resources: Resources): Promise<string> {
  const settings = readSettings(() => undefined, '0.0.0');
  const idle = await idleCosts(resources, settings.reconcileMinutes, statesOfEmptyReconciliation());
  const sections: readonly (readonly [string, string])[] = [
    ['resources', resourceTable(resources)],
    ['context', contextTable(settings)],
    ['idle costs', costTable(idle)],
    ['costs of a management cluster', costTable(managementCosts(management, readText(management)))],
    ['costs of a workload cluster', costTable(workloadCosts(workload, readText(workload)))],
  ];
  return sections.reduce((text, [title, content]) => {
    const begin = `<!-- ${title}: written by scripts/generate-deploy-doc.ts -->`;
    const end = `<!-- end of ${title} -->`;
    const start = text.indexOf(begin);
    const stop = text.indexOf(end);
    if (start === -1 || stop < start) throw new Error(`docs/deploy.md lacks the lines ${begin} and ${end}`);
    return `${text.slice(0, start)}${begin}\n\n${content}\n\n${text.slice(stop)}`;
  }, page);
}

function resourceTable(resources: Resources): string {
  const counts = new Map<string, number>();
  for (const { Type } of Object.values(resources)) counts.set(Type, (counts.get(Type) ?? 0) + 1);
  const rows = [...counts].toSorted().map(([type, count]) => {
    const purpose = purposes[type];
    if (purpose === undefined)
      throw new Error(`scripts/generate-deploy-doc.ts does not know what ${type} is for`);
    return `| \`${type}\` | ${count} | ${purpose} |`;
  });
  const all = Object.keys(resources).length;
  return ['| type | number | for |', '|---|---|---|', ...rows, `| all | ${all} | |`].join('\n');
}

function contextTable(settings: PetraSettings): string {
  const rows = Object.entries(contextDocs).map(([key, { fallback, when }]) => {
    const value = fallback(settings);
    return `| \`${key}\` | ${value === 'none' ? '' : `\`${value}\``} | ${when} |`;
  });
  return ['| key | default | when to set it |', '|---|---|---|', ...rows].join('\n');
}

function costTable(costs: readonly Cost[]): string {
  const rows = costs.map(({ what, sum, dollars }) => `| ${what} | ${sum} | ${dollars.toFixed(2)} |`);
  const all = costs.reduce((total, { dollars }) => total + dollars, 0);
  return [
    `| ${pricesAsOf}, us-east-1 | arithmetic | $ a month |`,
    '|---|---|---|',
    ...rows,
    `| **all** | | **${all.toFixed(2)}** |`,
  ].join('\n');
}

/** Each state is paid when it is entered. With no management cluster, nothing inside the Map is. */
function statesOfEmptyReconciliation(): number {
  const { States } = JSON.parse(readText('state-machines/reconcile.asl.json')) as {
    readonly States: Readonly<Record<string, { readonly Type: string }>>;
  };
  return Object.values(States).filter(({ Type }) => Type !== 'Fail').length;
}

function readText(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}

if (import.meta.main) {
  const { synthesise } = await import('../test/cdk/synthesise.ts');
  const file = new URL('../docs/deploy.md', import.meta.url);
  writeFileSync(file, await renderDeployDoc(readFileSync(file, 'utf8'), synthesise().resources));
}
