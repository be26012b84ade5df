import { describe, expect, test } from 'vitest';
import { translateCluster } from '../../../core/capi/translate-cluster.ts';
import { yamlText } from '../../../core/capi/yaml-text.ts';
import type { KubernetesObject } from '../../../core/ports.ts';
import { expectGolden } from '../../golden/golden-file.ts';
import { workload } from './spec-samples.ts';
import { example, workloads } from './translate-samples.ts';

const dev = example('workload-dev.yaml');

test.each(Object.entries(workloads))('the Cluster of %s is the reviewed one', (name, spec) => {
  expectGolden(`cluster-${name}.yaml`, yamlText(translateCluster({ spec })));
});

describe('the uid of a recorded cluster', () => {
  const uid = '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab';

  test('is a label and a variable, so that objects and AWS resources both carry it', () => {
    const cluster = translateCluster({ spec: dev, uid });
    expect(cluster.metadata.labels?.['petra.sh/uid']).toBe(uid);
    expect(variables(cluster)).toContainEqual({ name: 'uid', value: uid });
  });

  test('is absent before the cluster is recorded', () => {
    const cluster = translateCluster({ spec: dev });
    expect(cluster.metadata.labels).not.toHaveProperty('petra.sh/uid');
    expect(JSON.stringify(cluster)).not.toContain('uid');
  });
});

test.each([
  [undefined, 1, { availabilityZones: 1 }],
  [undefined, 3, { availabilityZones: 3 }],
  [{ availabilityZones: 2 }, 3, { availabilityZones: 2 }],
  [
    { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] },
    3,
    { vpcId: 'vpc-0a1b2c3d', subnetIds: ['subnet-0a1b2c3d'] },
  ],
])('the network %j with %i control-plane nodes becomes %j', (network, count, value) => {
  expect(variables(translateCluster({ spec: workload({ count, network }) }))).toContainEqual({
    name: 'network',
    value,
  });
});

test('an existing VPC without named subnets leaves finding them to CAPA', () => {
  const spec = workload();
  const target = { ...spec.spec.target, network: { vpcId: 'vpc-0a1b2c3d' } };
  const cluster = translateCluster({ spec: { ...spec, spec: { ...spec.spec, target } } });
  expect(variables(cluster)).toContainEqual({ name: 'network', value: { vpcId: 'vpc-0a1b2c3d' } });
});

test('the same spec gives the same text, and the spec is left as it was', () => {
  const before = structuredClone(dev);
  expect(yamlText(translateCluster({ spec: dev }))).toBe(yamlText(translateCluster({ spec: before })));
  expect(dev).toEqual(before);
});

function variables(cluster: KubernetesObject): unknown {
  const { topology } = Object(cluster.spec);
  return topology.variables;
}
