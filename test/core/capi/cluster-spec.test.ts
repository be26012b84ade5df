import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  availabilityZones,
  checkClusterSpec,
  diffClusterSpecs,
  hashClusterSpec,
  parseClusterSpec,
} from '../../../core/capi/cluster-spec.ts';
import { formatProblems } from '../../../core/capi/spec-problem.ts';
import { PetraError } from '../../../core/errors.ts';
import { management, minimal, problemsOf, workload } from './spec-samples.ts';

describe('the two specs of the documentation', () => {
  test('the management spec parses as it stands', () => {
    const spec = parseClusterSpec(readFileSync('examples/management.yaml'), {
      file: 'examples/management.yaml',
      expect: 'management',
    });
    expect(spec.metadata.name).toBe('petra-mgmt');
    expect(spec.spec.management?.capaVersion).toBe('v2.7.4');
    expect(spec.spec.nodes.controlPlane).toEqual({ count: 1, instanceType: 'm5a.xlarge' });
  });

  test('the workload spec parses as it stands', () => {
    const spec = parseClusterSpec(readFileSync('examples/workload-dev.yaml'), {
      file: 'examples/workload-dev.yaml',
      expect: 'workload',
    });
    expect(spec.metadata.name).toBe('workload-dev');
    expect(spec.spec).not.toHaveProperty('management');
  });
});

describe('defaults', () => {
  test('name, version, region and node counts are enough', () => {
    expect(parseClusterSpec(minimal, { file: 'x.yaml', expect: 'workload' })).toEqual({
      apiVersion: 'petra.sh/v1alpha1',
      kind: 'Cluster',
      metadata: { name: 'dev' },
      spec: {
        kubernetes: { version: 'v1.35.3+k3s1' },
        profile: 'standard',
        target: { type: 'aws', region: 'us-west-1' },
        nodes: {
          controlPlane: { count: 1, instanceType: 'm5a.large' },
          workers: { count: 2, instanceType: 'm5a.large' },
        },
        addons: { cilium: { enabled: true }, flux: { enabled: true } },
        deletionProtection: false,
      },
    });
  });

  test('an addon that is named without settings is enabled, one that is disabled stays disabled', () => {
    const text = `${minimal}  addons: {cilium: {enabled: false}, flux: {}}\n`;
    const spec = parseClusterSpec(text, { file: 'x.yaml' });
    expect(spec.spec.addons).toEqual({ cilium: { enabled: false }, flux: { enabled: true } });
  });

  test.each([
    [1, undefined, 1],
    [3, undefined, 3],
    [5, undefined, 3],
    [1, 2, 2],
    [3, 1, 1],
  ])('%i control-plane nodes with availabilityZones %s span %i zones', (count, asked, zones) => {
    const spec = workload({ count, network: asked === undefined ? undefined : { availabilityZones: asked } });
    expect(availabilityZones(spec)).toBe(zones);
    expect(spec.spec.target.network?.availabilityZones).toBe(asked);
  });
});

describe('the kind a command expects', () => {
  test('a management spec is refused where a workload is expected, naming the right command', () => {
    const problems = problemsOf(readFileSync('examples/management.yaml'), 'workload', 'm.yaml');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path: 'spec.management', line: 19, column: 3 });
    expect(problems[0]?.fix).toContain('petra capi init -f m.yaml');
  });

  test('a workload spec is refused where a management cluster is expected, naming the right command', () => {
    const problems = problemsOf(minimal, 'management', 'w.yaml');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path: 'spec.management', line: 4, column: 1 });
    expect(problems[0]?.fix).toContain('petra capi create -f w.yaml');
  });

  test('a file name that a shell would read differently is not suggested', () => {
    expect(problemsOf(minimal, 'management', '$(rm) x.yaml')[0]?.fix).toContain('-f FILE');
  });

  test('either kind passes where any is expected', () => {
    expect(problemsOf(minimal, 'any')).toEqual([]);
    expect(problemsOf(readFileSync('examples/management.yaml'), 'any')).toEqual([]);
  });
});

