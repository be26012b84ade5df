import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiRequest } from '../../../core/api/request.ts';
import { beginMaking } from '../../../core/begin-operation.ts';
import { failing, withPortFaults } from '../../state-machines/port-faults.ts';
import { managementSpec, type TestPorts, testPorts, workloadSpec } from '../test-ports.ts';
import { callRoute } from './call-route.ts';
import { record } from './recorded-clusters.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const call = (name: string, request?: Partial<ApiRequest>) => callRoute(ports, name, request);

const protectedSpec = workloadSpec('dev', { deletionProtection: true });

describe('POST /management-clusters', () => {
  test('begins an init, attaches to it, and has nothing to do once it is done', async () => {
    const body = { spec: managementSpec() };
    expect(await call('post-management-clusters', { body })).toMatchObject({
      status: 202,
      body: {
        outcome: 'started',
        cluster: { name: 'mgmt', phase: 'Initializing' },
        operation: { id: 'init-mgmt-00000001-1', plannedSteps: expect.any(Array) },
        warnings: [],
      },
    });
    await ports.operations.warn('init-mgmt-00000001-1', ['k3s v1.35 is new']);
    expect(await call('post-management-clusters', { body })).toMatchObject({
      status: 202,
      body: { outcome: 'attached', warnings: ['k3s v1.35 is new'] },
    });
    const { uid, fence } = (await ports.fleet.find('mgmt')) ?? { uid: '', fence: 0 };
    const at = ports.clock.now().toISOString();
    await ports.fleet.release(
      { cluster: 'mgmt', uid, fence },
      { phase: 'Ready', readyAt: at, updatedAt: at },
    );
    const { status, body: unchanged } = await call('post-management-clusters', { body });
    expect(status).toBe(200);
    expect(unchanged).toMatchObject({ outcome: 'unchanged', cluster: { phase: 'Ready' }, warnings: [] });
    expect(unchanged).not.toHaveProperty('operation');
  });

  test('is for management clusters', async () => {
    expect(await call('post-management-clusters', { body: { spec: workloadSpec() } })).toMatchObject({
      status: 422,
      body: { code: 'InvalidSpec' },
    });
  });
});

describe('POST /clusters', () => {
  test('begins a create on the only management cluster', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    expect(await call('post-clusters', { body: { spec: workloadSpec() } })).toMatchObject({
      status: 202,
      body: { outcome: 'started', cluster: { name: 'dev', management: 'mgmt' } },
    });
  });

  test('is for workload clusters', async () => {
    expect(await call('post-clusters', { body: { spec: managementSpec() } })).toMatchObject({
      status: 422,
      body: { code: 'InvalidSpec' },
    });
  });

  test('switches deletion protection of a ready cluster, without an operation', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    const { status, body } = await call('post-clusters', { body: { spec: protectedSpec } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'updated', cluster: { deletionProtection: true } });
    expect(body).not.toHaveProperty('operation');
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'spec'],
    ['null', null],
    ['a list', [{ spec: workloadSpec() }]],
  ])('refuses %s as its body', async (_title, body) => {
    expect(await call('post-clusters', { body })).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest', message: 'the request needs a JSON object as its body' },
    });
  });

  test.each([
    ['without a spec', {}],
    ['whose spec only its prototype has', Object.create({ spec: workloadSpec() })],
    ['with a spec in __proto__', JSON.parse('{"__proto__":{"spec":{}}}')],
    ['with a spec that is a text', { spec: 'dev' }],
  ])('refuses a body %s', async (_title, body) => {
    expect(await call('post-clusters', { body })).toMatchObject({
      status: 422,
      body: { code: 'InvalidSpec' },
    });
  });

  test('does not take a management cluster from the prototype of its body', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    const body = Object.assign(Object.create({ management: 'elsewhere' }), { spec: workloadSpec() });
    expect(await call('post-clusters', { body })).toMatchObject({ status: 202 });
  });
});

describe('DELETE /clusters/{name}', () => {
  test('begins a delete; a cluster that is gone is success', async () => {
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await record(ports, 'gone', { phase: 'Deleted', management: 'mgmt' });
    expect(await call('delete-cluster', { path: { name: 'dev' } })).toMatchObject({
      status: 202,
      body: { outcome: 'started', cluster: { phase: 'Deleting' } },
    });
    expect(await call('delete-cluster', { path: { name: 'gone' } })).toMatchObject({
      status: 200,
      body: { outcome: 'unchanged', cluster: { phase: 'Deleted' } },
    });
  });

  test.each([
    ['nobody', 404, 'ClusterNotFound'],
    ['mgmt', 400, 'InvalidRequest'],
    ['dev', 409, 'DeletionProtected'],
  ])('is refused for %s', async (name, status, code) => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await call('post-clusters', { body: { spec: protectedSpec } });
    expect(await call('delete-cluster', { path: { name } })).toMatchObject({ status, body: { code } });
  });
});

