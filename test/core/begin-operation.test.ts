import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking, beginRemoval, ensureStarted } from '../../core/begin-operation.ts';
import type { ClusterRecord } from '../../core/fleet.ts';
import { recordFailure } from '../../core/steps/finish.ts';
import { managementSpec, type TestPorts, testPorts, workloadSpec } from './test-ports.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const caller = 'local:tester';
const create = (spec = workloadSpec()) =>
  beginMaking(ports, { verb: 'create', spec, management: 'mgmt', caller });
const remove = (name = 'dev') => beginRemoval(ports, { verb: 'delete', name, caller, options: {} });

async function present(name = 'dev'): Promise<ClusterRecord> {
  const record = await ports.fleet.find(name);
  if (!record) throw new Error(`no record of ${name}`);
  return record;
}

const leaseOf = ({ name, uid, fence }: ClusterRecord) => ({ cluster: name, uid, fence });

/** Ends the running operation as its last step would. */
async function end(phase: ClusterRecord['phase'], more: object = {}): Promise<void> {
  const record = await present();
  const at = ports.clock.now().toISOString();
  await ports.fleet.release(leaseOf(record), {
    phase,
    updatedAt: at,
    ...(phase === 'Ready' ? { readyAt: at } : {}),
    ...more,
  });
  await ports.operations.finish(record.operation.id, {
    status: phase === 'Failed' ? 'Failed' : 'Succeeded',
    endedAt: at,
  });
}

describe('create', () => {
  test('starts the first attempt with a lock, an operation and an execution', async () => {
    const begun = await create();
    expect(begun.outcome).toBe('started');
    expect(begun.operation).toMatchObject({
      id: 'create-dev-00000001-1',
      status: 'Running',
      attempt: 1,
      fence: 1,
    });
    expect(await present()).toMatchObject({
      phase: 'Creating',
      management: 'mgmt',
      lock: { fence: 1, holder: caller },
    });
    expect(ports.started).toEqual(['create-dev-00000001-1']);
  });

  test('puts only ids into the execution', async () => {
    await create();
    expect(Object.keys(ports.inputs[0]?.operation ?? {}).toSorted()).toEqual([
      'cluster',
      'fence',
      'id',
      'uid',
      'verb',
    ]);
  });

  test('attaches to the running operation of the same spec', async () => {
    await create();
    const again = await create();
    expect(again).toMatchObject({ outcome: 'attached', operation: { id: 'create-dev-00000001-1' } });
    expect(ports.started).toHaveLength(1);
  });

  test('is refused while an operation with another spec runs', async () => {
    await create();
    const other = workloadSpec('dev', {
      profile: 'standard',
      nodes: { controlPlane: { count: 3 }, workers: { count: 2 } },
    });
    await expect(create(other)).rejects.toMatchObject({ code: 'OperationInProgress' });
  });

  test('leaves one operation when twenty begin at the same moment', async () => {
    const begun = await Promise.all(Array.from({ length: 20 }, () => create()));
    expect(begun.filter(({ outcome }) => outcome === 'started')).toHaveLength(1);
    expect(new Set(begun.map(({ operation }) => operation?.id)).size).toBe(1);
    expect(ports.started).toHaveLength(1);
  });

  test('resumes with the next attempt after a failure', async () => {
    await create();
    await end('Failed');
    const again = await create();
    expect(again).toMatchObject({
      outcome: 'resumed',
      operation: { id: 'create-dev-00000001-2', attempt: 2, fence: 2 },
    });
  });

  test('takes a corrected spec after a failure that made nothing', async () => {
    await create();
    await end('Failed');
    const other = workloadSpec('dev', { target: { type: 'aws', region: 'eu-west-1' } });
    expect(await create(other)).toMatchObject({ outcome: 'resumed', record: { region: 'eu-west-1' } });
  });

  test('refuses another spec, with the difference, once something was made', async () => {
    await create();
    await end('Failed', { materialized: true });
    const other = workloadSpec('dev', { target: { type: 'aws', region: 'eu-west-1' } });
    await expect(create(other)).rejects.toMatchObject({
      code: 'SpecDiffers',
      details: { differences: [{ path: 'spec.target.region', before: 'us-west-1', after: 'eu-west-1' }] },
    });
  });

  test('changes nothing of a ready cluster with the same spec', async () => {
    await create();
    await end('Ready');
    expect(await create()).toMatchObject({ outcome: 'unchanged' });
    expect(ports.started).toHaveLength(1);
  });

  test('turns deletion protection on and off on a ready cluster', async () => {
    await create();
    await end('Ready');
    const updated = await create(workloadSpec('dev', { deletionProtection: true }));
    expect(updated).toMatchObject({ outcome: 'updated', record: { deletionProtection: true } });
    await expect(remove()).rejects.toMatchObject({ code: 'DeletionProtected' });
    await create(workloadSpec('dev'));
    expect(await remove()).toMatchObject({ outcome: 'started' });
  });

  test('is refused for the name of a cluster of the other kind', async () => {
    await beginMaking(ports, { verb: 'init', spec: managementSpec('dev'), caller });
    await expect(create()).rejects.toMatchObject({ code: 'NameTaken' });
  });

  test('is refused while a deletion is unfinished', async () => {
    await create();
    await end('Ready');
    await remove();
    await end('Failed', { readyAt: null });
    await expect(create()).rejects.toMatchObject({ code: 'DeletionUnfinished' });
  });

  test('makes a cluster with a new uid where the last one of the name is gone', async () => {
    await create();
    await end('Ready');
    await remove();
    await end('Deleted');
    const again = await create();
    expect(again).toMatchObject({ outcome: 'started', record: { uid: expect.stringMatching(/^00000002/) } });
    expect(again.record.fence).toBeGreaterThan(2);
  });

  test('takes over from a holder whose lock went stale, and abandons its operation', async () => {
    await create();
    ports.pass(901);
    expect(await create()).toMatchObject({ outcome: 'resumed', operation: { fence: 2 } });
    expect(await ports.operations.find('create-dev-00000001-1')).toMatchObject({
      status: 'Abandoned',
      failure: { code: 'OperationAbandoned' },
    });
  });

  test('writes every start into the ledger, with who asked', async () => {
    await create();
    const { items } = await ports.ledger.list('dev', {});
    expect(items).toMatchObject([{ verb: 'create', outcome: 'started', caller }]);
  });
});

