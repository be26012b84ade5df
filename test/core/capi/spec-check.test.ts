import { describe, expect, test } from 'vitest';
import { minimal, problemsOf, versions, withLine } from './spec-samples.ts';

function withVersion(version: string): string {
  return minimal.replace('v1.35.3+k3s1', version);
}

function withRegion(region: string): string {
  return minimal.replace('us-west-1', region);
}

function withName(name: string): string {
  return minimal.replace('name: dev', `name: ${name}`);
}

function withInstanceType(type: string): string {
  return minimal.replace('count: 2', `count: 2, instanceType: ${type}`);
}

function withNetwork(network: object): string {
  return minimal.replace('  nodes:', `    network: ${JSON.stringify(network)}\n  nodes:`);
}

function withVersions(change: object): string {
  return withLine(`management: ${JSON.stringify({ ...versions, ...change })}`);
}

describe('kubernetes version', () => {
  test.each(['v1.35.3+k3s1', 'v1.32.10+k3s12', 'v2.0.0+k3s1'])('%s passes', (version) => {
    expect(problemsOf(withVersion(version))).toEqual([]);
  });

  test.each([
    ['v1.35.3', 'lacks the k3s revision, `+k3s1`', 'did you mean `v1.35.3+k3s1`?'],
    ['1.35.3', 'lacks the `v`', 'did you mean `v1.35.3+k3s1`?'],
    ['1.35.3+k3s2', 'lacks the `v`', 'did you mean `v1.35.3+k3s2`?'],
    ['V1.35.3+k3s2', 'lacks the `v`', 'did you mean `v1.35.3+k3s2`?'],
    ['v1.35.3-k3s1', 'image tag', 'did you mean `v1.35.3+k3s1`?'],
    ['v1.35.3%2Bk3s1', 'image tag', 'did you mean `v1.35.3+k3s1`?'],
    ['v1.35.3+rke2r1', 'RKE2', 'did you mean `v1.35.3+k3s1`?'],
    ['v1.35.3-rc1+k3s1', 'pre-release', 'did you mean `v1.35.3+k3s1`?'],
    ['v1.35.3+k3s', 'not a full', 'did you mean `v1.35.3+k3s1`?'],
    ['v1.35.3+k3s01', 'not a full', undefined],
    ['v1.35', 'lacks the patch number', 'write it in full'],
    ['stable', 'release channel', 'name one version'],
    ['v1.35.x', 'not a version', undefined],
    ['v1.35.3+k3s1 # no', '', undefined],
    ['"v1.35.3+k3s1 "', 'not a full', 'did you mean `v1.35.3+k3s1`?'],
    ['"v1.35.3+k3s1\\n"', 'not a full', 'did you mean `v1.35.3+k3s1`?'],
    ['v01.35.3+k3s1', 'not a full', undefined],
    ['""', 'not a version', undefined],
  ])('%s is explained', (version, problem, fix) => {
    const problems = problemsOf(withVersion(version));
    if (problem === '') return expect(problems).toEqual([]);
    expect(problems).toMatchObject([{ path: 'spec.kubernetes.version', line: 6 }]);
    expect(problems[0]?.problem).toContain(problem);
    expect(problems[0]?.fix).toBe(fix);
    expect(problems[0]?.expected).toContain('v1.35.3+k3s1');
  });

  test.each([
    ['1.30', 'is a number', '1.30'],
    ['1', 'is a number', '1'],
    ['true', 'is a truth value', 'true'],
    ['[v1]', 'is a list', undefined],
    ['{v1: 1}', 'is a mapping', undefined],
  ])('%s is told as what YAML reads it as', (version, problem, value) => {
    const problems = problemsOf(withVersion(version));
    expect(problems).toMatchObject([{ path: 'spec.kubernetes.version', line: 6, column: 14, problem }]);
    expect(problems[0]?.value).toBe(value);
  });

  test.each(['null', '~', ''])('%j is empty', (version) => {
    expect(problemsOf(withVersion(version))).toMatchObject([
      { path: 'spec.kubernetes.version', line: 6, problem: 'is empty' },
    ]);
  });
});

