// The specs whose rendered objects meet the real tools: some that are at the edge of what is allowed, and any others.

import fc from 'fast-check';
import { parseClusterSpec } from '../../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { maxClusterNameLength } from '../../core/capi/spec-syntax.ts';
import { clusterSpecs } from '../core/capi/spec-arbitrary.ts';
import { workloads } from '../core/capi/translate-samples.ts';

/** As long as a name may be. */
export const longestName = 'petra-'.padEnd(maxClusterNameLength, 'n');

/** Names that YAML, a template or a shell could take for something else than a text. */
const tricky = ['0', '007', '1e3', 'true', 'null', 'on', 'y', '0x1f', '2026-11-23', 'a--b'];

const subnetIds = Array.from(
  { length: 16 },
  (_, index) => `subnet-0a1b2c3d4e5f607${String(index).padStart(2, '0')}`,
);

/** One spec with everything in it that is long. */
export const largest = workloadSpec({
  name: longestName,
  region: 'ap-northeast-1',
  network: { vpcId: 'vpc-0a1b2c3d4e5f60718', subnetIds },
  nodes: {
    controlPlane: { count: 5, instanceType: 'u7in-24tb.224xlarge' },
    workers: { count: 1000, instanceType: 'c7i.metal-24xl' },
  },
});

export interface SampleSize {
  /** How many are drawn by fast-check, besides those that are always in. */
  readonly drawn: number;
}

/** Workload clusters' specs, the same ones in each run. */
export function sampleSpecs({ drawn }: SampleSize): readonly ClusterSpec[] {
  const any = fc
    .sample(
      clusterSpecs.filter(({ spec }) => spec.management === undefined),
      { numRuns: drawn, seed: 20261123 },
    )
    // Whatever the version says, it is one that Cluster API and the providers can be asked for.
    .map((spec): ClusterSpec => ({ ...spec, spec: { ...spec.spec, deletionProtection: false } }));
  return [
    ...Object.values(workloads),
    ...tricky.map((name) => workloadSpec({ name })),
    workloadSpec({ name: 'no-workers', nodes: { controlPlane: { count: 1 }, workers: { count: 0 } } }),
    largest,
    ...any,
  ];
}

export interface WorkloadFields {
  readonly name?: string;
  readonly version?: string;
  readonly region?: string;
  readonly network?: object;
  readonly nodes?: object;
  readonly addons?: object;
  readonly deletionProtection?: boolean;
}

/** A workload cluster's spec by its fields, checked as a user's file is. */
export function workloadSpec({
  name = 'demo',
  version = 'v1.35.3+k3s1',
  region = 'eu-west-1',
  network,
  nodes = { controlPlane: { count: 1 }, workers: { count: 2 } },
  ...others
}: WorkloadFields): ClusterSpec {
  const document = {
    apiVersion: 'petra.sh/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      kubernetes: { version },
      target: { region, ...(network !== undefined && { network }) },
      nodes,
      ...others,
    },
  };
  return parseClusterSpec(JSON.stringify(document), { file: `${name}.yaml`, expect: 'workload' });
}
