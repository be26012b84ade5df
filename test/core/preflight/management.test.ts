import { describe, expect, test } from 'vitest';
import { PetraError } from '../../../core/errors.ts';
import type { Machine, ReleaseAsset } from '../../../core/ports.ts';
import { preflightManagement } from '../../../core/preflight/management.ts';
import { type PreflightReport, subjectOf } from '../../../core/preflight/subject.ts';
import { failing, type PortFault } from '../../state-machines/port-faults.ts';
import { managementSpec, workloadSpec } from '../test-ports.ts';
import { answering, openAccount, quotasWith } from './account.ts';

const versions = managementSpec().spec.management;
if (!versions) throw new Error('a management spec has versions');

/** Looks at a management cluster with these nodes, in an account with these faults. */
async function preflight(
  faults: readonly PortFault[] = [],
  {
    nodes = { controlPlane: { count: 1 }, workers: { count: 2 } },
    management = {},
    materializedUid,
    region,
  }: {
    readonly nodes?: object;
    readonly management?: object;
    readonly materializedUid?: string;
    readonly region?: string;
  } = {},
): Promise<PreflightReport> {
  const { ports, close } = await openAccount(faults);
  const spec = workloadSpec('mgmt', { nodes, management: { ...versions, ...management } });
  if (!spec.spec.management) throw new Error('no versions');
  const settings = { ...ports.settings, ...(region === undefined ? {} : { region }) };
  try {
    const subject = { ...subjectOf(spec), ...(materializedUid === undefined ? {} : { materializedUid }) };
    return await preflightManagement({ ...ports, settings }, subject, spec.spec.management);
  } finally {
    await close();
  }
}

const errorsOf = ({ findings }: PreflightReport) =>
  findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
const messagesOf = ({ findings }: PreflightReport, code: string) =>
  findings.filter((one) => one.code === code).map(({ message }) => message);
const itemOf = ({ plan }: PreflightReport, what: string) => plan.items.find((item) => item.what === what);

const isFile = (file: string, part: string) => (asset: ReleaseAsset) =>
  asset.file === file && asset.repository.includes(part);
const denied = new PetraError('AwsAccessDenied', 'not allowed', { fix: 'Allow it.' });
const lost = new PetraError('ReleaseNotFound', 'no such file');

describe('a management cluster in an account with room', () => {
  test('has no errors, and what will be made is counted with its quotas', async () => {
    const report = await preflight();
    expect(errorsOf(report)).toEqual([]);
    expect(report.plan.zones).toEqual([]);
    expect(itemOf(report, 'm5a.large instances')).toMatchObject({
      count: 1,
      because: 'control plane, spec.nodes.controlPlane',
    });
    expect(itemOf(report, 'Standard vCPUs')).toEqual({
      what: 'Standard vCPUs',
      count: 6,
      existing: 0,
      surge: 0,
      because: '1 × 2 (m5a.large) + 2 × 2 (m5a.large)',
      quota: { code: 'L-1216C47A', used: 0, limit: 512 },
    });
    expect(itemOf(report, 'Elastic IPs')).toMatchObject({ count: 1, quota: { used: 0, limit: 100 } });
    expect(itemOf(report, 'network interfaces')).toMatchObject({ count: 3 });
    expect(itemOf(report, 'VPCs')).toBeUndefined();
  });

  test('takes no Elastic IPs where the network gives its nodes another way out', async () => {
    const { ports, close } = await openAccount();
    const spec = managementSpec();
    const networks = { ...ports.networks, publicAddresses: false };
    const report = await preflightManagement({ ...ports, networks }, subjectOf(spec), versions);
    expect(itemOf(report, 'Elastic IPs')).toBeUndefined();
    await close();
  });

  test('counts what an earlier attempt left as used, not as needed', async () => {
    const machine = (role: Machine['role'], name: string): Machine => ({
      id: `i-${name}`,
      name,
      role,
      state: 'running',
      address: '10.0.0.4',
    });
    const faults = [
      answering('machines.list', [machine('server', 'server-0'), machine('agent', 'agent-0')]),
      answering('networks.listPublicAddresses', [
        { id: 'eipalloc-1', name: 'server-0', address: '203.0.113.1' },
      ]),
      quotasWith({ standardVcpus: { used: 4, limit: 6 }, elasticIps: { used: 5, limit: 5 } }),
    ];
    const resumed = await preflight(faults, { materializedUid: 'uid-1' });
    expect(errorsOf(resumed)).toEqual([]);
    expect(itemOf(resumed, 'Standard vCPUs')).toMatchObject({ count: 6, existing: 4 });
    expect(errorsOf(await preflight(faults))).toEqual(['QuotaTooSmall', 'QuotaTooSmall']);
  });
});

