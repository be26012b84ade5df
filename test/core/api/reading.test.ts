import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiRequest } from '../../../core/api/request.ts';
import { beginRemoval } from '../../../core/begin-operation.ts';
import { withPortFaults } from '../../state-machines/port-faults.ts';
import { type TestPorts, testPorts } from '../test-ports.ts';
import { callRoute } from './call-route.ts';
import { record, succeedAfter } from './recorded-clusters.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const call = (name: string, request?: Partial<ApiRequest>) => callRoute(ports, name, request);
const names = (body: unknown) => Object(body).items.map((item: { name: string }) => item.name);

/** Every page of a list, one after the other. */
async function pages(route: string, query: Record<string, string>, key = 'cursor'): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (let next: string | undefined, first = true; first || next !== undefined; first = false) {
    const cursor = next === undefined ? {} : { [key]: next };
    const { status, body } = await call(route, { query: { ...query, ...cursor }, path: { name: 'dev' } });
    expect(status).toBe(200);
    found.push(Object(body).items);
    next = Object(body).next;
  }
  return found;
}

describe('GET /clusters', () => {
  test('shows the fleet, without specs and tombstones', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    await record(ports, 'dev', { management: 'mgmt' });
    await record(ports, 'gone', { phase: 'Deleted', management: 'mgmt' });
    const { status, body } = await call('get-clusters');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      items: [
        {
          name: 'dev',
          kind: 'workload',
          management: 'mgmt',
          phase: 'Creating',
          version: 'v1.35.3+k3s1',
          controlPlaneCount: 1,
          workerCount: 2,
          lock: { holder: 'local:tester' },
        },
        { name: 'mgmt', kind: 'management', phase: 'Ready', readyAt: expect.any(String) },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('"spec"');
  });

  test('selects by kind and by management cluster', async () => {
    await record(ports, 'east', { phase: 'Ready' });
    await record(ports, 'west', { phase: 'Ready' });
    await record(ports, 'dev', { management: 'east' });
    await record(ports, 'app', { management: 'west' });
    expect(names((await call('get-clusters', { query: { kind: 'management' } })).body)).toEqual([
      'east',
      'west',
    ]);
    expect(names((await call('get-clusters', { query: { management: 'west' } })).body)).toEqual(['app']);
  });

  test('comes in pages', async () => {
    for (const name of ['a1', 'a2', 'a3']) await record(ports, name);
    expect((await pages('get-clusters', { limit: '2' })).map((page) => page.length)).toEqual([2, 1]);
  });

  test.each([
    ['kind', 'pod', 'kind: expected management or workload, got "pod"'],
    ['limit', '0', 'limit: expected a number from 1 to 100, got "0"'],
    ['limit', '501', /got "501"/],
    ['limit', '1.5', /got "1.5"/],
    ['limit', 'many', /got "many"/],
    ['limit', '', /got ""/],
    ['cursor', 'not-a-cursor', /./],
  ])('refuses %s=%s', async (key, value, message) => {
    expect(await call('get-clusters', { query: { [key]: value } })).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest', message: expect.stringMatching(message) },
    });
  });
});

describe('GET /clusters/{name}', () => {
  test('shows a cluster with its spec and what was made for it', async () => {
    const { uid } = await record(ports, 'mgmt');
    const resource = {
      cluster: 'mgmt',
      uid,
      type: 'instance',
      key: 'server-0',
      at: '2026-11-23T12:00:00Z',
    } as const;
    await ports.resources.made({ ...resource, id: 'i-1' });
    const { status, body } = await call('get-cluster', { path: { name: 'mgmt' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'mgmt',
      spec: { metadata: { name: 'mgmt' } },
      resources: [{ key: 'server-0', state: 'made', id: 'i-1' }],
    });
    expect(body).not.toHaveProperty('failure');
  });

  test('shows what was observed last, and why the last operation failed', async () => {
    const { name, uid, fence, operation } = await record(ports, 'mgmt');
    const observed = { phase: 'Provisioning', observedAt: '2026-11-23T12:00:00Z' };
    await ports.fleet.update({ cluster: name, uid, fence }, { observed, updatedAt: observed.observedAt });
    const failure = {
      code: 'Throttled',
      message: 'slow down',
      fix: 'wait',
      retryable: true,
      source: 'aws',
    } as const;
    await ports.operations.finish(operation.id, { status: 'Failed', endedAt: observed.observedAt, failure });
    expect((await call('get-cluster', { path: { name } })).body).toMatchObject({ observed, failure });
  });

  test.each([
    ['that never was', { name: 'nobody' }, 'there is no cluster "nobody"'],
    ['without a name', {}, 'there is no cluster ""'],
    [
      'that is gone',
      { name: 'gone' },
      /there is no cluster "gone"; the last one of this name was deleted at 2026/,
    ],
  ])('knows no cluster %s', async (_title, path, message) => {
    await record(ports, 'gone', { phase: 'Deleted' });
    for (const route of ['get-cluster', 'get-objects', 'get-kubeconfig', 'delete-lock']) {
      expect(await call(route, { path })).toMatchObject({
        status: 404,
        body: { code: 'ClusterNotFound', message: expect.stringMatching(message) },
      });
    }
  });
});

describe('GET /clusters/{name}/events', () => {
  test('tells the history in pages, also after the cluster is gone', async () => {
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    await beginRemoval(ports, { verb: 'delete', name: 'dev', caller: 'local:other', options: {} });
    const { uid, fence } = (await ports.fleet.find('dev')) ?? { uid: '', fence: 0 };
    const at = ports.clock.now().toISOString();
    await ports.fleet.release(
      { cluster: 'dev', uid, fence },
      { phase: 'Deleted', deletedAt: at, updatedAt: at },
    );
    expect(await pages('get-events', { limit: '1' }, 'after')).toMatchObject([
      [{ verb: 'create', outcome: 'started', caller: 'local:tester' }],
      [{ verb: 'delete', outcome: 'started', caller: 'local:other' }],
    ]);
  });

  test('goes on after an event, to an empty page at the end', async () => {
    await record(ports, 'dev', { phase: 'Deleted', management: 'mgmt' });
    const [events] = await pages('get-events', {}, 'after');
    const { at, seq } = Object(events?.[0]);
    const { body } = await call('get-events', { path: { name: 'dev' }, query: { after: `${at}#${seq}` } });
    expect(body).toEqual({ items: [] });
  });

  test.each([{}, { after: '2026-11-23T12:00:00.000Z' }])(
    'knows no events of a cluster that never was: %j',
    async (query) => {
      expect(await call('get-events', { path: { name: 'nobody' }, query })).toMatchObject({
        status: 404,
        body: { code: 'ClusterNotFound' },
      });
    },
  );

  test.each([
    ['after', 'yesterday'],
    ['limit', '-1'],
  ])('refuses %s=%s', async (key, value) => {
    await record(ports, 'dev', { management: 'mgmt' });
    expect(await call('get-events', { path: { name: 'dev' }, query: { [key]: value } })).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest' },
    });
  });
});