describe('DELETE /management-clusters/{name}', () => {
  const destroy = (name: string, cascade?: string) =>
    call('delete-management-cluster', { path: { name }, query: cascade === undefined ? {} : { cascade } });

  test('begins a destroy', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    expect(await destroy('mgmt')).toMatchObject({
      status: 202,
      body: { cluster: { phase: 'Destroying' }, operation: { options: {} } },
    });
  });

  test('is refused at once while there are workload clusters, and names them', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await record(ports, 'app', { phase: 'Failed', management: 'mgmt' });
    expect(await destroy('mgmt', 'false')).toMatchObject({
      status: 409,
      body: {
        code: 'WorkloadClustersExist',
        message: '"mgmt" still has 2 workload clusters: app, dev',
        details: { clusters: ['app', 'dev'] },
      },
    });
    expect(ports.started.filter((id) => id.startsWith('destroy'))).toEqual([]);
  });

  test('names them all, however many pages there are', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    const names = Array.from({ length: 101 }, (_, index) => `dev-${String(index).padStart(3, '0')}`);
    for (const name of names) await record(ports, name, { phase: 'Ready', management: 'mgmt' });
    expect((await destroy('mgmt')).body).toMatchObject({ details: { clusters: names } });
  });

  test('deletes them first when it cascades', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    expect(await destroy('mgmt', 'true')).toMatchObject({
      status: 202,
      body: {
        operation: {
          options: { cascade: true },
          plannedSteps: expect.arrayContaining([expect.objectContaining({ name: 'DeleteWorkloads' })]),
        },
      },
    });
  });

  test('does not cascade over a protected cluster', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await call('post-clusters', { body: { spec: protectedSpec } });
    expect(await destroy('mgmt', 'true')).toMatchObject({
      status: 409,
      body: { code: 'DeletionProtected', message: 'deletion protection is on for dev' },
    });
  });

  test('begins the next attempt of a destroy that was killed and unlocked', async () => {
    const { uid } = await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await destroy('mgmt', 'true');
    await ports.fleet.forceUnlock('mgmt', uid, ports.clock.now().toISOString());
    expect(await destroy('mgmt')).toMatchObject({ status: 202, body: { outcome: 'resumed' } });
  });

  test.each([
    ['nobody', undefined, 404, 'ClusterNotFound'],
    ['dev', undefined, 400, 'InvalidRequest'],
    ['mgmt', 'yes', 400, 'InvalidRequest'],
  ])('is refused for %s, cascade=%s', async (name, cascade, status, code) => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    expect(await destroy(name, cascade)).toMatchObject({ status, body: { code } });
  });
});

describe('DELETE /clusters/{name}/lock', () => {
  const unlock = (name = 'dev') => call('delete-lock', { path: { name }, caller: 'local:other' });

  test('abandons what held the lock, and says so in the ledger', async () => {
    await record(ports, 'dev', { management: 'mgmt' });
    expect(await unlock()).toMatchObject({
      status: 200,
      body: { abandoned: 'create-dev-00000001-1', cluster: { name: 'dev', phase: 'Failed' } },
    });
    expect(await ports.fleet.find('dev')).not.toHaveProperty('lock');
    expect(await ports.operations.find('create-dev-00000001-1')).toMatchObject({ status: 'Abandoned' });
    expect((await ports.ledger.list('dev', {})).items.at(-1)).toMatchObject({
      verb: 'unlock',
      caller: 'local:other',
      message: expect.stringContaining('held by local:tester'),
    });
  });

  test('works where the one who took the lock died before it recorded its operation', async () => {
    const dying = withPortFaults(ports, [failing('operations.add', new Error('killed'))]);
    const making = {
      verb: 'create',
      spec: workloadSpec(),
      management: 'mgmt',
      caller: 'local:tester',
    } as const;
    await expect(beginMaking(dying, making)).rejects.toThrow('killed');
    expect(await unlock()).toMatchObject({ status: 200, body: { abandoned: 'create-dev-00000001-1' } });
  });

  test('leaves alone what began the moment the lock was gone', async () => {
    await record(ports, 'dev', { management: 'mgmt' });
    const making = {
      verb: 'create',
      spec: workloadSpec(),
      management: 'mgmt',
      caller: 'local:third',
    } as const;
    const racing = withPortFaults(ports, [
      {
        call: 'fleet.updateUnlocked',
        instead: async (usual) => {
          await beginMaking(ports, making);
          return usual();
        },
      },
    ]);
    expect(await callRoute(racing, 'delete-lock', { path: { name: 'dev' } })).toMatchObject({
      status: 200,
      body: { abandoned: 'create-dev-00000001-1' },
    });
    expect(await ports.fleet.find('dev')).toMatchObject({
      phase: 'Creating',
      lock: { holder: 'local:third' },
      operation: { attempt: 2 },
    });
  });

  test('shows no insides of a storage that fails', async () => {
    await record(ports, 'dev', { management: 'mgmt' });
    const hungUp = new Error('socket 10.0.0.7 hung up');
    const broken = withPortFaults(ports, [failing('fleet.updateUnlocked', hungUp)]);
    const { status, body } = await callRoute(broken, 'delete-lock', { path: { name: 'dev' } });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('10.0.0.7');
  });

  test('is refused where there is no lock', async () => {
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    expect(await unlock()).toMatchObject({ status: 409, body: { code: 'NotLocked' } });
  });
});