describe('what stops a management cluster', () => {
  test('is another region than the stack has', async () => {
    expect(errorsOf(await preflight([], { region: 'eu-west-1' }))).toEqual(['RegionMismatch']);
  });

  test('is told all at once, and what may pass by itself comes last', async () => {
    const report = await preflight(
      [
        failing('machines.offerings', new PetraError('Throttled', 'slow down')),
        failing('machines.image', new PetraError('ImageNotFound', 'no image')),
        failing('releases.fetch', lost, isFile('metadata.yaml', 'provider-aws')),
        quotasWith({ elasticIps: { limit: 0 } }),
      ],
      { region: 'eu-west-1' },
    );
    expect(errorsOf(report)).toEqual([
      'RegionMismatch',
      'ReleaseNotFound',
      'ImageNotFound',
      'QuotaTooSmall',
      'Throttled',
    ]);
    expect(report.findings[1]).toMatchObject({
      path: 'spec.management.capaVersion',
      acceptable: false,
      evidence: ['no such file'],
    });
  });

  test('is a quota without room, which has its numbers and can be accepted', async () => {
    const report = await preflight([quotasWith({ standardVcpus: { used: 3, limit: 8 } })]);
    expect(report.findings.find(({ code }) => code === 'QuotaTooSmall')).toEqual({
      code: 'QuotaTooSmall',
      severity: 'error',
      message:
        'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances in us-west-1: 3 of 8 are used, and this cluster takes 6 more',
      fix: 'Ask for at least 9 of quota L-1216C47A (Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances) in the Service Quotas console of us-west-1, or free some of it. To go on in spite of it: --accept QuotaTooSmall.',
      numbers: { needed: 6, used: 3, limit: 8, quotaCode: 'L-1216C47A' },
      acceptable: true,
    });
  });

  test('is an instance type that the region does not have', async () => {
    const nodes = { controlPlane: { count: 1 }, workers: { count: 1, instanceType: 'p5.48xlarge' } };
    const report = await preflight([], { nodes });
    expect(errorsOf(report)).toEqual(['InstanceTypeNotOffered']);
    expect(messagesOf(report, 'Unchecked')).toEqual([
      'the vCPU quota of p5.48xlarge was not checked: Petra reads that of Standard instances only',
    ]);
  });
});

