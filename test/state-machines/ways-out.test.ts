// No failure is a dead end: from each there is a command that goes on.

import { afterEach, expect, test } from 'vitest';
import { beginMaking } from '../../core/begin-operation.ts';
import { capaTag } from '../../core/capi/capa-tag.ts';
import { PetraError } from '../../core/errors.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { failing } from './port-faults.ts';
import { caller, shortLimits, type WholePetra, wholePetra } from './whole-petra.ts';

let petra: WholePetra;
afterEach(() => petra.close());

test.each(['KubernetesUnreachable', 'KubernetesUnauthorized'] as const)(
  'a management cluster that never was Ready can be destroyed though its API says %s',
  async (code) => {
    petra = await wholePetra({
      limits: { nodes: shortLimits.nodes },
      portFaults: [failing('kubernetes.list', new PetraError(code, 'broken'))],
    });
    expect(await petra.init(managementSpec())).toMatchObject({ status: 'Failed' });
    expect(await petra.destroy('mgmt')).toMatchObject({ status: 'Succeeded' });
  },
);

test('a management cluster whose servers are gone can be destroyed', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  const { region, uid } = (await petra.ports.fleet.find('mgmt')) ?? { region: '', uid: '' };
  const machines = await petra.cloud.machines.list(region, uid);
  await petra.cloud.machines.terminate(
    region,
    machines.filter(({ role }) => role === 'server').map(({ id }) => id),
  );
  expect(await petra.destroy('mgmt')).toMatchObject({ status: 'Succeeded' });
});

test('a management cluster whose init failed before it made anything can be destroyed', async () => {
  petra = await wholePetra({ faults: ['ec2:NetworkInterfaceLimitExceeded'] });
  expect(await petra.init(managementSpec())).toMatchObject({ status: 'Failed' });
  const destroyed = await petra.destroy('mgmt');
  expect(destroyed).toMatchObject({ status: 'Succeeded' });
  expect(destroyed.residue?.flatMap(({ found }) => found)).toEqual([]);
});

test('a workload cluster that was refused for its name can be deleted; the other one stays as it is', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  const { key, value } = capaTag('dev');
  await petra.cloud.tagged.add('us-west-1', 'ec2:vpc', 'vpc-other', { [key]: value });
  expect(await petra.create(workloadSpec())).toMatchObject({ failure: { code: 'NameTaken' } });
  expect(await petra.delete('dev')).toMatchObject({ status: 'Succeeded' });
  expect(await petra.ports.tagged.find('us-west-1', { key, value })).toHaveLength(1);
});

test('a workload cluster whose Cluster somebody else replaced is deleted; the other Cluster stays', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
  petra.portFaults.push({
    call: 'kubernetes.read',
    when: ({ kind }: { kind: string }) => kind === 'Cluster',
    instead: async (usual) => {
      const cluster = Object(await usual());
      return { ...cluster, metadata: { ...cluster.metadata, labels: {} } };
    },
  });
  petra.portFaults.push(failing('kubernetes.remove', new Error('it must be left alone')));
  petra.portFaults.push({ call: 'tagged.find', instead: async () => [] });
  const deleted = await petra.delete('dev');
  expect(deleted).toMatchObject({ status: 'Succeeded' });
  expect(deleted.steps.find(({ name }) => name === 'DeleteCluster')).toMatchObject({
    message: expect.stringContaining('left alone'),
  });
});

test('a workload cluster whose Cluster somebody deleted is deleted', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
  const store = petra.apis.store((await petra.ports.fleet.find('mgmt'))?.uid ?? '');
  const reference = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    name: 'dev',
    namespace: 'default',
  };
  await store.remove(reference);
  const found = () => store.get(reference.apiVersion, 'Cluster', 'default', 'dev');
  await expect.poll(found, { timeout: 5_000 }).toBeUndefined();
  expect(await petra.delete('dev')).toMatchObject({ status: 'Succeeded' });
});

test('a workload cluster whose kubeconfig could not be stored can be deleted', async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
  petra.portFaults.push(failing('secrets.put', new PetraError('AwsAccessDenied', 'no')));
  expect(await petra.create(workloadSpec())).toMatchObject({ failure: { code: 'AwsAccessDenied' } });
  const { uid } = (await petra.ports.fleet.find('dev')) ?? { uid: '' };
  expect(await petra.ports.resources.list('dev', uid)).toMatchObject([
    { key: 'kubeconfig', state: 'intended' },
  ]);
  await petra.recover();
  expect(await petra.delete('dev')).toMatchObject({ status: 'Succeeded' });
  expect(await petra.ports.resources.list('dev', uid)).toMatchObject([
    { key: 'kubeconfig', state: 'removed' },
  ]);
});

test('a failure is told although the storage could not take it when it happened', async () => {
  petra = await wholePetra({
    faults: ['ec2:NetworkInterfaceLimitExceeded'],
    portFaults: [
      failing(
        'operations.recordStep',
        new PetraError('StorageUnavailable', 'disk full'),
        (_id: string, { status }: { status: string }) => status === 'Failed',
      ),
    ],
  });
  expect(await petra.init(managementSpec())).toMatchObject({
    status: 'Failed',
    failure: { code: 'QuotaExceeded', message: expect.stringContaining('NetworkInterfaceLimitExceeded') },
  });
});

test('deletion protection that is asked for while a create runs, or after it failed, protects', async () => {
  petra = await wholePetra({ faults: ['machine:capacity'], limits: { cluster: shortLimits.cluster } });
  await petra.init(managementSpec());
  expect(await petra.create(workloadSpec())).toMatchObject({ failure: { code: 'ClusterTimedOut' } });
  await petra.recover();
  const spec = workloadSpec('dev', { deletionProtection: true });
  const begun = await beginMaking(petra.ports, { verb: 'create', spec, management: 'mgmt', caller });
  expect(begun).toMatchObject({ outcome: 'resumed', record: { deletionProtection: true } });
  const again = await beginMaking(petra.ports, {
    verb: 'create',
    spec: workloadSpec(),
    management: 'mgmt',
    caller,
  });
  expect(again).toMatchObject({ outcome: 'attached', record: { deletionProtection: false } });
  await beginMaking(petra.ports, { verb: 'create', spec, management: 'mgmt', caller });
  expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded' });
  await expect(petra.delete('dev')).rejects.toMatchObject({ code: 'DeletionProtected' });
});

test.each(['delete.DeleteCluster', 'destroy.CheckWorkloads'])(
  'deletion protection that came between the look and the lock stops %s',
  async (state) => {
    petra = await wholePetra();
    await petra.init(managementSpec());
    await petra.create(workloadSpec());
    const name = state.startsWith('delete') ? 'dev' : 'mgmt';
    const protectedMeanwhile = {
      call: 'fleet.renew',
      when: ({ cluster }: { cluster: string }) => cluster === name,
      instead: async (usual: () => Promise<unknown>) => ({
        ...Object(await usual()),
        deletionProtection: true,
      }),
    };
    petra.portFaults.push(protectedMeanwhile);
    const removed = name === 'dev' ? await petra.delete(name) : await petra.destroy(name, { cascade: true });
    expect(removed).toMatchObject({ failure: { code: 'DeletionProtected', step: state.split('.')[1] } });
    expect(await petra.ports.fleet.find(name)).toMatchObject({ phase: 'Ready' });
  },
);
