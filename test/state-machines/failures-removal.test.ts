import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { beginMaking } from '../../core/begin-operation.ts';
import { PetraError } from '../../core/errors.ts';
import type { KubernetesObject, ObjectReference } from '../../core/ports.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { describeFailures, type FailureCase } from './failures.ts';
import { failing } from './port-faults.ts';
import { caller, shortLimits, type WholePetra } from './whole-petra.ts';

async function withWorkload(petra: WholePetra): Promise<void> {
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
}

const uidOf = async ({ ports }: WholePetra, name: string) => (await ports.fleet.find(name))?.uid ?? '';

/** Something on AWS with the cluster's tag, which nothing that Petra does removes. */
const leftover = (cluster: string) => async (petra: WholePetra) => {
  const tags = { 'petra.sh/uid': await uidOf(petra, cluster) };
  await petra.cloud.tagged.add('us-west-1', 'ec2:volume', 'vol-left', tags);
};
const cleanUp = ({ cloud }: WholePetra) => cloud.tagged.remove('us-west-1', 'vol-left');

const isCluster = ({ kind }: ObjectReference) => kind === 'Cluster';

const ofDelete: readonly FailureCase[] = [
  {
    why: 'the management cluster has lost its kubeconfig',
    state: 'DeleteCluster',
    code: 'ManagementClusterNotReady',
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'secrets.read', instead: async () => undefined });
    },
  },
  {
    why: 'somebody keeps making the Cluster anew',
    state: 'DeleteCluster',
    code: 'ObjectConflict',
    spoil: ({ portFaults }) => {
      portFaults.push(
        failing('kubernetes.remove', new PetraError('ObjectConflict', 'another uid'), isCluster),
      );
    },
  },
  {
    why: 'the VPC cannot be removed',
    state: 'CheckDeleted',
    code: 'DeletionTimedOut',
    petra: { faults: ['cluster:stuck-deleting'], limits: { deletion: shortLimits.deletion } },
    evidence: /AWSCluster .*DependencyViolation[\s\S]*finalizers of the Cluster: cluster\.cluster\.x-k8s\.io/,
    message: /waiting for 1 AWSCluster/,
  },
  {
    why: 'only its Cluster is left, which nothing holds',
    state: 'CheckDeleted',
    code: 'DeletionTimedOut',
    petra: { limits: { deletion: shortLimits.deletion } },
    spoil: ({ portFaults }) => {
      portFaults.push(
        { call: 'kubernetes.remove', instead: async () => {} },
        { call: 'kubernetes.list', instead: async () => [] },
        {
          call: 'kubernetes.read',
          when: isCluster,
          instead: async (usual) => {
            const { finalizers: _removed, ...metadata } = Object(await usual()).metadata;
            return { ...Object(await usual()), metadata };
          },
        },
      );
    },
    message: /waiting for the Cluster object/,
    evidence: /finalizers of the Cluster: none/,
  },
  {
    why: 'something of the cluster stays on AWS',
    state: 'CheckResidue',
    code: 'ResidueFound',
    petra: { limits: { residue: shortLimits.residue } },
    spoil: leftover('dev'),
    mend: cleanUp,
    evidence: /Petra's AWS resources: ec2:volume vol-left/,
  },
  {
    why: 'the storage fails before anything was touched',
    state: 'DeleteCluster',
    code: 'StorageUnavailable',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('fleet.update', new PetraError('StorageUnavailable', 'disk full')));
    },
    phase: 'Ready',
  },
];

const foreign: KubernetesObject = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'by-hand', namespace: 'default' },
  spec: { paused: true },
};