describe('delete', () => {
  test('is refused for a cluster that never was', async () => {
    await expect(remove('nobody')).rejects.toMatchObject({ code: 'ClusterNotFound' });
  });

  test('is success for a cluster that is gone', async () => {
    await create();
    await end('Ready');
    await remove();
    await end('Deleted');
    expect(await remove()).toMatchObject({ outcome: 'unchanged' });
  });

  test('is refused for a management cluster, and names the right verb', async () => {
    await beginMaking(ports, { verb: 'init', spec: managementSpec('dev'), caller });
    await expect(remove()).rejects.toMatchObject({
      code: 'InvalidRequest',
      fix: expect.stringContaining('destroy'),
    });
  });

  test('is refused while a create runs', async () => {
    await create();
    await expect(remove()).rejects.toMatchObject({
      code: 'OperationInProgress',
      message: expect.stringContaining(caller),
    });
  });

  test('works on a cluster whose create failed', async () => {
    await create();
    await end('Failed');
    expect(await remove()).toMatchObject({
      outcome: 'started',
      operation: { id: 'delete-dev-00000001-1', fence: 2 },
    });
  });
});

describe('a caller that died half-way', () => {
  test('between lock and operation: the next one makes both the operation and its execution', async () => {
    await create();
    const record = await present();
    ports.started.length = 0;
    const operation = await ensureStarted(ports, record);
    expect(operation).toMatchObject({ id: 'create-dev-00000001-1', status: 'Running' });
    expect(ports.started).toEqual(['create-dev-00000001-1']);
  });
});

describe('recordFailure', () => {
  const failing = async (error: { Error: string; Cause: string }) => {
    const { operation } = await create();
    if (!operation) throw new Error('nothing runs');
    const { id, verb, cluster, uid, fence } = operation;
    await recordFailure(ports, { operation: { id, verb, cluster, uid, fence }, error });
    return ports.operations.find(id);
  };

  test.each([
    ['plain text, as a local run gives it', 'no capacity'],
    ["Lambda's JSON", JSON.stringify({ errorType: 'CapacityUnavailable', errorMessage: 'no capacity' })],
  ])('keeps the name and the cause of an error: %s', async (_title, cause) => {
    const operation = await failing({ Error: 'CapacityUnavailable', Cause: cause });
    expect(operation).toMatchObject({
      status: 'Failed',
      failure: { code: 'CapacityUnavailable', message: 'no capacity' },
    });
    expect(await present()).toMatchObject({ phase: 'Failed' });
    expect((await present()).lock).toBeUndefined();
  });

  test('names a step that took too long', async () => {
    expect(await failing({ Error: 'States.Timeout', Cause: '' })).toMatchObject({
      failure: { code: 'StepTimedOut' },
    });
  });

  test('keeps an error nobody foresaw', async () => {
    expect(await failing({ Error: 'TypeError', Cause: 'x is not a function' })).toMatchObject({
      failure: { code: 'InternalError', message: expect.stringContaining('x is not a function') },
    });
  });

  test('abandons an operation whose lock someone else holds, and leaves that one alone', async () => {
    const { operation } = await create();
    ports.pass(901);
    await create();
    if (!operation) throw new Error('nothing runs');
    const { id, verb, cluster, uid, fence } = operation;
    await recordFailure(ports, {
      operation: { id, verb, cluster, uid, fence },
      error: { Error: 'LeaseLost', Cause: '' },
    });
    expect(await ports.operations.find(id)).toMatchObject({ status: 'Abandoned' });
    expect(await present()).toMatchObject({ phase: 'Creating', lock: { fence: 2 } });
  });

  test('may run twice', async () => {
    await failing({ Error: 'CapacityUnavailable', Cause: 'no capacity' });
    const operation = await ports.operations.find('create-dev-00000001-1');
    if (!operation) throw new Error('no operation');
    const { id, verb, cluster, uid, fence } = operation;
    await recordFailure(ports, {
      operation: { id, verb, cluster, uid, fence },
      error: { Error: 'X', Cause: '' },
    });
    expect(await ports.operations.find(id)).toMatchObject({
      status: 'Failed',
      failure: { code: 'CapacityUnavailable' },
    });
  });
});
