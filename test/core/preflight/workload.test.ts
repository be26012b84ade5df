import { describe, expect, test } from 'vitest';
import { capaTag } from '../../../core/capi/capa-tag.ts';
import type { ClusterSpec } from '../../../core/capi/spec-schema.ts';
import { PetraError } from '../../../core/errors.ts';
import { type PreflightReport, subjectOf } from '../../../core/preflight/subject.ts';
import { preflightWorkload } from '../../../core/preflight/workload.ts';
import { failing, type PortFault } from '../../state-machines/port-faults.ts';
import { workloadSpec } from '../test-ports.ts';
import { answering, openAccount, quotasWith } from './account.ts';

const three = { controlPlane: { count: 3 }, workers: { count: 2 } };

async function preflight(
  spec: ClusterSpec = workloadSpec(),
  faults: readonly PortFault[] = [],
  {
    materializedUid,
    asked = [],
  }: { readonly materializedUid?: string; readonly asked?: readonly string[] } = {},
): Promise<PreflightReport> {
  const { ports, close } = await openAccount(faults, asked);
  try {
    const subject = { ...subjectOf(spec), ...(materializedUid === undefined ? {} : { materializedUid }) };
    return await preflightWorkload(ports, subject);
  } finally {
    await close();
  }
}

const spanning = (region: string, network?: object) =>
  workloadSpec('dev', { nodes: three, target: { region, ...(network && { network }) } });
const itemOf = ({ plan }: PreflightReport, what: string) => plan.items.find((item) => item.what === what);
const told = ({ findings }: PreflightReport) =>
  findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);

describe('what CAPA makes', () => {
  test('for one server is a network in one zone', async () => {
    const report = await preflight();
    expect(report.findings).toEqual([]);
    expect(report.plan.zones).toEqual(['us-west-1a']);
    expect(report.plan.items.map(({ what, count, surge, because }) => [what, count, surge, because])).toEqual(
      [
        ['m5a.large instances', 1, 1, 'control plane, spec.nodes.controlPlane'],
        ['m5a.large instances', 2, 1, 'workers, spec.nodes.workers'],
        ['Standard vCPUs', 6, 4, '1 × 2 (m5a.large) + 2 × 2 (m5a.large)'],
        [
          'network interfaces',
          5,
          2,
          'one for each machine, and of NAT gateway and load balancer in each zone',
        ],
        ['VPCs', 1, 0, 'a network of its own'],
        ['internet gateways', 1, 0, 'one for the VPC'],
        ['NAT gateways', 1, 0, 'one in us-west-1a'],
        ['Elastic IPs', 1, 0, 'one for each NAT gateway'],
        ['network load balancers', 1, 0, "for the cluster's API"],
      ],
    );
  });

  test('for three servers spans three zones, or as many as the region has', async () => {
    expect(itemOf(await preflight(spanning('eu-west-1')), 'NAT gateways')).toMatchObject({
      count: 3,
      because: 'one each in eu-west-1a, eu-west-1b, eu-west-1c',
      quota: { code: 'L-FE5A380F' },
    });
    const narrow = await preflight(spanning('us-west-1'));
    expect(narrow.plan.zones).toEqual(['us-west-1a', 'us-west-1c']);
    expect(itemOf(narrow, 'Elastic IPs')).toMatchObject({ count: 2 });
  });

  test('in an existing VPC is machines and a load balancer', async () => {
    const network = { vpcId: 'vpc-0a1b2c3d4e5f60718', subnetIds: ['subnet-0a1b2c3d4e5f60718'] };
    const report = await preflight(spanning('us-west-1', network));
    expect(report.plan.zones).toEqual([]);
    expect(report.plan.items.map(({ what, count }) => [what, count])).toEqual([
      ['m5a.large instances', 3],
      ['m5a.large instances', 2],
      ['Standard vCPUs', 10],
      ['network interfaces', 6],
      ['network load balancers', 1],
    ]);
    expect(report.plan.unchecked).toHaveLength(2);
  });

  test('in all subnets of an existing VPC is counted without them', async () => {
    const spec = spanning('us-west-1', {
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      subnetIds: ['subnet-0a1b2c3d4e5f60718'],
    });
    const target = { ...spec.spec.target, network: { vpcId: 'vpc-0a1b2c3d4e5f60718' } };
    const report = await preflight({ ...spec, spec: { ...spec.spec, target } });
    expect(itemOf(report, 'network interfaces')).toMatchObject({ count: 5 });
  });

  test('has no workers where none are asked for, and no surge of them', async () => {
    const nodes = { controlPlane: { count: 1 }, workers: { count: 0 } };
    expect(itemOf(await preflight(workloadSpec('dev', { nodes })), 'Standard vCPUs')).toMatchObject({
      count: 2,
      surge: 2,
    });
  });
});

