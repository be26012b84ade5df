// create and destroy at the same time, interleaved on purpose: there is never a workload cluster without its management
// cluster, since then nothing could remove what it has on AWS.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import type { OperationRecord } from '../../core/fleet.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { fleetFingerprint } from './fleet-fingerprint.ts';
import { caller, type WholePetra, wholePetra } from './whole-petra.ts';

let petra: WholePetra;
beforeEach(async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
});
afterEach(() => petra.close());

const beginCreate = () =>
  beginMaking(petra.ports, { verb: 'create', spec: workloadSpec(), management: 'mgmt', caller });
const beginDestroy = (options = {}) =>
  beginRemoval(petra.ports, { verb: 'destroy', name: 'mgmt', caller, options });
const phaseOf = async (name: string) => (await petra.ports.fleet.find(name))?.phase;

/** The index of the fleet does not show this cluster yet: it may lag a write by moments. */
function hideFromIndex(name: string): void {
  petra.portFaults.push({
    call: 'fleet.list',
    instead: async (usual) => {
      const page = Object(await usual());
      return { ...page, items: page.items.filter((one: { name: string }) => one.name !== name) };
    },
  });
}

/** Holds the first call until `release`; tells when it has come. */
function hold(call: string, when: (object: KubernetesObject) => boolean) {
  let release = () => {};
  let come = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    come = resolve;
  });
  petra.portFaults.push({
    call,
    when,
    instead: async (usual) => {
      come();
      await released;
      return usual();
    },
  });
  return { reached, release };
}

test('destroy in the middle of a create is refused, and the create succeeds', async () => {
  let destroyed: OperationRecord | undefined;
  const interleaved = petra.workflows.pauseAt('create.Preflight', 'before', async () => {
    destroyed = await petra.destroy('mgmt');
  });
  const begun = await beginCreate();
  await interleaved;
  expect(destroyed).toMatchObject({ status: 'Failed', failure: { code: 'WorkloadClustersExist' } });
  expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded' });
  expect(await phaseOf('mgmt')).toBe('Ready');
});

test('destroy --cascade in the middle of a create is refused too, and touches no other cluster', async () => {
  await petra.create(workloadSpec('another'));
  let destroyed: OperationRecord | undefined;
  const interleaved = petra.workflows.pauseAt('create.CheckCluster', 'before', async () => {
    destroyed = await petra.destroy('mgmt', { cascade: true });
  });
  const begun = await beginCreate();
  await interleaved;
  expect(destroyed).toMatchObject({
    status: 'Failed',
    failure: {
      code: 'OperationInProgress',
      step: 'DeleteWorkloads',
      message: expect.stringContaining('create'),
    },
  });
  expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded' });
  expect(await phaseOf('mgmt')).toBe('Ready');
  expect(await phaseOf('another')).toBe('Ready');
});

test('create before destroy has looked: neither goes on, and both can be repeated', async () => {
  let created: OperationRecord | undefined;
  const interleaved = petra.workflows.pauseAt('destroy.CheckWorkloads', 'before', async () => {
    created = await petra.create(workloadSpec());
  });
  const begun = await beginDestroy();
  await interleaved;
  expect(created).toMatchObject({ failure: { code: 'ManagementClusterNotReady', step: 'Preflight' } });
  expect(await petra.ended(begun)).toMatchObject({ failure: { code: 'WorkloadClustersExist' } });
  expect(await petra.create(workloadSpec())).toMatchObject({ status: 'Succeeded', attempt: 2 });
});

test('create after destroy has looked is refused; what is left of it can be deleted without the management cluster', async () => {
  let created: OperationRecord | undefined;
  const interleaved = petra.workflows.pauseAt('destroy.CheckWorkloads', 'after', async () => {
    created = await petra.create(workloadSpec());
  });
  const begun = await beginDestroy();
  await interleaved;
  expect(created).toMatchObject({ failure: { code: 'ManagementClusterNotReady', step: 'Preflight' } });
  expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded' });
  expect(await petra.delete('dev')).toMatchObject({ status: 'Succeeded' });
  expect((await fleetFingerprint(petra)).inventory).toEqual({});
});

test('create that is past its preflight is refused when destroy has begun and did not see it', async () => {
  hideFromIndex('dev');
  let destroyed: OperationRecord | undefined;
  const interleaved = petra.workflows.pauseAt('create.Preflight', 'after', async () => {
    destroyed = await petra.destroy('mgmt');
  });
  const begun = await beginCreate();
  await interleaved;
  expect(destroyed).toMatchObject({ status: 'Succeeded' });
  expect(await petra.ended(begun)).toMatchObject({ failure: { code: 'ManagementClusterNotReady' } });
  expect((await fleetFingerprint(petra)).inventory).toEqual({});
});

test('create that is past its preflight is refused while destroy, which did not see it, goes on', async () => {
  hideFromIndex('dev');
  let created: OperationRecord | undefined;
  let destroying: Promise<OperationRecord> | undefined;
  const interleaved = petra.workflows.pauseAt('create.Preflight', 'after', async () => {
    const looked = petra.workflows.pauseAt('destroy.CheckWorkloads', 'after', async () => {});
    destroying = petra.destroy('mgmt');
    await looked;
  });
  const paused = petra.workflows.pauseAt('destroy.TerminateMachines', 'before', async () => {
    created = await petra.ended(await creating);
  });
  const creating = beginCreate();
  await interleaved;
  await paused;
  expect(created).toMatchObject({ failure: { code: 'ManagementClusterNotReady', step: 'ApplyCluster' } });
  expect(await destroying).toMatchObject({ status: 'Succeeded' });
});

test('create that applies its Cluster while destroy looks is seen before any machine ends', async () => {
  hideFromIndex('dev');
  const apply = hold(
    'kubernetes.apply',
    ({ kind, metadata }) => kind === 'Cluster' && metadata.name === 'dev',
  );
  const creating = await beginCreate();
  await apply.reached;
  const interleaved = petra.workflows.pauseAt('destroy.CheckWorkloads', 'after', async () => {
    apply.release();
    await petra.ended(creating);
  });
  const destroying = await beginDestroy();
  await interleaved;
  expect(await petra.ended(destroying)).toMatchObject({
    failure: { code: 'WorkloadClustersExist', step: 'CheckLateClusters' },
  });
  expect(await petra.ended(creating)).toMatchObject({ status: 'Succeeded' });
  expect(await phaseOf('mgmt')).toBe('Ready');
});

test('create that began while a cascade waits is deleted with the others', async () => {
  await petra.create(workloadSpec('first'));
  const interleaved = petra.workflows.pauseAt('destroy.DeleteWorkloads', 'after', async () => {
    expect(await petra.create(workloadSpec())).toMatchObject({
      failure: { code: 'ManagementClusterNotReady' },
    });
  });
  const begun = await beginDestroy({ cascade: true });
  await interleaved;
  expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded' });
  expect(await petra.ports.fleet.list({})).toEqual({ items: [] });
});
