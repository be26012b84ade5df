// What a deployment can be told: context of the CDK, from `-c key=value`, cdk.json or ~/.cdk.json.

/** The settings, with their defaults filled in. */
export interface PetraSettings {
  readonly stackName: string;
  readonly version: string;
  /** A KMS key of one's own for table, bucket, secrets and the volumes of nodes. */
  readonly kmsKeyArn?: string;
  readonly network: NewNetwork | GivenNetwork;
  /** Whether nodes reach the world by public addresses of their own, or by what their subnets' routes lead to. */
  readonly nodePublicAddresses: boolean;
  /** AMI ids, or names of SSM parameters that hold one. */
  readonly nodeImages: { readonly amd64: string; readonly arm64: string };
  /** `false` where another stack, or clusterawsadm, has made the profiles for CAPA's machines in this account. */
  readonly createCapaProfiles: boolean;
  readonly logRetentionDays: number;
  readonly reconcileMinutes: number;
  /** Where alarms go. */
  readonly alarmTopicArn?: string;
  /** An event bus that exists, instead of one of the stack's own. */
  readonly eventBusName?: string;
  /** Days for which events are archived; none when 0. */
  readonly eventArchiveDays: number;
  readonly releasesUrl?: string;
  readonly k3sReleasesUrl?: string;
  readonly fipsEndpoints: boolean;
}

/** A VPC that the stack makes. */
export interface NewNetwork {
  readonly cidr: string;
  /** Availability zones, 2 or 3. */
  readonly zones: number;
  /** How many of the zones get a network interface of the Secrets Manager endpoint; each is paid by the hour. */
  readonly secretsEndpointZones: number;
  readonly flowLogs: boolean;
}

/** A VPC that exists. Its function subnets lead to DynamoDB, S3 and Secrets Manager, its node subnets to the internet. */
export interface GivenNetwork {
  readonly vpcId: string;
  readonly nodeSubnetIds: readonly string[];
  readonly functionSubnetIds: readonly string[];
}

/** Amazon Linux 2023, by the public parameters that AWS keeps up to date in each region. */
const amazonLinux = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-';

/** What CloudWatch Logs accepts as a retention (PutRetentionPolicy in its API reference). */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const keys = [
  'stackName',
  'kmsKeyArn',
  'vpcId',
  'nodeSubnetIds',
  'functionSubnetIds',
  'vpcCidr',
  'zones',
  'secretsEndpointZones',
  'flowLogs',
  'nodePublicAddresses',
  'nodeImageAmd64',
  'nodeImageArm64',
  'createCapaProfiles',
  'logRetentionDays',
  'reconcileMinutes',
  'alarmTopicArn',
  'eventBusName',
  'eventArchiveDays',
  'releasesUrl',
  'k3sReleasesUrl',
  'fips',
] as const;

export type ContextKey = (typeof keys)[number];

/** The value of a key of the context: of any type in cdk.json, a text from the command line. */
export type Context = (key: ContextKey) => unknown;

/** Reads all keys, and refuses with every problem at once. */
export function readSettings(context: Context, version: string): PetraSettings {
  const problems: string[] = [];
  const settings = { ...parse(context, problems), version };
  if (problems.length === 0) return settings;
  throw new Error(`the context of the stack has ${problems.length} problem(s):\n${problems.join('\n')}`);
}

