import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking, beginRemoval, ensureStarted } from '../../core/begin-operation.ts';
import { PetraError } from '../../core/errors.ts';
import { failing, type PortFault, withPortFaults } from '../state-machines/port-faults.ts';
import { record } from './api/recorded-clusters.ts';
import { type TestPorts, testPorts, workloadSpec } from './test-ports.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const caller = 'local:tester';
const creating = (management = 'mgmt') =>
  ({ verb: 'create', spec: workloadSpec(), management, caller }) as const;
const removing = { verb: 'delete', name: 'dev', caller, options: {} } as const;

/** Before the first call of this kind, somebody else does something. */
function overtaken(call: string, meanwhile: () => Promise<unknown>): PortFault {
  let isFirst = true;
  return {
    call,
    instead: async (usual) => {
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return usual();
    },
  };
}

describe('someone else who is faster', () => {
  test('makes the cluster: the second one attaches', async () => {
    const racing = withPortFaults(ports, [overtaken('fleet.add', () => beginMaking(ports, creating()))]);
    expect(await beginMaking(racing, creating())).toMatchObject({ outcome: 'attached' });
    expect(ports.started).toHaveLength(1);
  });

  test('resumes the cluster: the second one attaches to the same attempt', async () => {
    await record(ports, 'dev', { phase: 'Failed', management: 'mgmt' });
    const racing = withPortFaults(ports, [overtaken('fleet.acquire', () => beginMaking(ports, creating()))]);
    expect(await beginMaking(racing, creating())).toMatchObject({
      outcome: 'attached',
      operation: { attempt: 2 },
    });
  });

  test('deletes the cluster: the second one finds it gone', async () => {
    await record(ports, 'dev', { phase: 'Failed', management: 'mgmt' });
    const racing = withPortFaults(ports, [
      overtaken('fleet.acquire', async () => {
        const { record: held } = await beginRemoval(ports, removing);
        const at = ports.clock.now().toISOString();
        await ports.fleet.release(
          { cluster: 'dev', uid: held.uid, fence: held.fence },
          { phase: 'Deleted', deletedAt: at, updatedAt: at },
        );
      }),
    ]);
    expect(await beginRemoval(racing, removing)).toMatchObject({ outcome: 'unchanged' });
  });

  test('again and again is a conflict in the end', async () => {
    const conflict = new PetraError('OperationInProgress', 'someone else was faster');
    await record(ports, 'dev', { phase: 'Failed', management: 'mgmt' });
    const racing = withPortFaults(ports, [failing('fleet.acquire', conflict)]);
    await expect(beginMaking(racing, creating())).rejects.toThrow(conflict);
  });

  test('deletes it while its protection is switched on: neither is lost', async () => {
    await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
    const spec = workloadSpec('dev', { deletionProtection: true });
    const racing = withPortFaults(ports, [
      overtaken('fleet.updateUnlocked', () => beginRemoval(ports, removing)),
    ]);
    await expect(beginMaking(racing, { ...creating(), spec })).rejects.toMatchObject({
      code: 'OperationInProgress',
      message: expect.stringContaining('delete of "dev"'),
    });
  });
});

test('what fails otherwise is not tried again', async () => {
  let looks = 0;
  const broken = withPortFaults(ports, [
    {
      call: 'fleet.find',
      instead: async () => {
        looks += 1;
        throw new PetraError('StorageUnavailable', 'disk full');
      },
    },
  ]);
  await expect(beginMaking(broken, creating())).rejects.toMatchObject({ code: 'StorageUnavailable' });
  expect(looks).toBe(1);
});

test('another caller who attaches is told in the ledger; the first one is not told again', async () => {
  await beginMaking(ports, creating());
  await beginMaking(ports, creating());
  await beginMaking(ports, { ...creating(), caller: 'local:other' });
  const { items } = await ports.ledger.list('dev', {});
  expect(items.map(({ outcome, caller: who }) => `${outcome} ${who}`)).toEqual([
    'started local:tester',
    'attached local:other',
  ]);
});

test('a name on another management cluster is taken', async () => {
  await beginMaking(ports, creating());
  await expect(beginMaking(ports, creating('elsewhere'))).rejects.toMatchObject({
    code: 'NameTaken',
    message: '"dev" is already the name of a workload cluster of management cluster "mgmt"',
  });
});

test('a destroy that cascades does not attach to one that does not', async () => {
  await record(ports, 'mgmt', { phase: 'Ready' });
  const destroying = { verb: 'destroy', name: 'mgmt', caller } as const;
  await beginRemoval(ports, { ...destroying, options: {} });
  expect(await beginRemoval(ports, { ...destroying, options: { cascade: false } })).toMatchObject({
    outcome: 'attached',
  });
  await expect(beginRemoval(ports, { ...destroying, options: { cascade: true } })).rejects.toMatchObject({
    code: 'OperationInProgress',
  });
});

test('an operation that cannot be read back yet is answered as it was begun', async () => {
  const lagging = withPortFaults(ports, [{ call: 'operations.find', instead: async () => undefined }]);
  expect(await beginMaking(lagging, creating())).toMatchObject({
    operation: { id: 'create-dev-00000001-1', status: 'Running', steps: [] },
  });
});

test('an operation is only started under a lock', async () => {
  const ready = await record(ports, 'dev', { phase: 'Ready', management: 'mgmt' });
  await expect(ensureStarted(ports, ready)).rejects.toMatchObject({ code: 'InternalError' });
});
