import { afterEach, expect, test } from 'vitest';
import type { ObjectNode, ObjectTree } from '../../../core/api/contract.ts';
import { describeCluster } from '../../../core/api/describe-cluster.ts';
import { type ErrorCode, PetraError } from '../../../core/errors.ts';
import { failing } from '../../state-machines/port-faults.ts';
import { shortLimits, type WholePetra, wholePetra } from '../../state-machines/whole-petra.ts';
import { managementSpec, workloadSpec } from '../test-ports.ts';

let petra: WholePetra;
afterEach(() => petra.close());

async function describeIt(name: string): Promise<ObjectTree> {
  const record = await petra.ports.fleet.find(name);
  if (!record) throw new Error(`there is no ${name}`);
  return describeCluster(petra.ports, record);
}

/** The tree as indented lines, without the random parts of names. */
function outline(node: ObjectNode, depth = 0): string[] {
  return [
    `${'  '.repeat(depth)}${node.kind}`,
    ...node.children.flatMap((child) => outline(child, depth + 1)),
  ];
}

async function withWorkload(options: Parameters<typeof wholePetra>[0] = {}): Promise<void> {
  petra = await wholePetra(options);
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
}

test('a healthy workload cluster is a tree of its objects, and nothing stops it', async () => {
  await withWorkload();
  const { cluster, causes, root } = await describeIt('dev');
  expect(cluster).toMatchObject({ name: 'dev', phase: 'Ready', spec: { metadata: { name: 'dev' } } });
  expect(causes).toEqual([]);
  if (!root) throw new Error('no tree');
  expect(outline(root)).toEqual([
    'Cluster',
    '  AWSCluster',
    '  KThreesControlPlane',
    '    Machine',
    '      AWSMachine',
    '      KThreesConfig',
    '  MachineDeployment',
    '    MachineSet',
    '      Machine',
    '        AWSMachine',
    '        KThreesConfig',
    '      Machine',
    '        AWSMachine',
    '        KThreesConfig',
  ]);
  expect(root).toMatchObject({ name: 'dev', ready: 'True', deleting: false, since: expect.any(String) });
  expect(root.conditions).toContainEqual(
    expect.objectContaining({ type: 'TopologyReconciled', status: 'True', since: expect.any(String) }),
  );
});

test('a healthy management cluster shows its nodes and controllers, and nothing stops it', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  const { causes, root } = await describeIt('mgmt');
  expect(causes).toEqual([]);
  expect(root).toMatchObject({ kind: 'ManagementCluster', name: 'mgmt' });
  expect(root).not.toHaveProperty('ready');
  const children = root?.children ?? [];
  expect(new Set(children.map(({ kind }) => kind))).toEqual(new Set(['Deployment', 'Node']));
  expect(children.filter(({ kind }) => kind === 'Node')).toHaveLength(3);
  expect(children.map(({ ready }) => ready)).not.toContain('False');
});

test.each([
  ['the VPC cannot be made', 'cluster:infrastructure', /^AWSCluster dev/, /VpcReconciliationFailed/],
  ['EC2 has no capacity', 'machine:capacity', /^AWSMachine /, /InsufficientInstanceCapacity/],
])(
  'a cluster that is stuck because %s shows that first, and its last operation last',
  async (_title, fault, object, message) => {
    await withWorkload({ faults: [fault], limits: { cluster: shortLimits.cluster } });
    const { causes, cluster } = await describeIt('dev');
    expect(cluster).toMatchObject({ phase: 'Failed', failure: { code: 'ClusterTimedOut' } });
    expect(causes[0]?.object).toMatch(object);
    expect(causes[0]?.message).toMatch(message);
    expect(causes.at(-1)).toMatchObject({ object: 'last operation', condition: 'ClusterTimedOut' });
  },
);

test('a cluster that was refused before anything was made shows why, and no tree', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  await petra.create(
    workloadSpec('dev', {
      nodes: { controlPlane: { count: 1, instanceType: 'p5.48xlarge' }, workers: { count: 0 } },
    }),
  );
  const { causes, root } = await describeIt('dev');
  expect(root).toBeUndefined();
  expect(causes).toMatchObject([{ object: 'last operation', condition: 'InstanceTypeNotOffered' }]);
});

test('a management cluster that never booted shows why, and no tree', async () => {
  petra = await wholePetra({ faults: ['boot:never'], limits: { api: shortLimits.api } });
  await petra.init(managementSpec());
  const { causes, root } = await describeIt('mgmt');
  expect(root).toBeUndefined();
  expect(causes).toMatchObject([{ object: 'last operation', condition: 'BootTimedOut' }]);
});

test('a cluster whose Cluster object is gone has no tree', async () => {
  await withWorkload();
  petra.portFaults.push({ call: 'kubernetes.read', instead: async () => undefined });
  expect(await describeIt('dev')).toMatchObject({ causes: [] });
  expect(await describeIt('dev')).not.toHaveProperty('root');
});

test.each([
  'KubernetesUnreachable',
  'KubernetesUnauthorized',
  'KubernetesThrottled',
] as const satisfies ErrorCode[])(
  'a management cluster whose API says %s is what stops it and its workload clusters',
  async (code) => {
    await withWorkload();
    petra.portFaults.push(failing('kubernetes.list', new PetraError(code, 'as it is')));
    for (const name of ['dev', 'mgmt']) {
      const { cluster, causes, root } = await describeIt(name);
      expect(cluster.name).toBe(name);
      expect(root).toBeUndefined();
      expect(causes).toEqual([{ object: 'ManagementCluster mgmt', condition: code, message: 'as it is' }]);
    }
  },
);

test('a workload cluster whose management cluster has no kubeconfig says so', async () => {
  await withWorkload();
  petra.portFaults.push({ call: 'secrets.read', instead: async () => undefined });
  expect((await describeIt('dev')).causes).toMatchObject([{ condition: 'ManagementClusterNotReady' }]);
});

test('what nobody foresaw is not hidden', async () => {
  await withWorkload();
  petra.portFaults.push(failing('kubernetes.list', new TypeError('x is not a function')));
  await expect(describeIt('dev')).rejects.toThrow('x is not a function');
});

test('an object without an owner hangs on the root; a condition of its own words is shown as it is', async () => {
  await withWorkload();
  petra.portFaults.push({
    call: 'kubernetes.list',
    when: ({ kind }: { kind: string }) => kind === 'Machine',
    instead: async () => [
      {
        apiVersion: 'cluster.x-k8s.io/v1beta1',
        kind: 'Machine',
        metadata: { name: 'stray', deletionTimestamp: '2026-11-23T12:00:00Z' },
        status: {
          conditions: [
            { type: 'Ready', status: 'Perhaps', reason: 'Deleting', message: 'draining' },
            { type: 'Drained', status: 'False' },
          ],
        },
      },
      {
        apiVersion: 'cluster.x-k8s.io/v1beta1',
        kind: 'Machine',
        metadata: {
          name: 'orphan',
          uid: 'u-1',
          ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'gone', uid: 'u-gone' }],
        },
      },
    ],
  });
  const { root, causes } = await describeIt('dev');
  expect(causes).toEqual([]);
  expect(root?.children).toContainEqual({
    kind: 'Machine',
    name: 'stray',
    ready: 'Unknown',
    reason: 'Deleting',
    message: 'draining',
    deleting: true,
    conditions: [
      { type: 'Ready', status: 'Perhaps', reason: 'Deleting', message: 'draining' },
      { type: 'Drained', status: 'False' },
    ],
    children: [],
  });
  expect(root?.children.map(({ name }) => name)).toContain('orphan');
});