describe('the error', () => {
  test('says how many problems the file has and carries all of them', () => {
    const wrong = minimal.replace('count: 1', 'count: 2').replace('us-west-1', 'us-wset-1');
    const error = catchError(() => parseClusterSpec(wrong, { file: 'a/b.yaml' }));
    expect(error.code).toBe('InvalidSpec');
    expect(error.message).toBe('a/b.yaml has 2 problems');
    expect(error.details).toMatchObject({
      file: 'a/b.yaml',
      problems: [{ path: 'spec.target.region' }, { path: 'spec.nodes.controlPlane.count' }],
    });
  });

  test('counts one problem as one', () => {
    const error = catchError(() => parseClusterSpec('', { file: 'x.yaml' }));
    expect(error.message).toBe('x.yaml has 1 problem');
  });

  test('lists a hundred problems and the number of the rest', () => {
    const wrong = minimal + Array.from({ length: 150 }, (_, index) => `wrong${index}: 1\n`).join('');
    const problems = problemsOf(wrong);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)?.problem).toBe('has 50 more problems, not listed');
  });

  test('formats for a terminal as place, path, problem, value, expectation and fix', () => {
    const problems = problemsOf(minimal.replace('us-west-1', 'us-wset-1'));
    expect(formatProblems('x.yaml', problems)).toBe(
      'x.yaml:8:13  spec.target.region: is not the name of a region (got us-wset-1), ' +
        'expected an AWS region such as `us-west-1` or `us-gov-west-1`; did you mean `us-west-1`?',
    );
  });
});

describe('checking JSON', () => {
  test('gives the same spec as the file, and leaves its argument alone', () => {
    const value = { ...JSON.parse(JSON.stringify(workload())) };
    delete value.spec.addons;
    const before = JSON.stringify(value);
    expect(checkClusterSpec(value, 'workload')).toEqual(workload());
    expect(JSON.stringify(value)).toBe(before);
  });

  test('lists every problem without lines', () => {
    const error = catchError(() =>
      checkClusterSpec({ kind: 'Cluster', spec: { nodes: 7 }, extra: 1 }, 'any'),
    );
    expect(error.message).toBe('the spec has 6 problems');
    expect(JSON.stringify(error.details)).not.toContain('"line"');
  });

  test.each([
    [undefined],
    [null],
    [1],
    ['text'],
    [[]],
    [() => 1],
    [JSON.parse('{"__proto__": {"kind": "Cluster"}}')],
  ])('refuses %s', (value) => {
    expect(catchError(() => checkClusterSpec(value, 'any')).code).toBe('InvalidSpec');
  });

  test('does not take a prototype for the spec', () => {
    const value = { ...workload(), ['__proto__']: { polluted: true } };
    expect(catchError(() => checkClusterSpec(value, 'any')).details).toMatchObject({
      problems: [{ path: '__proto__', problem: 'is not a known field' }],
    });
  });
});

describe('comparing', () => {
  test('the hash stays the same over releases', () => {
    expect(hashClusterSpec(workload())).toBe(
      '9e9989749d402b0085d9a70ed2ea9d91d215639007f533f3987232c6c17f19ec',
    );
  });

  test('the hash does not depend on the order of keys, on defaults written out, or on protection', () => {
    const reordered = parseClusterSpec(
      JSON.stringify({
        spec: {
          deletionProtection: true,
          nodes: { workers: { count: 2 }, controlPlane: { instanceType: 'm5a.large', count: 1 } },
          target: { region: 'us-west-1', type: 'aws' },
          kubernetes: { version: 'v1.35.3+k3s1' },
        },
        metadata: { name: 'dev' },
        kind: 'Cluster',
        apiVersion: 'petra.sh/v1alpha1',
      }),
      { file: 'x.json' },
    );
    expect(hashClusterSpec(reordered)).toBe(hashClusterSpec(workload()));
    expect(diffClusterSpecs(reordered, workload())).toEqual([]);
  });

  test('the difference names each field with both values', () => {
    const network = { availabilityZones: 2 };
    expect(diffClusterSpecs(workload({ count: 1 }), workload({ count: 3, network }))).toEqual([
      { path: 'spec.nodes.controlPlane.count', before: 1, after: 3 },
      { path: 'spec.target.network.availabilityZones', before: undefined, after: 2 },
    ]);
  });

  test('the difference compares lists as a whole, in their order', () => {
    const [a, b] = ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'];
    const before = workload({ network: { vpcId: 'vpc-0a1b2c3d', subnetIds: [a, b] } });
    const after = workload({ network: { vpcId: 'vpc-0a1b2c3d', subnetIds: [b, a] } });
    expect(diffClusterSpecs(before, after)).toEqual([
      { path: 'spec.target.network.subnetIds', before: [a, b], after: [b, a] },
    ]);
    expect(hashClusterSpec(before)).not.toBe(hashClusterSpec(after));
  });

  test('a management spec differs from the same without management', () => {
    const { management: _, ...rest } = management().spec;
    const without = { ...management(), spec: rest };
    expect(diffClusterSpecs(management(), without).map((difference) => difference.path)).toEqual([
      'spec.management.cabpK3sVersion',
      'spec.management.cacpK3sVersion',
      'spec.management.capaVersion',
      'spec.management.capiVersion',
      'spec.management.certManagerVersion',
    ]);
  });
});

function catchError(act: () => unknown): PetraError {
  try {
    act();
  } catch (error) {
    if (error instanceof PetraError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
