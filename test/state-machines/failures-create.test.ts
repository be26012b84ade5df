import { expect, test } from 'vitest';
import { capaTag } from '../../core/capi/capa-tag.ts';
import { PetraError } from '../../core/errors.ts';
import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { describeFailures, type FailureCase } from './failures.ts';
import { failing } from './port-faults.ts';
import { shortLimits, type WholePetra, wholePetra } from './whole-petra.ts';

const { key, value } = capaTag('dev');

async function managementStore({ ports, apis }: WholePetra) {
  return apis.store((await ports.fleet.find('mgmt'))?.uid ?? '');
}

/** A Cluster of the same name that somebody made with kubectl. */
const foreign: KubernetesObject = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'dev', namespace: 'default' },
  spec: { paused: true },
};

const cases: readonly FailureCase[] = [
  {
    why: 'the management cluster is being destroyed',
    state: 'Preflight',
    code: 'ManagementClusterNotReady',
    spoil: ({ portFaults }) => {
      portFaults.push({
        call: 'fleet.find',
        when: (name: string) => name === 'mgmt',
        instead: async (usual) => ({ ...Object(await usual()), phase: 'Destroying' }),
      });
    },
    message: /"mgmt" is Destroying, not Ready/,
  },
  {
    why: 'the region does not offer an instance type',
    state: 'Preflight',
    code: 'InstanceTypeNotOffered',
    begin: (petra) =>
      petra.create(
        workloadSpec('dev', {
          nodes: { controlPlane: { count: 1, instanceType: 'p5.48xlarge' }, workers: { count: 2 } },
        }),
      ),
  },
  {
    why: 'EC2 has never heard of the types',
    state: 'Preflight',
    code: 'InstanceTypeNotOffered',
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'machines.offerings', instead: async () => new Map() });
    },
    message: /controlPlane[\s\S]*workers/,
  },
  {
    why: 'another cluster of this name left things on AWS',
    state: 'Preflight',
    code: 'NameTaken',
    spoil: ({ cloud }) => cloud.tagged.add('us-west-1', 'ec2:vpc', 'vpc-other', { [key]: value }),
    mend: ({ cloud }) => cloud.tagged.remove('us-west-1', 'vpc-other'),
    evidence: /ec2:vpc vpc-other/,
  },
  {
    why: 'that, and the region does not offer an instance type',
    state: 'Preflight',
    code: 'InstanceTypeNotOffered',
    spoil: ({ cloud }) => cloud.tagged.add('us-west-1', 'ec2:vpc', 'vpc-other', { [key]: value }),
    begin: (petra) =>
      petra.create(
        workloadSpec('dev', {
          nodes: { controlPlane: { count: 1, instanceType: 'p5.48xlarge' }, workers: { count: 0 } },
        }),
      ),
    mend: ({ cloud }) => cloud.tagged.remove('us-west-1', 'vpc-other'),
    message: /p5\.48xlarge[\s\S]*already has 1 AWS resources/,
    evidence: /ec2:vpc vpc-other/,
  },
  {
    why: 'it cannot be known whether another cluster has this name',
    state: 'Preflight',
    code: 'AwsAccessDenied',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('tagged.find', new PetraError('AwsAccessDenied', 'denied')));
    },
  },
  {
    why: 'CAPA may not make a VPC',
    state: 'Preflight',
    code: 'CapaPermissionMissing',
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'permissions.denied', instead: async () => ['ec2:CreateVpc'] });
    },
    evidence: /to make and remove the VPC: ec2:CreateVpc/,
  },
  {
    why: 'the quota of VPCs is used up',
    state: 'Preflight',
    code: 'QuotaTooSmall',
    spoil: ({ portFaults }) => {
      const full = { code: 'L-F678F1CE', title: 'VPCs per Region', limit: 5, used: 5 };
      portFaults.push({ call: 'quotas.read', instead: async () => new Map([['vpcs', full]]) });
    },
    message: /5 of 5 are used, and this cluster takes 1 more/,
  },
  {
    why: 'a webhook refuses the Cluster',
    state: 'ApplyCluster',
    code: 'ObjectRefused',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('kubernetes.apply', new PetraError('ObjectRefused', 'denied')));
    },
  },
  {
    why: 'somebody made a Cluster of this name with kubectl',
    state: 'ApplyCluster',
    code: 'NameTaken',
    spoil: async (petra) => {
      await (await managementStore(petra)).apply(foreign, { fieldManager: 'kubectl', force: true });
    },
    mend: async (petra) => {
      const store = await managementStore(petra);
      await store.remove({ ...foreign, name: 'dev', namespace: 'default' });
      await expect
        .poll(() => store.get(foreign.apiVersion, 'Cluster', 'default', 'dev'), { timeout: 5_000 })
        .toBeUndefined();
    },
    evidence: /petra\.sh\/uid is absent/,
  },
  {
    why: 'the VPC cannot be made',
    state: 'CheckCluster',
    code: 'ClusterTimedOut',
    petra: { faults: ['cluster:infrastructure'], limits: { cluster: shortLimits.cluster } },
    evidence: /^AWSCluster dev/,
  },
  {
    why: 'CAPA has no capacity',
    state: 'CheckCluster',
    code: 'ClusterTimedOut',
    petra: { faults: ['machine:capacity'], limits: { cluster: shortLimits.cluster } },
    evidence: /^AWSMachine .*InsufficientInstanceCapacity/,
  },
  {
    why: 'somebody deletes the Cluster meanwhile',
    state: 'CheckCluster',
    code: 'ClusterFailed',
    spoil: ({ portFaults }) => {
      portFaults.push({
        call: 'kubernetes.read',
        when: ({ kind }: ObjectReference) => kind === 'Cluster',
        instead: async () => undefined,
      });
    },
    message: /is gone from its management cluster/,
  },
  {
    why: 'Cluster API made no kubeconfig',
    state: 'StoreKubeconfig',
    code: 'KubeconfigNotReady',
    spoil: ({ portFaults }) => {
      portFaults.push({
        call: 'kubernetes.read',
        when: ({ kind }: ObjectReference) => kind === 'Secret',
        instead: async () => undefined,
      });
    },
  },
  {
    why: 'the management cluster has lost its kubeconfig',
    state: 'ApplyCluster',
    code: 'ManagementClusterNotReady',
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'secrets.read', instead: async () => undefined });
    },
    message: /has no kubeconfig/,
  },
  {
    why: "the management cluster's API does not answer until the deadline",
    state: 'CheckCluster',
    code: 'KubernetesUnreachable',
    petra: { limits: { cluster: shortLimits.cluster } },
    spoil: ({ portFaults }) => {
      portFaults.push(failing('kubernetes.list', new PetraError('KubernetesUnreachable', 'no route')));
    },
  },
];

test('create fails with ClusterFailed when Cluster API gives up, and the cluster can be deleted', async () => {
  const petra = await wholePetra({ faults: ['cluster:failed'] });
  await petra.init(managementSpec());
  expect(await petra.create(workloadSpec())).toMatchObject({
    status: 'Failed',
    failure: {
      code: 'ClusterFailed',
      step: 'CheckCluster',
      message: expect.stringContaining('cannot go on with "dev"'),
    },
  });
  expect(await petra.delete('dev')).toMatchObject({ status: 'Succeeded' });
  await petra.close();
});

describeFailures(
  {
    verb: 'create',
    cluster: 'dev',
    prepare: (petra) => petra.init(managementSpec()),
    begin: (petra) => petra.create(workloadSpec()),
  },
  cases,
);