describe('name', () => {
  test.each(['a', '7', 'dev-1', '1st', 'sg-prod', 'x'.repeat(40)])('%s passes', (name) => {
    expect(problemsOf(withName(`"${name}"`))).toEqual([]);
  });

  test.each([
    ['Workload_Dev', 'is not a cluster name', 'for example `workload-dev`'],
    ['dev.example', 'is not a cluster name', 'for example `dev-example`'],
    ['-dev', 'is not a cluster name', 'for example `dev`'],
    ['dev-', 'is not a cluster name', 'for example `dev`'],
    ['größe', 'is not a cluster name', 'for example `gr-e`'],
    ['"***"', 'is not a cluster name', undefined],
    ['""', 'is empty', undefined],
    ['123', 'is a number', 'put it in quotes: "123"'],
    ['x'.repeat(41), 'has 41 characters', `for example \`${'x'.repeat(40)}\``],
  ])('%s is explained', (name, problem, fix) => {
    const problems = problemsOf(withName(name));
    expect(problems).toMatchObject([{ path: 'metadata.name', line: 3, column: 18 }]);
    expect(problems[0]?.problem).toContain(problem);
    expect(problems[0]?.fix).toBe(fix);
  });
});

describe('region', () => {
  test.each([
    'us-west-1',
    'us-gov-west-1',
    'us-isob-east-1',
    'eu-isoe-west-1',
    'eusc-de-east-1',
    'ap-southeast-7',
    'cn-northwest-1',
    'mx-central-1',
    'xx-south-12',
  ])('%s passes', (region) => {
    expect(problemsOf(withRegion(region))).toEqual([]);
  });

  test.each([
    ['us-wset-1', 'is not the name of a region', 'did you mean `us-west-1`?'],
    ['US-West-1', 'is not the name of a region', 'did you mean `us-west-1`?'],
    ['us_west_2', 'is not the name of a region', 'did you mean `us-west-2`?'],
    ['uswest2', 'is not the name of a region', 'did you mean `us-west-2`?'],
    ['us-gov-wets-1', 'is not the name of a region', 'did you mean `us-gov-west-1`?'],
    ['us-west-2c', 'is an availability zone', 'did you mean the region `us-west-2`?'],
    ['Frankfurt, the one in Europe', 'is not the name of a region', undefined],
    ['us-west-0', 'is not the name of a region', 'did you mean `us-west-1`?'],
    ['""', 'is empty', undefined],
  ])('%s is explained', (region, problem, fix) => {
    const problems = problemsOf(withRegion(region));
    expect(problems).toMatchObject([{ path: 'spec.target.region', line: 8, column: 13, problem }]);
    expect(problems[0]?.fix).toBe(fix);
  });
});

describe('instance type', () => {
  test.each(
    (
      'm5a.large m5a.xlarge t3.nano m7i-flex.2xlarge c7gn.16xlarge u-6tb1.112xlarge u7in-16tb.224xlarge m5.metal ' +
      'c7i.metal-24xl mac2-m2pro.metal mac-m4.metal x2iedn.32xlarge p6e-gb200.36xlarge hpc7a.96xlarge'
    ).split(' '),
  )('%s passes', (type) => {
    expect(problemsOf(withInstanceType(type))).toEqual([]);
  });

  test.each([
    ['m5a-large', 'did you mean `m5a.large`?'],
    ['m5alarge', 'did you mean `m5a.large`?'],
    ['M5A.Large', 'did you mean `m5a.large`?'],
    ['m5.xxlarge', 'did you mean `m5.2xlarge`?'],
    ['db.m5.large', 'did you mean `m5.large`?'],
    ['large', undefined],
    ['m5a.huge', undefined],
    ['Standard_D2s_v3', undefined],
  ])('%s is explained', (type, fix) => {
    const problems = problemsOf(withInstanceType(type));
    expect(problems).toMatchObject([
      { path: 'spec.nodes.workers.instanceType', line: 11, problem: 'is not an instance type' },
    ]);
    expect(problems[0]?.fix).toBe(fix);
  });
});

