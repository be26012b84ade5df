import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { routes } from '../../core/api/routes.ts';
import { type Begun, beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import type { Phase } from '../../core/fleet.ts';
import type { Ports } from '../../core/petra.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { fleetFingerprint, quietFingerprint } from './fleet-fingerprint.ts';
import { caller, type WholePetra, wholePetra } from './whole-petra.ts';

let ahead = 0;
let petra: WholePetra;
beforeEach(async () => {
  ahead = 0;
  petra = await wholePetra({ clock: { now: () => new Date(Date.now() + ahead) } });
});
afterEach(() => petra.close());

async function unlock(ports: Ports, name: string): Promise<void> {
  const route = routes.find((one) => one.name === 'delete-lock');
  expect(
    await route?.answer(ports, { path: { name }, query: {}, body: undefined, caller: 'local:other' }),
  ).toMatchObject({ status: 200 });
}

const init = () => beginMaking(petra.ports, { verb: 'init', spec: managementSpec(), caller });
const create = () =>
  beginMaking(petra.ports, { verb: 'create', spec: workloadSpec(), management: 'mgmt', caller });
const remove = () => beginRemoval(petra.ports, { verb: 'delete', name: 'dev', caller, options: {} });
const destroy = () => beginRemoval(petra.ports, { verb: 'destroy', name: 'mgmt', caller, options: {} });

/** Where an operation loses its lock, and the phase in which that leaves its cluster. */
interface Loss {
  readonly state: string;
  readonly cluster: string;
  readonly prepare: () => Promise<unknown>;
  readonly begin: () => Promise<Begun>;
  readonly phase: Phase;
}

const managed = () => petra.init(managementSpec());
const full = async () => {
  await managed();
  await petra.create(workloadSpec());
};

const losses: readonly Loss[] = [
  ...['ReserveAddresses', 'MakeSecrets', 'LaunchServers', 'LaunchWorkers', 'RecordReady'].map(
    (state): Loss => ({
      state: `init.${state}`,
      cluster: 'mgmt',
      prepare: async () => {},
      begin: init,
      phase: 'Failed',
    }),
  ),
  ...['ApplyCluster', 'StoreKubeconfig'].map(
    (state): Loss => ({
      state: `create.${state}`,
      cluster: 'dev',
      prepare: managed,
      begin: create,
      phase: 'Failed',
    }),
  ),
  { state: 'delete.DeleteCluster', cluster: 'dev', prepare: full, begin: remove, phase: 'Ready' },
  { state: 'delete.RemoveSecrets', cluster: 'dev', prepare: full, begin: remove, phase: 'Failed' },
  { state: 'destroy.TerminateMachines', cluster: 'mgmt', prepare: managed, begin: destroy, phase: 'Ready' },
  { state: 'destroy.ReleaseAddresses', cluster: 'mgmt', prepare: managed, begin: destroy, phase: 'Failed' },
];

describe('an operation whose lock is removed', () => {
  test.each(losses.map((loss) => [loss.state, loss] as const))(
    'before %s touches nothing more and ends Abandoned; the same command goes on',
    async (state, { cluster, prepare, begin, phase }) => {
      await prepare();
      let before: unknown;
      const unlocked = petra.workflows.pauseAt(state, 'before', async () => {
        await unlock(petra.ports, cluster);
        before = await quietFingerprint(petra);
      });
      const begun = await begin();
      await unlocked;
      expect(await petra.ended(begun)).toMatchObject({
        status: 'Abandoned',
        failure: { code: 'OperationAbandoned', message: expect.stringContaining('local:other') },
      });
      expect(await quietFingerprint(petra)).toEqual(before);
      expect(await petra.ports.fleet.find(cluster)).toMatchObject({ phase });
      expect(await endsInLedger(begun)).toMatchObject([{ outcome: 'failed', code: 'OperationAbandoned' }]);

      expect(await petra.ended(await begin())).toMatchObject({ status: 'Succeeded', attempt: 2 });
    },
  );

  test('may be told so while it works: what it made is found by the next attempt', async () => {
    const unlocked = petra.workflows.pauseAt('init.LaunchServers', 'after', () =>
      unlock(petra.ports, 'mgmt'),
    );
    const begun = await init();
    await unlocked;
    expect(await petra.ended(begun)).toMatchObject({ status: 'Abandoned' });
    expect(await petra.ended(await init())).toMatchObject({ status: 'Succeeded' });
    expect((await fleetFingerprint(petra)).machines).toEqual([
      'mgmt agent-0',
      'mgmt agent-1',
      'mgmt server-0',
    ]);
  });
});

test('an operation that loses its lock in the middle of a step writes nothing of what it saw', async () => {
  await managed();
  let unlocked = false;
  petra.portFaults.push({
    call: 'kubernetes.list',
    instead: async (usual) => {
      if (!unlocked) {
        unlocked = true;
        await unlock(petra.ports, 'dev');
      }
      return usual();
    },
  });
  const failed = await petra.ended(await create());
  expect(failed).toMatchObject({ status: 'Abandoned', failure: { code: 'OperationAbandoned' } });
  expect(failed.steps.at(-1)).toMatchObject({ name: 'CheckCluster', status: 'Running' });
  expect(await petra.ports.fleet.find('dev')).not.toHaveProperty('observed');
});

describe('an operation whose lock went stale', () => {
  test.each(losses.map((loss) => [loss.state, loss] as const))(
    'before %s is taken over, and writes nothing more when it wakes up',
    async (state, { cluster, prepare, begin }) => {
      await prepare();
      let after: unknown;
      let second: Begun | undefined;
      const overtaken = petra.workflows.pauseAt(state, 'before', async () => {
        ahead += 901_000;
        second = await begin();
        expect(await petra.ended(second)).toMatchObject({ status: 'Succeeded', attempt: 2 });
        after = await quietFingerprint(petra);
      });
      const first = await begin();
      await overtaken;
      expect(await petra.ended(first)).toMatchObject({
        status: 'Abandoned',
        failure: { code: 'OperationAbandoned', message: expect.stringContaining('went stale') },
      });
      expect(await quietFingerprint(petra)).toEqual(after);
      expect(await petra.ports.fleet.find(cluster)).toMatchObject({
        operation: { id: second?.operation?.id },
      });
      expect(await endsInLedger(first)).toHaveLength(1);
    },
  );

  test('goes on when nobody took it over', async () => {
    const slept = petra.workflows.pauseAt('init.LaunchServers', 'before', async () => {
      ahead += 901_000;
    });
    const begun = await init();
    await slept;
    expect(await petra.ended(begun)).toMatchObject({ status: 'Succeeded', attempt: 1 });
  });
});

/** The lines in the ledger that tell the end of an operation. */
async function endsInLedger({ record, operation }: Begun) {
  const { items } = await petra.ports.ledger.list(record.name, {});
  return items.filter(
    ({ operationId, step, outcome, verb }) =>
      operationId === operation?.id &&
      step === undefined &&
      outcome !== 'started' &&
      verb === operation?.verb,
  );
}
