import { afterEach, beforeEach, expect, test } from 'vitest';
import { PetraError } from '../../../core/errors.ts';
import { failing } from '../../state-machines/port-faults.ts';
import { type WholePetra, wholePetra } from '../../state-machines/whole-petra.ts';
import { managementSpec, workloadSpec } from '../test-ports.ts';
import { callRoute } from './call-route.ts';

let petra: WholePetra;
beforeEach(async () => {
  petra = await wholePetra();
  await petra.init(managementSpec());
});
afterEach(() => petra.close());

const kubeconfig = (name = 'dev') => callRoute(petra.ports, 'get-kubeconfig', { path: { name } });
const uidOf = async (name: string) => (await petra.ports.fleet.find(name))?.uid ?? '';

/** Puts a kubeconfig where Cluster API keeps it. */
async function renew(value: string): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'dev-kubeconfig', namespace: 'default' },
    data: { value: Buffer.from(value).toString('base64') },
  };
  const store = petra.apis.store(await uidOf('mgmt'));
  await store.apply(secret, { fieldManager: 'test', force: true });
}

test('of a management cluster is the one its first server stored', async () => {
  expect(await kubeconfig('mgmt')).toEqual({
    status: 200,
    body: { cluster: 'mgmt', kubeconfig: await uidOf('mgmt') },
  });
});

test('of a workload cluster is read from Cluster API, which renews it', async () => {
  await petra.create(workloadSpec());
  await renew('renewed');
  expect(await kubeconfig()).toMatchObject({ status: 200, body: { kubeconfig: 'renewed' } });
});

test.each([
  ['does not answer', failing('kubernetes.read', new PetraError('KubernetesUnreachable', 'no route'))],
  ['has no such secret any more', { call: 'kubernetes.read', instead: async () => undefined }],
])('is the stored one while the management cluster %s', async (_title, fault) => {
  await petra.create(workloadSpec());
  const stored = await petra.ports.secrets.read(`petra/${await uidOf('dev')}/kubeconfig`);
  await renew('renewed');
  petra.portFaults.push(fault);
  expect(await kubeconfig()).toMatchObject({ status: 200, body: { kubeconfig: stored } });
});

test.each([
  [new PetraError('KubernetesUnauthorized', 'who are you?'), 502, 'KubernetesUnauthorized'],
  [new TypeError('x is not a function'), 500, 'InternalError'],
])('is not hidden behind %s', async (error, status, code) => {
  await petra.create(workloadSpec());
  petra.portFaults.push(failing('kubernetes.read', error));
  expect(await kubeconfig()).toMatchObject({ status, body: { code } });
});

test('is not ready while the cluster is being made', async () => {
  const answered = petra.workflows.pauseAt('create.Preflight', 'after', async () => {
    expect(await kubeconfig()).toMatchObject({
      status: 409,
      body: { code: 'KubeconfigNotReady', message: '"dev" is Creating and has no kubeconfig yet' },
    });
  });
  await petra.create(workloadSpec());
  await answered;
});

test('is not ready while the first server boots', async () => {
  await petra.destroy('mgmt');
  const answered = petra.workflows.pauseAt('init.MakeSecrets', 'after', async () => {
    expect(await kubeconfig('mgmt')).toMatchObject({ status: 409, body: { code: 'KubeconfigNotReady' } });
  });
  await petra.init(managementSpec());
  await answered;
});

test('of a cluster that was refused for its name is not that of the other one', async () => {
  await renew('of somebody else');
  const store = petra.apis.store(await uidOf('mgmt'));
  const foreign = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: { name: 'dev', namespace: 'default' },
    spec: { paused: true },
  };
  await store.apply(foreign, { fieldManager: 'kubectl', force: true });
  expect(await petra.create(workloadSpec())).toMatchObject({ failure: { code: 'NameTaken' } });
  expect(await kubeconfig()).toMatchObject({ status: 409, body: { code: 'KubeconfigNotReady' } });
});