describe('releases', () => {
  test('are each fetched once, those of all components and of k3s', async () => {
    const fetched: string[] = [];
    await preflight([
      {
        call: 'releases.fetch',
        when: ({ repository, file }: ReleaseAsset) => {
          fetched.push(`${repository} ${file}`);
          return false;
        },
        instead: (usual) => usual(),
      },
    ]);
    expect(fetched.toSorted()).toEqual([
      'cert-manager/cert-manager cert-manager.yaml',
      'k3s-io/cluster-api-k3s bootstrap-components.yaml',
      'k3s-io/cluster-api-k3s control-plane-components.yaml',
      'k3s-io/cluster-api-k3s metadata.yaml',
      'k3s-io/k3s sha256sum-amd64.txt',
      'kubernetes-sigs/cluster-api core-components.yaml',
      'kubernetes-sigs/cluster-api metadata.yaml',
      'kubernetes-sigs/cluster-api-provider-aws infrastructure-components.yaml',
      'kubernetes-sigs/cluster-api-provider-aws metadata.yaml',
    ]);
  });

  test('that do not exist are named once, with what is near', async () => {
    const report = await preflight([
      failing('releases.fetch', lost, (asset: ReleaseAsset) => asset.repository.endsWith('provider-aws')),
      failing('releases.fetch', lost, (asset: ReleaseAsset) => asset.repository.startsWith('cert-manager')),
    ]);
    expect(report.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      {
        code: 'ReleaseNotFound',
        path: 'spec.management.capaVersion',
        message: expect.stringMatching(/CAPA v2\.7\.2/),
      },
      { code: 'ReleaseNotFound', path: 'spec.management.certManagerVersion' },
    ]);
  });

  test('that cannot be read are told file by file', async () => {
    const spoiled = (file: string, text: string): PortFault => ({
      ...answering('releases.fetch', text),
      when: (asset: ReleaseAsset) =>
        asset.file === file && asset.repository === 'kubernetes-sigs/cluster-api',
    });
    const report = await preflight([
      spoiled('metadata.yaml', 'a: ['),
      spoiled('core-components.yaml', 'a: ['),
    ]);
    expect(errorsOf(report)).toEqual(['ReleaseCorrupt', 'ReleaseCorrupt']);
  });

  test('that lack their manifest are told by its name', async () => {
    const report = await preflight([
      failing('releases.fetch', lost, isFile('core-components.yaml', 'cluster-api')),
    ]);
    expect(report.findings[0]).toMatchObject({
      code: 'ReleaseNotFound',
      message: 'Cluster API v1.9.5 is released, but core-components.yaml is not in the repository in use',
      path: 'spec.management.capiVersion',
    });
  });

  test('that Petra itself cannot handle are no finding', async () => {
    const nothing = {
      ...answering('releases.fetch', undefined),
      when: isFile('core-components.yaml', 'cluster-api'),
    };
    await expect(preflight([nothing])).rejects.toThrow(TypeError);
  });

  test('that cannot be reached stop it, since they are needed at once', async () => {
    const away = new PetraError('ReleaseUnreachable', 'no answer', { cause: new Error('ECONNREFUSED') });
    const report = await preflight([failing('releases.fetch', away)]);
    expect(new Set(errorsOf(report))).toEqual(new Set(['ReleaseUnreachable']));
    expect(report.findings[0]?.evidence).toEqual(['Error: ECONNREFUSED']);
    expect(messagesOf(report, 'Unchecked')).toEqual([
      'k3s v1.35.3+k3s1 for amd64 could not be checked: no answer',
    ]);
  });

  test('whose contracts differ are refused', async () => {
    const report = await preflight([
      {
        call: 'releases.fetch',
        when: isFile('metadata.yaml', 'provider-aws'),
        instead: async (usual) => String(await usual()).replaceAll('v1beta1', 'v1alpha3'),
      },
    ]);
    expect(errorsOf(report)).toEqual(['IncompatibleProviders']);
  });

  test('that upstream does not support any more are warned of', async () => {
    expect(messagesOf(await preflight(), 'VersionsUnsupported')).toContainEqual(
      expect.stringContaining('end of life'),
    );
  });

  test('of k3s are looked for in each architecture', async () => {
    const nodes = { controlPlane: { count: 1 }, workers: { count: 1, instanceType: 'm7g.large' } };
    const isK3s = (asset: ReleaseAsset) => asset.repository === 'k3s-io/k3s';
    const report = await preflight([failing('releases.fetch', lost, isK3s)], { nodes });
    expect(messagesOf(report, 'ReleaseNotFound')).toEqual([
      'spec.kubernetes.version: k3s v1.35.3+k3s1 for amd64 was never released',
      'spec.kubernetes.version: k3s v1.35.3+k3s1 for arm64 was never released',
    ]);
    const strange = await preflight([{ ...answering('releases.fetch', 'abc  k3s\n'), when: isK3s }], {
      nodes,
    });
    expect(messagesOf(strange, 'ReleaseCorrupt')).toEqual([
      'spec.kubernetes.version: the sums of k3s v1.35.3+k3s1 for arm64 do not list k3s-arm64',
    ]);
  });

  test('of k3s need not be on a mirror of providers', async () => {
    const { ports, close } = await openAccount();
    const releases = {
      kind: 'mirror' as const,
      fetch: async (asset: ReleaseAsset) => {
        if (asset.repository === 'k3s-io/k3s') throw lost;
        return ports.releases.fetch(asset);
      },
    };
    const report = await preflightManagement({ ...ports, releases }, subjectOf(managementSpec()), versions);
    expect(errorsOf(report)).toEqual([]);
    expect(messagesOf(report, 'Unchecked')).toEqual([
      'k3s v1.35.3+k3s1 for amd64 could not be checked: no such file',
    ]);
    await close();
  });
});

describe('what cannot be asked', () => {
  test('is a warning where the cluster can be made without the answer', async () => {
    const report = await preflight(
      ['machines.types', 'machines.list', 'quotas.read', 'permissions.denied'].map((call) =>
        failing(call, denied),
      ),
      { materializedUid: 'uid-1' },
    );
    expect(errorsOf(report)).toEqual([]);
    expect(messagesOf(report, 'Unchecked')).toEqual([
      'how many vCPUs the instance types have could not be checked: not allowed',
      'what an earlier attempt left could not be checked: not allowed',
      'the quotas could not be checked: not allowed',
      'what the role of CAPA may do could not be checked: not allowed',
    ]);
    expect(report.findings.find(({ code }) => code === 'Unchecked')).toMatchObject({
      fix: 'Allow it.',
      acceptable: false,
    });
    expect(itemOf(report, 'Standard vCPUs')).toBeUndefined();
    expect(itemOf(report, 'Elastic IPs')).not.toHaveProperty('quota');
  });

  test('is an error where the next state asks the same', async () => {
    expect(errorsOf(await preflight([failing('machines.offerings', denied)]))).toEqual(['AwsAccessDenied']);
  });

  test('and was not foreseen is thrown', async () => {
    const broken = new TypeError('x is not a function');
    await expect(preflight([failing('quotas.read', broken)])).rejects.toThrow(broken);
  });
});

test('a role that cannot make clusters is a warning for the cluster that is to make them', async () => {
  const report = await preflight([answering('permissions.denied', ['ec2:CreateVpc', 'ec2:RunInstances'])]);
  expect(report.findings.find(({ code }) => code === 'CapaPermissionMissing')).toMatchObject({
    severity: 'warning',
    message: 'the role that CAPA works under is denied ec2:CreateVpc, ec2:RunInstances in us-west-1',
    evidence: ['to make and remove the VPC: ec2:CreateVpc', 'to launch and end machines: ec2:RunInstances'],
  });
});