describe('node counts', () => {
  test.each([
    ['controlPlane', [1, 3, 5], [0, 2, 4, 7, -1], '1, 3 or 5'],
    ['workers', [0, 1, 1000], [-1, 1001], 'a whole number from 0 to 1000'],
  ])('%s may be %j and not %j', (group, right, wrong, expected) => {
    const withCount = (count: number) =>
      minimal.replace(new RegExp(`(${group}: {count:) \\d`), `$1 ${count}`);
    for (const count of right) expect(problemsOf(withCount(count))).toEqual([]);
    for (const count of wrong) {
      expect(problemsOf(withCount(count))).toMatchObject([
        { path: `spec.nodes.${group}.count`, problem: 'is out of range', value: `${count}`, expected },
      ]);
    }
  });

  test.each([
    ['"2"', 'is text', '"2"', 'write 2 without quotes'],
    ['two', 'is text', '"two"', undefined],
    ['2.5', 'is not a whole number', '2.5', undefined],
    ['.inf', 'is not a whole number', '.inf', undefined],
    ['.nan', 'is not a whole number', '.nan', undefined],
    ['1e400', 'is not a whole number', '1e400', undefined],
    ['true', 'is a truth value', 'true', undefined],
    ['[2]', 'is a list', undefined, undefined],
    ['null', 'is empty', undefined, undefined],
  ])('%s is explained', (count, problem, value, fix) => {
    const problems = problemsOf(minimal.replace('count: 2', `count: ${count}`));
    expect(problems).toMatchObject([{ path: 'spec.nodes.workers.count', line: 11, column: 22, problem }]);
    expect(problems[0]?.value).toBe(value);
    expect(problems[0]?.fix).toBe(fix);
  });
});

describe('network', () => {
  const vpcId = 'vpc-0a1b2c3d4e5f60718';
  const subnetIds = ['subnet-0a1b2c3d4e5f60718', 'subnet-0a1b2c3d'];

  test.each([{ vpcId, subnetIds }, { availabilityZones: 1 }, { availabilityZones: 3 }])(
    '%j passes',
    (network) => {
      expect(problemsOf(withNetwork(network))).toEqual([]);
    },
  );

  test.each([
    [{ vpcId }, 'subnetIds', 'is missing: `vpcId` is given'],
    [{ subnetIds }, 'vpcId', 'is missing: `subnetIds` are given'],
    [{ vpcId, subnetIds, availabilityZones: 2 }, 'availabilityZones', 'cannot be given with `vpcId`'],
    [{ vpcId, subnetIds: [...subnetIds, subnetIds[0]] }, 'subnetIds[2]', 'is already in the list'],
    [{ vpcId, subnetIds: [] }, 'subnetIds', 'is an empty list'],
    [{ vpcId, subnetIds: subnetIds[0] }, 'subnetIds', 'is text'],
    [{ vpcId, subnetIds: ['subnet-xyz'] }, 'subnetIds[0]', 'is not the id of a subnet'],
    [{ vpcId, subnetIds: [vpcId] }, 'subnetIds[0]', 'is the id of something else'],
    [{ vpcId: subnetIds[0], subnetIds }, 'vpcId', 'is the id of something else'],
    [{ vpcId: '0a1b2c3d', subnetIds }, 'vpcId', 'is not the id of a VPC'],
    [{ availabilityZones: 0 }, 'availabilityZones', 'is out of range'],
    [{ availabilityZones: 4 }, 'availabilityZones', 'is out of range'],
  ])('%j is explained', (network, field, problem) => {
    const problems = problemsOf(withNetwork(network));
    expect(problems).toMatchObject([{ path: `spec.target.network.${field}`, line: 9 }]);
    expect(problems[0]?.problem).toContain(problem);
  });

  test('a management cluster has none of its own', () => {
    const text = `${withNetwork({ availabilityZones: 1 })}  management: ${JSON.stringify(versions)}\n`;
    expect(problemsOf(text)).toMatchObject([
      { path: 'spec.target.network', problem: expect.stringContaining('has no meaning here') },
    ]);
  });

  test('more than sixteen subnets are refused', () => {
    const many = Array.from({ length: 17 }, (_, index) => `subnet-${String(index).padStart(8, '0')}`);
    expect(problemsOf(withNetwork({ vpcId, subnetIds: many }))).toMatchObject([
      { path: 'spec.target.network.subnetIds', problem: 'has too many items', expected: 'a list of 1 to 16' },
    ]);
  });

  test('an empty network is refused, since it says the same as none', () => {
    expect(problemsOf(withNetwork({}))).toMatchObject([{ path: 'spec.target.network', problem: 'is empty' }]);
  });

  test('a network that is not a mapping is told as what it is', () => {
    expect(problemsOf(minimal.replace('  nodes:', '    network: [1]\n  nodes:'))).toMatchObject([
      { path: 'spec.target.network', problem: 'is a list' },
    ]);
  });
});