function parse(context: Context, problems: string[]): Omit<PetraSettings, 'version'> {
  const refuse = (key: ContextKey, expected: string) =>
    problems.push(`  ${key}: got ${JSON.stringify(context(key))}, expected ${expected}`);

  const text = (key: ContextKey, pattern: RegExp, expected: string): string | undefined => {
    const value = context(key);
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string' && pattern.test(value)) return value;
    refuse(key, expected);
    return undefined;
  };
  const number = (
    key: ContextKey,
    fallback: number,
    allowed: (value: number) => boolean,
    expected: string,
  ) => {
    const value = context(key) ?? fallback;
    if (/^\d+$/.test(String(value)) && allowed(Number(value))) return Number(value);
    refuse(key, expected);
    return fallback;
  };
  const flag = (key: ContextKey, fallback: boolean) => {
    const value = String(context(key) ?? fallback);
    if (value === 'true' || value === 'false') return value === 'true';
    refuse(key, 'true or false');
    return fallback;
  };
  const subnets = (key: ContextKey): readonly string[] => {
    const value = context(key);
    const ids = Array.isArray(value) ? value.map(String) : String(value ?? '').split(',');
    if (ids.every((id) => /^subnet-[0-9a-f]+$/.test(id))) return ids;
    refuse(key, 'ids of subnets of the VPC in vpcId, such as subnet-0a1b,subnet-2c3d');
    return [];
  };
  const some = <K extends string>(key: K, value: string | undefined) =>
    // The one key is the name given; TypeScript widens computed keys to any string.
    (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: string };

  const image = /^(ami-[0-9a-f]+|\/[\w./-]+)$/;
  const url = /^https:\/\/\S+[^/]$/;
  const arn = (service: string) => new RegExp(`^arn:[a-z-]+:${service}:[a-z0-9-]+:\\d{12}:\\S+$`);
  const zones = number('zones', 2, (count) => count === 2 || count === 3, '2 or 3');
  const vpcId = text('vpcId', /^vpc-[0-9a-f]+$/, 'the id of a VPC');
  return {
    // Names of functions begin with it, and may have 64 characters.
    stackName:
      text('stackName', /^[a-zA-Z][a-zA-Z0-9-]{0,19}$/, 'up to 20 letters, digits and hyphens') ?? 'petra',
    ...some('kmsKeyArn', text('kmsKeyArn', arn('kms'), 'the ARN of a KMS key')),
    network:
      vpcId === undefined
        ? {
            cidr: text('vpcCidr', /^(\d+\.){3}\d+\/\d+$/, 'such as 10.80.0.0/20') ?? '10.80.0.0/20',
            zones,
            secretsEndpointZones: number(
              'secretsEndpointZones',
              1,
              (count) => count >= 1 && count <= zones,
              `1 to ${zones}`,
            ),
            flowLogs: flag('flowLogs', false),
          }
        : {
            vpcId,
            nodeSubnetIds: subnets('nodeSubnetIds'),
            functionSubnetIds: subnets('functionSubnetIds'),
          },
    nodePublicAddresses: flag('nodePublicAddresses', true),
    nodeImages: {
      amd64:
        text('nodeImageAmd64', image, 'an AMI id or the name of an SSM parameter') ?? `${amazonLinux}x86_64`,
      arm64:
        text('nodeImageArm64', image, 'an AMI id or the name of an SSM parameter') ?? `${amazonLinux}arm64`,
    },
    createCapaProfiles: flag('createCapaProfiles', true),
    logRetentionDays: number(
      'logRetentionDays',
      30,
      (days) => retentionDays.includes(days),
      `one of ${retentionDays.join(', ')}`,
    ),
    reconcileMinutes: number('reconcileMinutes', 5, (minutes) => minutes >= 1 && minutes <= 60, '1 to 60'),
    ...some('alarmTopicArn', text('alarmTopicArn', arn('sns'), 'the ARN of an SNS topic')),
    ...some('eventBusName', text('eventBusName', /^[\w./-]{1,256}$/, 'the name of an event bus')),
    eventArchiveDays: number('eventArchiveDays', 0, (days) => days <= 3650, 'a number of days, 0 for none'),
    ...some('releasesUrl', text('releasesUrl', url, 'an https address without a slash at its end')),
    ...some('k3sReleasesUrl', text('k3sReleasesUrl', url, 'an https address without a slash at its end')),
    fipsEndpoints: flag('fips', false),
  };
}
