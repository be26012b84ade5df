import { afterEach, expect, test } from 'vitest';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { type WholePetra, wholePetra } from './whole-petra.ts';

let petra: WholePetra;
afterEach(() => petra.close());

test('a fleet is born and torn down, and nothing is left', async () => {
  petra = await wholePetra();
  expect(await petra.init(managementSpec())).toMatchObject({ status: 'Succeeded' });
  expect(await petra.ports.fleet.find('mgmt')).toMatchObject({ phase: 'Ready', kind: 'management' });

  expect(await petra.create(workloadSpec())).toMatchObject({ status: 'Succeeded' });
  const dev = await petra.ports.fleet.find('dev');
  expect(dev).toMatchObject({
    phase: 'Ready',
    management: 'mgmt',
    observed: { phase: 'Provisioned', controlPlaneReadyReplicas: 1, workerReadyReplicas: 2 },
  });
  expect(await petra.ports.secrets.read(`petra/${dev?.uid}/kubeconfig`)).toBeTruthy();

  const deleted = await petra.delete('dev');
  expect(deleted).toMatchObject({ status: 'Succeeded' });
  expect(deleted.residue?.flatMap(({ found }) => found)).toEqual([]);

  const destroyed = await petra.destroy('mgmt');
  expect(destroyed).toMatchObject({ status: 'Succeeded' });
  expect(destroyed.residue?.flatMap(({ found }) => found)).toEqual([]);
  expect(await petra.ports.fleet.list({})).toEqual({ items: [] });
}, 60_000);
