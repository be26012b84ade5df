import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginMaking } from '../../../core/begin-operation.ts';
import type { OperationRecord, StepRecord } from '../../../core/fleet.ts';
import { recordFailure } from '../../../core/steps/finish.ts';
import { failing, withPortFaults } from '../../state-machines/port-faults.ts';
import { type TestPorts, testPorts, workloadSpec } from '../test-ports.ts';

let ports: TestPorts;
beforeEach(async () => {
  ports = await testPorts();
});
afterEach(() => ports.close());

const caller = 'local:tester';

async function begun(): Promise<OperationRecord> {
  const { operation } = await beginMaking(ports, {
    verb: 'create',
    spec: workloadSpec(),
    management: 'mgmt',
    caller,
  });
  if (!operation) throw new Error('nothing runs');
  return operation;
}

const inputOf = ({ id, verb, cluster, uid, fence }: OperationRecord) => ({
  operation: { id, verb, cluster, uid, fence },
});

const failedStep = (name: string, startedAt: string, code: 'Throttled' | 'ClusterFailed'): StepRecord => ({
  name,
  status: 'Failed',
  startedAt,
  runs: 1,
  failure: { code, message: `${name} failed`, fix: 'none', retryable: false, source: 'aws', step: name },
});

const ends = async (name = 'dev') =>
  (await ports.ledger.list(name, {})).items.filter(({ outcome }) => outcome !== 'started');

describe('recordFailure', () => {
  test('keeps what the step itself wrote of its failure, with its evidence', async () => {
    const operation = await begun();
    await ports.operations.recordStep(
      operation.id,
      failedStep('Preflight', operation.startedAt, 'Throttled'),
    );
    const step = failedStep('CheckCluster', '2026-11-23T13:00:00.000Z', 'ClusterFailed');
    await ports.operations.recordStep(operation.id, step);
    await recordFailure(ports, {
      ...inputOf(operation),
      error: { Error: 'ClusterFailed', Cause: 'cut by the state machine' },
    });
    expect(await ports.operations.find(operation.id)).toMatchObject({
      status: 'Failed',
      failure: { message: 'CheckCluster failed', step: 'CheckCluster' },
    });
    expect(await ends()).toMatchObject([{ outcome: 'failed', code: 'ClusterFailed' }]);
  });

  test('names the step that took too long', async () => {
    const operation = await begun();
    await ports.operations.recordStep(operation.id, {
      name: 'ApplyCluster',
      status: 'Running',
      startedAt: operation.startedAt,
      runs: 1,
    });
    await recordFailure(ports, { ...inputOf(operation), error: { Error: 'Sandbox.Timedout' } });
    expect(await ports.operations.find(operation.id)).toMatchObject({
      failure: {
        code: 'StepTimedOut',
        step: 'ApplyCluster',
        message: expect.stringContaining('ApplyCluster'),
      },
    });
  });

  test.each([
    ['without a cause', undefined, 'the state machine failed: States.Runtime'],
    ['with a cause that is JSON, but not of Lambda', '{"a":1}', 'the state machine failed: {"a":1}'],
  ])('keeps a failure of the state machine itself: %s', async (_title, Cause, message) => {
    const operation = await begun();
    await recordFailure(ports, {
      ...inputOf(operation),
      error: { Error: 'States.Runtime', ...(Cause === undefined ? {} : { Cause }) },
    });
    expect(await ports.operations.find(operation.id)).toMatchObject({
      failure: { code: 'InternalError', message },
    });
  });

  test('names an error by its code alone when there is no cause', async () => {
    const operation = await begun();
    await recordFailure(ports, { ...inputOf(operation), error: { Error: 'Throttled' } });
    expect(await ports.operations.find(operation.id)).toMatchObject({ failure: { message: 'Throttled' } });
  });

  test('says that an operation has no record', async () => {
    const operation = await begun();
    const { operation: input } = inputOf(operation);
    await expect(
      recordFailure(ports, { operation: { ...input, id: 'create-dev-x-1' } }),
    ).rejects.toMatchObject({
      code: 'InternalError',
    });
  });

  test('passes on what the storage says', async () => {
    const operation = await begun();
    const broken = withPortFaults(ports, [failing('fleet.release', new Error('disk full'))]);
    await expect(recordFailure(broken, inputOf(operation))).rejects.toThrow('disk full');
  });
});

describe('an operation that was killed between giving its lock back and its own end', () => {
  const giveBack = async ({ cluster, uid, fence }: OperationRecord, phase: 'Ready' | 'Failed') => {
    const at = ports.clock.now().toISOString();
    const change = phase === 'Ready' ? { phase, readyAt: at, updatedAt: at } : { phase, updatedAt: at };
    await ports.fleet.release({ cluster, uid, fence }, change);
  };

  test('has succeeded when its cluster says so', async () => {
    const operation = await begun();
    await giveBack(operation, 'Ready');
    await recordFailure(ports, inputOf(operation));
    expect(await ports.operations.find(operation.id)).toMatchObject({ status: 'Succeeded' });
    expect(await ends()).toMatchObject([{ outcome: 'succeeded', caller }]);
  });

  test('keeps the failure of its step', async () => {
    const operation = await begun();
    const step = failedStep('CheckCluster', operation.startedAt, 'ClusterFailed');
    await ports.operations.recordStep(operation.id, step);
    await giveBack(operation, 'Failed');
    await recordFailure(ports, inputOf(operation));
    expect(await ports.operations.find(operation.id)).toMatchObject({
      status: 'Failed',
      failure: { code: 'ClusterFailed', step: 'CheckCluster' },
    });
    expect(await ends()).toMatchObject([{ outcome: 'failed', code: 'ClusterFailed' }]);
  });

  test('was abandoned when nothing of it failed', async () => {
    const operation = await begun();
    await ports.fleet.forceUnlock('dev', operation.uid, operation.startedAt);
    await recordFailure(ports, inputOf(operation));
    expect(await ports.operations.find(operation.id)).toMatchObject({ status: 'Abandoned' });
  });

  test('was abandoned when it noticed that its lock was gone', async () => {
    const operation = await begun();
    await ports.fleet.forceUnlock('dev', operation.uid, operation.startedAt);
    await recordFailure(ports, { ...inputOf(operation), error: { Error: 'LeaseLost', Cause: 'gone' } });
    expect(await ports.operations.find(operation.id)).toMatchObject({
      status: 'Abandoned',
      failure: { code: 'LeaseLost' },
    });
  });
});