describe('quotas', () => {
  test('count what is used, and say by how much they are too small', async () => {
    const report = await preflight(spanning('eu-west-1'), [
      quotasWith({ elasticIps: { used: 3, limit: 5 }, natGatewaysPerZone: { used: 5, limit: 5 } }),
    ]);
    expect(told(report)).toEqual([
      'error QuotaTooSmall: NAT gateways per Availability Zone in eu-west-1: 5 of 5 are used, and this cluster takes 1 more',
      'error QuotaTooSmall: EC2-VPC Elastic IPs in eu-west-1: 3 of 5 are used, and this cluster takes 3 more',
    ]);
    expect(report.findings[1]).toMatchObject({
      numbers: { needed: 3, used: 3, limit: 5, quotaCode: 'L-0263D0A3' },
      acceptable: true,
      fix: expect.stringContaining('at least 6 of quota L-0263D0A3'),
    });
  });

  test('that are too small only while machines are replaced are warned of', async () => {
    const report = await preflight(workloadSpec(), [quotasWith({ standardVcpus: { used: 0, limit: 9 } })]);
    expect(told(report)).toEqual([
      expect.stringMatching(
        /^warning QuotaTooSmall: .* 0 of 9 are used, and this cluster takes 6 more; replacing its machines needs 4 in addition$/,
      ),
    ]);
  });

  test('that are nearly used up afterwards are warned of', async () => {
    const report = await preflight(workloadSpec(), [quotasWith({ vpcs: { used: 4, limit: 5 } })]);
    expect(told(report)).toEqual([
      'warning QuotaNearlyUsed: VPCs per Region in us-west-1: 4 of 5 are used, and this cluster takes 1 more',
    ]);
    expect(report.findings[0]).toMatchObject({ fix: expect.stringContaining('at least 7 of quota') });
    const fine = await preflight(workloadSpec(), [quotasWith({ vpcs: { used: 3, limit: 5 } })]);
    expect(told(fine)).toEqual([]);
  });

  test('that Service Quotas does not know are unchecked', async () => {
    const report = await preflight(workloadSpec(), [answering('quotas.read', new Map())]);
    expect(told(report)).toHaveLength(6);
    expect(told(report)[0]).toBe(
      'warning Unchecked: the quota of Standard vCPUs could not be checked: Service Quotas does not know it in us-west-1',
    );
  });

  test.each([
    ['g5.xlarge', /L-DB2E81BA \(Running On-Demand G and VT instances\)/],
    ['q9.large', /Look for the family's quota/],
  ])('of %s are not read, and it is said where to look', async (instanceType, fix) => {
    const nodes = { controlPlane: { count: 1 }, workers: { count: 1, instanceType } };
    const report = await preflight(workloadSpec('dev', { nodes }), [
      answering(
        'machines.offerings',
        new Map([
          ['m5a.large', ['us-west-1a']],
          [instanceType, ['us-west-1a']],
        ]),
      ),
      answering('machines.types', new Map([[instanceType, { vcpus: 4, architecture: 'amd64' }]])),
    ]);
    expect(report.findings).toMatchObject([{ code: 'Unchecked', fix: expect.stringMatching(fix) }]);
    expect(report.plan.items.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^(G and VT|other) vCPUs$/),
    );
  });
});

describe('instance types', () => {
  const offered = (zones: readonly string[]) => [
    answering('machines.offerings', new Map([['m5a.large', zones]])),
  ];

  test('must be in every zone where three servers are one in each', async () => {
    expect(told(await preflight(spanning('eu-west-1'), offered(['eu-west-1a', 'eu-west-1b'])))).toEqual([
      'error InstanceTypeNotOffered: spec.nodes.controlPlane.instanceType: m5a.large is not offered in eu-west-1c, of the zones eu-west-1a, eu-west-1b, eu-west-1c that the cluster will be in',
      'warning InstanceTypeNotOffered: spec.nodes.workers.instanceType: m5a.large is not offered in eu-west-1c, of the zones eu-west-1a, eu-west-1b, eu-west-1c that the cluster will be in',
    ]);
  });

  test('that are in none of the zones are an error, though the region has them', async () => {
    expect(told(await preflight(workloadSpec(), offered(['us-west-1c'])))).toEqual([
      expect.stringMatching(/^error InstanceTypeNotOffered: spec\.nodes\.controlPlane/),
      expect.stringMatching(/^error InstanceTypeNotOffered: spec\.nodes\.workers/),
    ]);
  });

  test('may be missing in a zone where one server can be elsewhere', async () => {
    const nodes = { controlPlane: { count: 1 }, workers: { count: 0 } };
    const target = { region: 'eu-west-1', network: { availabilityZones: 3 } };
    const report = await preflight(workloadSpec('dev', { nodes, target }), offered(['eu-west-1b']));
    expect(report.findings).toMatchObject([
      { severity: 'warning', code: 'InstanceTypeNotOffered', fix: expect.stringContaining('in eu-west-1b.') },
    ]);
  });

  test('that EC2 has never heard of are in no zone', async () => {
    const report = await preflight(workloadSpec(), [answering('machines.offerings', new Map())]);
    expect(told(report)[0]).toBe(
      'error InstanceTypeNotOffered: spec.nodes.controlPlane.instanceType: us-west-1 does not offer m5a.large',
    );
  });

  test('are looked for in the whole region where its zones are not known', async () => {
    const unknown = new PetraError('AwsUnavailable', 'no answer');
    const report = await preflight(spanning('eu-west-1'), [
      failing('machines.zones', unknown),
      failing('machines.types', unknown),
      ...offered(['eu-west-1b']),
    ]);
    expect(told(report)).toEqual([
      'warning Unchecked: which zones the region has could not be checked: no answer',
      'warning Unchecked: how many vCPUs the types have could not be checked: no answer',
    ]);
    expect(report.plan.zones).toEqual([]);
    expect(itemOf(report, 'NAT gateways')).toMatchObject({
      count: 3,
      because: 'one each in zone 1, zone 2, zone 3',
    });
  });

  test('that cannot be asked for stop it', async () => {
    const report = await preflight(workloadSpec(), [
      failing('machines.offerings', new PetraError('AwsAccessDenied', 'no')),
    ]);
    expect(told(report)).toEqual(['error AwsAccessDenied: no']);
  });
});