describe('management', () => {
  test('the two k3s providers must have the same version', () => {
    expect(problemsOf(withVersions({ cacpK3sVersion: 'v0.4.0' }))).toMatchObject([
      { path: 'spec.management.cacpK3sVersion', value: 'v0.4.0', expected: 'the same version in both' },
    ]);
  });

  test.each(Object.keys(versions))('%s is required', (field) => {
    expect(problemsOf(withVersions({ [field]: undefined }), 'management')).toMatchObject([
      { path: `spec.management.${field}`, line: 12, problem: 'is missing' },
    ]);
  });

  test.each([
    ['1.9.5', 'lacks the `v`', 'did you mean `v1.9.5`?'],
    ['v1.9', 'lacks the patch number', 'write it in full'],
    ['v1.10.0-rc.1', 'is a pre-release', 'did you mean `v1.10.0`?'],
    [' v1.9.5', 'is not a release version', 'did you mean `v1.9.5`?'],
    ['v1.9.5.1', 'is not a release version', undefined],
    ['latest', 'is not a release version', undefined],
    ['', 'is not a release version', undefined],
  ])('%j as a version is explained', (version, problem, fix) => {
    const problems = problemsOf(withVersions({ certManagerVersion: version }));
    expect(problems).toMatchObject([{ path: 'spec.management.certManagerVersion' }]);
    expect(problems[0]?.problem).toContain(problem);
    expect(problems[0]?.fix).toBe(fix);
  });

  test('an empty section counts as a management spec that lacks its versions', () => {
    expect(problemsOf(withLine('management: {}'), 'management')).toHaveLength(5);
    expect(problemsOf(withLine('management:'), 'management')).toMatchObject([
      { path: 'spec.management', problem: 'is empty' },
    ]);
  });
});