describe('GET /operations', () => {
  test('shows the newest first, of all clusters or of one, in pages', async () => {
    await record(ports, 'mgmt', { phase: 'Ready' });
    ports.pass(1);
    await record(ports, 'dev', { management: 'mgmt' });
    const ids = (page: unknown[]) => page.map((item) => Object(item).id);
    expect((await pages('get-operations', { limit: '1' })).map(ids)).toEqual([
      ['create-dev-00000002-1'],
      ['init-mgmt-00000001-1'],
    ]);
    expect((await pages('get-operations', { cluster: 'mgmt' })).map(ids)).toEqual([['init-mgmt-00000001-1']]);
  });

  test('says what is still to come, and how long it took before', async () => {
    for (const [index, seconds] of [100, 300, 200].entries()) {
      await succeedAfter(ports, await record(ports, `mgmt-${index}`), seconds);
      ports.pass(1);
    }
    await record(ports, 'mgmt');
    const { body } = await call('get-operations', { query: { limit: '2' } });
    expect(body).toMatchObject({
      items: [
        {
          cluster: 'mgmt',
          status: 'Running',
          estimateSeconds: 200,
          plannedSteps: expect.arrayContaining([
            { name: 'Preflight', title: expect.any(String), phase: 'prepare' },
          ]),
        },
        { cluster: 'mgmt-2', status: 'Succeeded' },
      ],
    });
    expect(Object(body).items[1]).not.toHaveProperty('estimateSeconds');
  });

  test('reads the past once, however many run', async () => {
    for (const name of ['a1', 'a2', 'a3']) await record(ports, name);
    let reads = 0;
    const counting = withPortFaults(ports, [
      {
        call: 'operations.list',
        instead: async (usual) => {
          reads += 1;
          return usual();
        },
      },
    ]);
    await callRoute(counting, 'get-operations');
    expect(reads).toBe(2);
  });

  test('has no estimate for what never succeeded', async () => {
    const { operation } = await record(ports, 'mgmt');
    const { body } = await call('get-operation', { path: { id: operation.id } });
    expect(body).toMatchObject({ id: operation.id, status: 'Running' });
    expect(body).not.toHaveProperty('estimateSeconds');
  });

  test('shows one operation by its id', async () => {
    const { operation } = await record(ports, 'mgmt', { phase: 'Ready' });
    expect(await call('get-operation', { path: { id: operation.id } })).toMatchObject({
      status: 200,
      body: { id: operation.id, status: 'Succeeded' },
    });
  });

  test('knows no operation of an id that never was', async () => {
    expect(await call('get-operation', { path: { id: 'init-x-1' } })).toMatchObject({
      status: 404,
      body: { code: 'OperationNotFound', message: 'there is no operation "init-x-1"' },
    });
  });
});

describe('GET /health', () => {
  test('says which Petra this is', async () => {
    expect(await call('get-health')).toEqual({
      status: 200,
      body: { status: 'ok', version: '0.0.0', mode: 'local' },
    });
    const settings = { ...ports.settings, mode: 'aws', region: 'us-west-1' } as const;
    expect((await callRoute({ ...ports, settings }, 'get-health')).body).toMatchObject({
      region: 'us-west-1',
    });
  });
});
