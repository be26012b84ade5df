import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseClusterSpec } from '../../../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../../../core/capi/spec-schema.ts';

const examples = path.join(import.meta.dirname, '../../../examples');

/** One of the files in `examples/`. */
export function example(file: 'management.yaml' | 'workload-dev.yaml'): ClusterSpec {
  return parseClusterSpec(readFileSync(path.join(examples, file)), { file });
}

/** The example of a workload cluster, with some of its lines exchanged. */
export function variant(
  name: string,
  ...changes: readonly (readonly [from: string, to: string])[]
): ClusterSpec {
  let text = readFileSync(path.join(examples, 'workload-dev.yaml'), 'utf8');
  for (const [from, to] of [['name: workload-dev', `name: ${name}`] as const, ...changes]) {
    if (!text.includes(from)) throw new Error(`the example has no "${from}"`);
    text = text.replace(from, to);
  }
  return parseClusterSpec(text, { file: `${name}.yaml` });
}

/** The ways in which workload clusters differ. */
export const workloads: Readonly<Record<string, ClusterSpec>> = {
  'workload-dev': example('workload-dev.yaml'),
  ha: variant('ha', ['count: 1', 'count: 3']),
  arm64: variant(
    'arm64',
    ['region: us-west-1', 'region: us-gov-west-1'],
    [
      'controlPlane:\n      count: 1\n      instanceType: m5a.large',
      'controlPlane:\n      count: 1\n      instanceType: m7g.large',
    ],
    [
      'workers:\n      count: 2\n      instanceType: m5a.large',
      'workers:\n      count: 2\n      instanceType: c7gn.xlarge',
    ],
  ),
  flannel: variant('flannel', ['cilium:\n      enabled: true', 'cilium:\n      enabled: false']),
  'no-flux': variant('no-flux', ['flux:\n      enabled: true', 'flux:\n      enabled: false']),
  'existing-vpc': variant('existing-vpc', [
    'region: us-west-1',
    'region: us-west-1\n    network:\n      vpcId: vpc-0a1b2c3d4e5f60718\n      subnetIds: [subnet-0a1b2c3d4e5f60718, subnet-0f1e2d3c4b5a69788]',
  ]),
};