const ofDestroy: readonly FailureCase[] = [
  {
    why: 'the fleet has workload clusters on it',
    state: 'CheckWorkloads',
    code: 'WorkloadClustersExist',
    spoil: (petra) => petra.create(workloadSpec()),
    phase: 'Ready',
    mend: (petra) => petra.delete('dev'),
    message: /still has 1 workload cluster: dev/,
  },
  {
    why: 'it has clusters that Petra did not make',
    state: 'CheckWorkloads',
    code: 'WorkloadClustersExist',
    spoil: async ({ apis, ...petra }) => {
      const store = apis.store(await uidOf({ apis, ...petra }, 'mgmt'));
      await store.apply(foreign, { fieldManager: 'kubectl', force: true });
    },
    phase: 'Ready',
    mend: async ({ apis, ...petra }) => {
      const store = apis.store(await uidOf({ apis, ...petra }, 'mgmt'));
      await store.remove({ ...foreign, name: 'by-hand', namespace: 'default' });
      const found = () => store.get(foreign.apiVersion, 'Cluster', 'default', 'by-hand');
      await expect.poll(found, { timeout: 5_000 }).toBeUndefined();
    },
    message: /Petra did not make: by-hand/,
  },
  {
    why: 'its API does not say whether it has any',
    state: 'CheckWorkloads',
    code: 'KubernetesUnreachable',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('kubernetes.list', new PetraError('KubernetesUnreachable', 'no route')));
    },
    phase: 'Ready',
  },
  {
    why: 'its machines do not end',
    state: 'CheckMachines',
    code: 'DeletionTimedOut',
    petra: { limits: { machines: shortLimits.machines } },
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'machines.terminate', instead: async () => {} });
    },
    evidence: /server-0 \(i-[0-9a-f]+, running\)/,
  },
  {
    why: 'EC2 throttles while machines go',
    state: 'TerminateMachines',
    code: 'Throttled',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('machines.terminate', new PetraError('Throttled', 'slow down')));
    },
  },
  {
    why: 'an address cannot be released',
    state: 'ReleaseAddresses',
    code: 'AwsUnavailable',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('networks.releaseInterface', new PetraError('AwsUnavailable', 'in use')));
    },
  },
  {
    why: 'something of the cluster stays on AWS',
    state: 'CheckResidue',
    code: 'ResidueFound',
    petra: { limits: { residue: shortLimits.residue } },
    spoil: leftover('mgmt'),
    mend: cleanUp,
    evidence: /ec2:volume vol-left/,
  },
  {
    why: 'the ledger of resources knows of something that no tag shows',
    state: 'CheckResidue',
    code: 'ResidueFound',
    petra: { limits: { residue: shortLimits.residue } },
    spoil: ({ portFaults }) => {
      portFaults.push({ call: 'resources.removed', instead: async () => {} });
    },
    evidence: /Recorded resources: instance agent-0 i-/,
  },
];

const ofCascade: readonly FailureCase[] = [
  {
    why: 'a workload cluster has deletion protection',
    state: 'DeleteWorkloads',
    code: 'DeletionProtected',
    spoil: async ({ ports }) => {
      const spec = workloadSpec('dev', { deletionProtection: true });
      await beginMaking(ports, { verb: 'create', spec, management: 'mgmt', caller });
    },
    phase: 'Ready',
    mend: async ({ ports }) => {
      await beginMaking(ports, { verb: 'create', spec: workloadSpec(), management: 'mgmt', caller });
    },
    message: /\bdev\b/,
  },
  {
    why: 'the deletion of a workload cluster fails',
    state: 'CheckWorkloadsDeleted',
    code: 'WorkloadDeletionFailed',
    petra: { faults: ['cluster:stuck-deleting'], limits: { deletion: shortLimits.deletion } },
    phase: 'Ready',
    evidence: /^dev: \[DeletionTimedOut\] "dev" was not gone in time/,
  },
  {
    why: 'the deletion of a workload cluster fails before it touches anything',
    state: 'CheckWorkloadsDeleted',
    code: 'WorkloadDeletionFailed',
    spoil: ({ portFaults }) => {
      portFaults.push(failing('fleet.update', new PetraError('StorageUnavailable', 'disk full')));
    },
    phase: 'Ready',
    evidence: /^dev: \[StorageUnavailable\]/,
  },
  {
    why: 'the deletion of a workload cluster takes too long',
    state: 'CheckWorkloadsDeleted',
    code: 'WorkloadDeletionFailed',
    petra: { limits: { workloads: 0 } },
    spoil: ({ workflows }) => {
      void workflows.pauseAt('delete.CheckDeleted', 'before', () => sleep(500));
    },
    phase: 'Ready',
    // It goes on by itself.
    mend: async ({ ports, workflows }) => {
      await workflows.settled((await ports.fleet.find('dev'))?.operation.id ?? '');
    },
    evidence: /^dev: Deleting/,
  },
];

describeFailures(
  { verb: 'delete', cluster: 'dev', prepare: withWorkload, begin: (petra) => petra.delete('dev') },
  ofDelete,
);

describeFailures(
  {
    verb: 'destroy',
    cluster: 'mgmt',
    prepare: (petra) => petra.init(managementSpec()),
    begin: (petra) => petra.destroy('mgmt'),
  },
  ofDestroy,
);

describeFailures(
  {
    verb: 'destroy --cascade',
    cluster: 'mgmt',
    prepare: withWorkload,
    begin: (petra) => petra.destroy('mgmt', { cascade: true }),
  },
  ofCascade,
);
