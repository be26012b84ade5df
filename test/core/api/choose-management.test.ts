import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseManagement } from '../../../core/api/choose-management.ts';
import { type TestPorts, testPorts } from '../test-ports.ts';
import { record } from './recorded-clusters.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const choose = (wanted?: unknown, cluster = 'dev') => chooseManagement(ports, cluster, wanted);

test('takes the only management cluster there is', async () => {
  await record(ports, 'mgmt', { phase: 'Ready' });
  expect(await choose()).toBe('mgmt');
});

test('takes the only one that is ready', async () => {
  await record(ports, 'broken', { phase: 'Failed' });
  await record(ports, 'gone', { phase: 'Deleted' });
  await record(ports, 'mgmt', { phase: 'Ready' });
  expect(await choose()).toBe('mgmt');
});

test('is refused without any', async () => {
  await expect(choose()).rejects.toMatchObject({ code: 'NoManagementCluster' });
});

test('is refused when none is ready, and says how it is', async () => {
  await record(ports, 'mgmt');
  await expect(choose()).rejects.toMatchObject({
    code: 'ManagementClusterNotReady',
    message: 'management cluster "mgmt" is Initializing, not Ready',
  });
});

test('is refused when several are ready, and names them', async () => {
  await record(ports, 'east', { phase: 'Ready' });
  await record(ports, 'west', { phase: 'Ready' });
  await expect(choose()).rejects.toMatchObject({
    code: 'AmbiguousManagementCluster',
    message: expect.stringContaining('east, west'),
  });
});

test('takes the one that is asked for', async () => {
  await record(ports, 'east', { phase: 'Ready' });
  await record(ports, 'west', { phase: 'Ready' });
  expect(await choose('west')).toBe('west');
});

test.each([
  ['that is unknown', 'nowhere', 'ClusterNotFound', /there is east, west/],
  ['that is gone', 'gone', 'ClusterNotFound', /"gone"/],
  ['that is a workload cluster', 'app', 'ClusterNotFound', /"app"/],
  ['that is not ready', 'west', 'ManagementClusterNotReady', /"west" is Failed/],
  ['that is not a name', 7, 'InvalidRequest', /management: expected the name/],
])('is refused for one %s', async (_title, wanted, code, message) => {
  await record(ports, 'east', { phase: 'Ready' });
  await record(ports, 'west', { phase: 'Failed' });
  await record(ports, 'gone', { phase: 'Deleted' });
  await record(ports, 'app', { phase: 'Ready', management: 'east' });
  await expect(choose(wanted)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('says that there is none when one is asked for in an empty fleet', async () => {
  await expect(choose('mgmt')).rejects.toMatchObject({ message: expect.stringContaining('there is none') });
});

test('keeps the one that the cluster already has, also when it is not ready', async () => {
  await record(ports, 'east', { phase: 'Failed' });
  await record(ports, 'west', { phase: 'Ready' });
  await record(ports, 'dev', { phase: 'Ready', management: 'east' });
  expect(await choose()).toBe('east');
  expect(await choose('east')).toBe('east');
  expect(await choose('west')).toBe('west');
});

test('chooses anew for a name whose last cluster is gone', async () => {
  await record(ports, 'east', { phase: 'Deleted' });
  await record(ports, 'west', { phase: 'Ready' });
  await record(ports, 'dev', { phase: 'Deleted', management: 'east' });
  expect(await choose()).toBe('west');
});