describe('fields', () => {
  test('an unknown field lists the known ones and the nearest', () => {
    expect(problemsOf(withLine('profil: standard'))).toMatchObject([
      {
        path: 'spec.profil',
        line: 12,
        column: 3,
        problem: 'is not a known field',
        expected: 'kubernetes, profile, target, nodes, management, addons or deletionProtection',
        fix: 'did you mean `profile`?',
      },
    ]);
  });

  test('a field in the wrong section is told where it belongs', () => {
    const text = minimal.replace('v1.35.3+k3s1', 'v1.35.3+k3s1\n    profile: standard');
    expect(problemsOf(text)).toMatchObject([
      { path: 'spec.kubernetes.profile', fix: 'it belongs in `spec`' },
    ]);
  });

  test('a misspelt required field is one problem, not two', () => {
    expect(problemsOf(minimal.replace('controlPlane', 'controlplane'))).toMatchObject([
      { path: 'spec.nodes.controlplane', fix: 'did you mean `controlPlane`?' },
    ]);
  });

  test('a missing field is reported where its section begins', () => {
    expect(problemsOf(minimal.replace('    region: us-west-1', '    type: aws'))).toMatchObject([
      { path: 'spec.target.region', line: 7, column: 3, problem: 'is missing' },
    ]);
  });

  test.each([
    ['apiVersion: petra.sh/v1alpha1', 'apiVersion: petra.sh/v1', 'apiVersion', 'petra.sh/v1alpha1'],
    ['kind: Cluster', 'kind: Klaster', 'kind', 'Cluster'],
    ['    region:', '    type: azure\n    region:', 'spec.target.type', 'aws'],
  ])('%s has to be so', (right, wrong, path, expected) => {
    expect(problemsOf(minimal.replace(right, wrong))).toMatchObject([
      { path, problem: 'is not known', expected },
    ]);
  });

  test.each([
    ['profile: standrad', 'spec.profile', 'is not known', 'did you mean `standard`?'],
    ['profile: hardened', 'spec.profile', 'is not known', undefined],
    ['addons: {fluxcd: {}}', 'spec.addons.fluxcd', 'is not an addon of Petra', 'did you mean `flux`?'],
    ['addons: {velero: {}}', 'spec.addons.velero', 'is not an addon of Petra', undefined],
    ['addons: {flux: false}', 'spec.addons.flux', 'is a truth value', 'write {enabled: false}'],
    ['addons: {flux: {enabled: yes}}', 'spec.addons.flux.enabled', 'is text', 'write true, without quotes'],
    [
      'addons: {flux: {enabled: "False"}}',
      'spec.addons.flux.enabled',
      'is text',
      'write false, without quotes',
    ],
    ['addons: {flux: {enabled: 1}}', 'spec.addons.flux.enabled', 'is a number', undefined],
    ['addons: [flux]', 'spec.addons', 'is a list', undefined],
    ['deletionProtection: maybe', 'spec.deletionProtection', 'is text', undefined],
  ])('%s is explained', (line, path, problem, fix) => {
    const problems = problemsOf(withLine(line));
    expect(problems).toMatchObject([{ path, line: 12, problem }]);
    expect(problems[0]?.fix).toBe(fix);
  });
});

describe('values in messages', () => {
  test('are cut at sixty characters', () => {
    const [problem] = problemsOf(withLine(`profile: ${'word '.repeat(40)}`));
    expect(problem?.value).toBe(`${'word '.repeat(12)}…`);
  });

  test('show control and direction characters instead of obeying them', () => {
    const [problem] = problemsOf(withLine('profile: "a\\e[31m\\n\\t\\r\u202eb"'));
    expect(problem?.value).toBe('a\\u{1b}[31m\\n\\t\\r\\u{202e}b');
    expect(problemsOf(withLine('"a\\e]0;x": 1'))[0]?.path).toBe('spec["a\\u{1b}]0;x"]');
  });

  test.each([
    'AKIAIOSFODNN7EXAMPLE',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'ghp_0123456789abcdefghij',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
    '0123456789abcdef0123456789abcdef',
    'K10ab34cd::server:xyz',
    '-----BEGIN RSA PRIVATE KEY-----',
  ])('do not show what looks like a secret: %s', (secret) => {
    const problems = problemsOf(withLine(`profile: "${secret}"`));
    expect(problems).toMatchObject([{ value: '(looks like a secret, not shown)' }]);
    expect(JSON.stringify(problems)).not.toContain(secret.slice(0, 12));
  });

  test('do not come back as a suggestion or a path when they look like a secret', () => {
    const secret = 'AKIAIOSFODNN7EXAMPLE';
    const text = JSON.stringify([problemsOf(withName(secret)), problemsOf(withLine(`${secret}: 1`))]);
    expect(text.toUpperCase()).not.toContain(secret);
  });

  test('of unknown fields are never shown', () => {
    expect(JSON.stringify(problemsOf(withLine('password: hunter2')))).not.toContain('hunter2');
  });
});