describe('the name', () => {
  test('must not be on anything that CAPA would take for its own', async () => {
    const report = await preflight(workloadSpec(), [
      answering('tagged.find', [{ type: 'ec2:vpc', id: 'vpc-other' }]),
    ]);
    expect(report.findings).toMatchObject([
      { code: 'NameTaken', path: 'metadata.name', evidence: ['ec2:vpc vpc-other'], acceptable: false },
    ]);
  });

  test('that cannot be looked for stops it, until something may be its own', async () => {
    const silent = [failing('tagged.find', new PetraError('AwsUnavailable', 'no answer'))];
    expect(told(await preflight(workloadSpec(), silent))).toEqual(['error AwsUnavailable: no answer']);
    expect(told(await preflight(workloadSpec(), silent, { materializedUid: 'uid-1' }))).toEqual([
      'warning Unchecked: what an earlier attempt left could not be checked: no answer',
    ]);
  });

  test('on what an earlier attempt left counts as made', async () => {
    const { cloud, ports, close } = await openAccount([
      quotasWith({
        vpcs: { used: 5, limit: 5 },
        internetGateways: { used: 5, limit: 5 },
        elasticIps: { used: 5, limit: 5 },
        natGatewaysPerZone: { used: 5, limit: 5 },
        networkLoadBalancers: { used: 5, limit: 5 },
        standardVcpus: { used: 4, limit: 100 },
      }),
    ]);
    const { key, value } = capaTag('dev');
    const made = [
      'ec2:vpc',
      'ec2:internet-gateway',
      'ec2:elastic-ip',
      'ec2:natgateway',
      'elasticloadbalancing:loadbalancer',
      'ec2:instance',
      'ec2:instance',
    ];
    for (const [index, type] of made.entries()) {
      await cloud.tagged.add('us-west-1', type, `${type}-${index}`, { [key]: value });
    }
    const subject = { ...subjectOf(workloadSpec()), materializedUid: 'uid-1' };
    const report = await preflightWorkload(ports, subject);
    expect(report.findings).toEqual([]);
    expect(itemOf(report, 'NAT gateways')).toMatchObject({ count: 1, existing: 1 });
    expect(itemOf(report, 'Standard vCPUs')).toMatchObject({ count: 6, existing: 4 });
    await close();
  });
});

describe('permissions', () => {
  test('that CAPA lacks stop it, and can be accepted', async () => {
    const report = await preflight(workloadSpec(), [], { asked: ['permission:ec2:CreateNatGateway'] });
    expect(report.findings).toMatchObject([
      {
        code: 'CapaPermissionMissing',
        severity: 'error',
        acceptable: true,
        message: 'the role that CAPA works under is denied ec2:CreateNatGateway in us-west-1',
        evidence: ['to make and remove NAT gateways with their addresses: ec2:CreateNatGateway'],
      },
    ]);
  });

  test('to make a network are not asked for in an existing one', async () => {
    const network = { vpcId: 'vpc-0a1b2c3d4e5f60718', subnetIds: ['subnet-0a1b2c3d4e5f60718'] };
    const report = await preflight(spanning('us-west-1', network), [], {
      asked: ['permission:ec2:CreateNatGateway', 'permission:ec2:RunInstances'],
    });
    expect(told(report)).toEqual([
      'error CapaPermissionMissing: the role that CAPA works under is denied ec2:RunInstances in us-west-1',
    ]);
  });

  test.each([
    ['iam:AccessDeniedException', 'what the role of CAPA may do'],
    ['servicequotas:ThrottlingException', 'the quotas'],
  ])('or quotas that nobody may ask for (%s) are unchecked', async (fault, what) => {
    const report = await preflight(workloadSpec(), [], { asked: [fault] });
    expect(told(report)).toEqual([
      expect.stringContaining(`warning Unchecked: ${what} could not be checked`),
    ]);
  });
});
