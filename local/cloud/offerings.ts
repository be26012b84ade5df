// Which instance types the simulated EC2 offers, and where. Written by hand on 2026-11-23 to be plausible: families and
// vCPUs follow AWS's public lists, the gaps by region and zone are examples. A real deployment asks EC2.

const zonesOfRegion: Readonly<Record<string, string>> = {
  'us-east-1': 'abcdef',
  'us-east-2': 'abc',
  // Each account sees two zones here.
  'us-west-1': 'ac',
  'us-west-2': 'abcd',
  'ca-central-1': 'abd',
  'eu-central-1': 'abc',
  'eu-north-1': 'abc',
  'eu-west-1': 'abc',
  'eu-west-2': 'abc',
  'eu-west-3': 'abc',
  'ap-northeast-1': 'acd',
  'ap-south-1': 'abc',
  'ap-southeast-1': 'abc',
  'ap-southeast-2': 'abc',
  'sa-east-1': 'abc',
  'us-gov-east-1': 'abc',
  'us-gov-west-1': 'abc',
};

const vcpusOfSize: Readonly<Record<string, number>> = {
  nano: 2,
  micro: 2,
  small: 2,
  medium: 2,
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '9xlarge': 36,
  '12xlarge': 48,
  '16xlarge': 64,
  '18xlarge': 72,
  '24xlarge': 96,
  '32xlarge': 128,
  '48xlarge': 192,
};

const burstable = ['nano', 'micro', 'small', 'medium', 'large', 'xlarge', '2xlarge'];
const upTo16 = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge'];
const upTo24 = [...upTo16, '24xlarge'];
const upTo32 = [...upTo24, '32xlarge'];
const upTo48 = [...upTo24, '48xlarge'];

interface Family {
  readonly sizes: readonly string[];
  /** Regions and zones that do not have it. */
  readonly missing?: readonly string[];
}

const families: Readonly<Record<string, Family>> = {
  t3: { sizes: burstable, missing: ['us-east-1e'] },
  t3a: { sizes: burstable, missing: ['us-east-1e', 'eu-north-1'] },
  t4g: { sizes: burstable, missing: ['us-east-1e'] },
  m5: { sizes: upTo24, missing: ['us-east-1e'] },
  m5a: { sizes: upTo24, missing: ['us-east-1e', 'eu-north-1'] },
  m6a: { sizes: upTo48, missing: ['us-east-1e', 'us-gov-east-1'] },
  m6g: { sizes: upTo16, missing: ['us-east-1e'] },
  m6i: { sizes: upTo32, missing: ['us-east-1e'] },
  m7a: { sizes: upTo48, missing: ['us-east-1e', 'us-west-1', 'us-gov-east-1', 'us-gov-west-1'] },
  m7g: { sizes: upTo16, missing: ['us-east-1e', 'us-gov-east-1'] },
  m7i: { sizes: upTo48, missing: ['us-east-1e', 'us-gov-east-1'] },
  c5: { sizes: ['large', 'xlarge', '2xlarge', '4xlarge', '9xlarge', '12xlarge', '18xlarge', '24xlarge'] },
  c6a: { sizes: upTo48, missing: ['us-east-1e', 'us-gov-east-1'] },
  c6i: { sizes: upTo32, missing: ['us-east-1e'] },
  c7g: { sizes: upTo16, missing: ['us-east-1e', 'us-gov-east-1'] },
  c7i: { sizes: upTo48, missing: ['us-east-1e', 'us-gov-east-1'] },
  r5: { sizes: upTo24, missing: ['us-east-1e'] },
  r5a: { sizes: upTo24, missing: ['us-east-1e', 'eu-north-1'] },
  r6g: { sizes: upTo16, missing: ['us-east-1e'] },
  r6i: { sizes: upTo32, missing: ['us-east-1e'] },
  r7i: { sizes: upTo48, missing: ['us-east-1e', 'us-west-1', 'us-gov-east-1'] },
};

/** The availability zones of a region; none when there is no such region. */
export function zonesOf(region: string): readonly string[] {
  return [...(zonesOfRegion[region] ?? '')].map((letter) => region + letter);
}

/** The zones of a region that offer an instance type; none when the type or the region does not exist. */
export function zonesOffering(region: string, instanceType: string): readonly string[] {
  const [name = '', size = ''] = instanceType.split('.');
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  if (!family?.sizes.includes(size) || family.missing?.includes(region)) return [];
  return zonesOf(region).filter((zone) => !family.missing?.includes(zone));
}

/** How much an instance of this type takes of the vCPU quota. */
export function vcpusOf(instanceType: string): number {
  return vcpusOfSize[instanceType.split('.')[1] ?? ''] ?? 2;
}
