import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getFindings } from '../../core/api/reading.ts';
import { beginMaking } from '../../core/begin-operation.ts';
import { PetraError } from '../../core/errors.ts';
import type { ClusterRecord, FindingCode } from '../../core/fleet.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { clusterReference } from '../../core/steps/create.ts';
import { requireManagementApi } from '../../core/steps/management-api.ts';
import type { Mended } from '../../core/steps/mend-operations.ts';
import { Pace } from '../../local/pace.ts';
import { reconcileTask } from '../../local/reconciliation.ts';
import { runWorkflow } from '../../local/run-workflow.ts';
import { readStateMachine } from '../../local/workflows.ts';
import { managementSpec, workloadSpec } from '../core/test-ports.ts';
import { failing } from './port-faults.ts';
import { caller, type WholePetra, wholePetra } from './whole-petra.ts';

let petra: WholePetra;
let recorded: Record<string, number>[];

beforeEach(async () => {
  petra = await wholePetra();
  recorded = [];
  await petra.init(managementSpec());
  await petra.create(workloadSpec());
}, 60_000);

afterEach(() => petra.close());

/** One run of the state machine; what each state answered. */
async function reconcile(): Promise<Record<string, unknown[]>> {
  const answers: Record<string, unknown[]> = {};
  const metrics = { record: (values: Record<string, number>) => void recorded.push(values) };
  const work = reconcileTask({ ...petra.ports, metrics });
  await runWorkflow(
    readStateMachine('reconcile'),
    {},
    {
      pace: new Pace(2000),
      signal: new AbortController().signal,
      task: async (state, payload) => {
        const answer = await work(state, payload);
        answers[state] = [...(answers[state] ?? []), answer];
        return answer;
      },
    },
  );
  return answers;
}

async function recordOf(name: string): Promise<ClusterRecord> {
  const record = await petra.ports.fleet.find(name);
  if (!record) throw new Error(`no record of ${name}`);
  return record;
}

async function codesOf(name: string): Promise<FindingCode[]> {
  return ((await recordOf(name)).findings ?? []).map(({ code }) => code);
}

async function managementApi() {
  return requireManagementApi(petra.ports, await recordOf('mgmt'));
}

async function liveCluster(): Promise<KubernetesObject> {
  const cluster = await (await managementApi()).read(clusterReference('dev'));
  if (!cluster) throw new Error('there is no Cluster dev');
  return cluster;
}

describe('reconciliation', () => {
  test('finds nothing where all is well, and the second time writes nothing', async () => {
    await reconcile();
    expect(await codesOf('mgmt')).toEqual([]);
    expect(await codesOf('dev')).toEqual([]);
    const before = [await recordOf('mgmt'), await recordOf('dev')];
    const answers = await reconcile();
    expect(answers.ReconcileCluster).toEqual([
      { management: 'mgmt', clusters: 2, changed: 0, findings: 0, unreachable: false, news: [] },
    ]);
    expect([await recordOf('mgmt'), await recordOf('dev')]).toEqual(before);
    expect(recorded.at(-1)).toMatchObject({ Findings: 0, FailedReconciliations: 0, StaleLocks: 0 });
  });

  test('has nothing to do in an empty fleet', async () => {
    const empty = await wholePetra();
    const answers: unknown[] = [];
    const work = reconcileTask(empty.ports);
    const signal = new AbortController().signal;
    await runWorkflow(
      readStateMachine('reconcile'),
      {},
      {
        pace: new Pace(2000),
        signal,
        task: async (state, payload) => {
          answers.push(await work(state, payload));
          return answers.at(-1);
        },
      },
    );
    expect(answers[0]).toEqual({ items: [], resumed: 0, staleLocks: 0 });
    await empty.close();
  });

  test('finds a Cluster object that somebody deleted, and the same create makes it again', async () => {
    const api = await managementApi();
    await api.remove(clusterReference('dev'));
    await expect.poll(() => api.read(clusterReference('dev')), { timeout: 20_000 }).toBeUndefined();
    await reconcile();
    expect(await codesOf('dev')).toEqual(['ClusterGone']);
    expect(await codesOf('mgmt')).toEqual([]);

    expect(await petra.create(workloadSpec())).toMatchObject({ status: 'Succeeded', attempt: 2 });
    expect(await codesOf('dev')).toEqual([]);
    await reconcile();
    expect(await codesOf('dev')).toEqual([]);
    const { items } = await petra.ports.ledger.list('dev', {});
    expect(
      items.filter(({ verb }) => verb === 'reconcile').map(({ outcome, code }) => [outcome, code]),
    ).toContainEqual(['warned', 'ClusterGone']);
  });

  test('finds what somebody else edited, keeps since when, and forgets it when it is put back', async () => {
    const api = await managementApi();
    const cluster = await liveCluster();
    const { topology, ...spec } = Object(cluster.spec);
    const change = (replicas: number) => {
      const [group] = topology.workers.machineDeployments;
      return api.apply({
        apiVersion: cluster.apiVersion,
        kind: cluster.kind,
        metadata: {
          name: 'dev',
          namespace: cluster.metadata.namespace ?? '',
          labels: cluster.metadata.labels ?? {},
        },
        spec: {
          ...spec,
          topology: { ...topology, workers: { machineDeployments: [{ ...group, replicas }] } },
        },
      });
    };
    await change(1);
    await reconcile();
    expect(await codesOf('dev')).toContain('ClusterEdited');
    const [edited] = ((await recordOf('dev')).findings ?? []).filter(({ code }) => code === 'ClusterEdited');
    expect(edited?.message).toContain('spec.topology.workers.machineDeployments[md-0].replicas is 1, not 2');

    await reconcile();
    const again = ((await recordOf('dev')).findings ?? []).find(({ code }) => code === 'ClusterEdited');
    expect(again?.since).toBe(edited?.since);

    await change(2);
    await expect
      .poll(
        async () => {
          await reconcile();
          return codesOf('dev');
        },
        { timeout: 20_000 },
      )
      .not.toContain('ClusterEdited');
    const { items } = await petra.ports.ledger.list('dev', {});
    expect(items).toContainEqual(
      expect.objectContaining({ verb: 'reconcile', outcome: 'succeeded', code: 'ClusterEdited' }),
    );
  });

  test('finds a Cluster that is in no record, on its management cluster', async () => {
    const api = await managementApi();
    const cluster = await liveCluster();
    await api.apply({
      apiVersion: cluster.apiVersion,
      kind: cluster.kind,
      metadata: { name: 'stranger', namespace: cluster.metadata.namespace ?? '' },
      spec: cluster.spec,
    });
    await reconcile();
    expect(await codesOf('mgmt')).toEqual(['ClusterUnknown']);
    expect((await recordOf('mgmt')).findings?.[0]?.message).toContain('stranger');
    await api.remove(clusterReference('stranger'));
  });

  test('finds a provider of another version than the spec says', async () => {
    const api = await managementApi();
    const [core] = (
      await api.list({ apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Provider' })
    ).filter(({ metadata }) => metadata.name === 'cluster-api');
    if (!core) throw new Error('no inventory');
    const { name, namespace, labels } = core.metadata;
    await api.apply({
      ...core,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels && { labels }) },
      version: 'v1.10.0',
    });
    await reconcile();
    expect((await recordOf('mgmt')).findings).toMatchObject([
      { code: 'VersionDiffers', message: expect.stringContaining('cluster-api is v1.10.0, not v1.9.5') },
    ]);
  });

  test('takes an API that does not answer for a finding, and says nothing of the clusters behind it', async () => {
    const before = await recordOf('dev');
    petra.portFaults.push(failing('kubernetes.list', new PetraError('KubernetesUnreachable', 'no route')));
    const answers = await reconcile();
    expect(answers.ReconcileCluster).toMatchObject([{ unreachable: true, findings: 1 }]);
    expect((await recordOf('mgmt')).findings).toMatchObject([
      { code: 'ManagementUnreachable', message: expect.stringContaining('no route') },
    ]);
    expect(await recordOf('dev')).toEqual(before);
    expect(recorded.at(-1)).toMatchObject({ UnreachableManagementClusters: 1 });

    await petra.recover();
    await reconcile();
    expect(await codesOf('mgmt')).toEqual([]);
  });

  test('finds a management cluster without a kubeconfig', async () => {
    petra.portFaults.push({ call: 'secrets.read', instead: async () => undefined });
    await reconcile();
    expect((await recordOf('mgmt')).findings).toMatchObject([
      { code: 'ManagementUnreachable', message: expect.stringContaining('no kubeconfig') },
    ]);
  });

  test('goes on with the others when one management cluster fails in a way nobody foresaw', async () => {
    petra.portFaults.push(failing('kubernetes.list', new TypeError('x is not a function')));
    await reconcile();
    expect(recorded.at(-1)).toMatchObject({ FailedReconciliations: 1 });
    expect(await codesOf('mgmt')).toEqual([]);
  });

  test('never writes to a cluster that an operation holds', async () => {
    const paused = petra.workflows.pauseAt('delete.DeleteCluster', 'before', async () => {
      const before = await recordOf('dev');
      await reconcile();
      expect(await recordOf('dev')).toEqual(before);
    });
    const deleted = petra.delete('dev');
    await paused;
    expect(await deleted).toMatchObject({ status: 'Succeeded' });
  });

  test('gives up a write when an operation begins at that moment', async () => {
    const api = await managementApi();
    await api.remove(clusterReference('dev'));
    await expect.poll(() => api.read(clusterReference('dev')), { timeout: 20_000 }).toBeUndefined();
    petra.portFaults.push(failing('fleet.updateUnlocked', new PetraError('OperationInProgress', 'too late')));
    expect((await reconcile()).ReconcileCluster).toMatchObject([{ changed: 0 }]);
  });

  test('tells the API of a lock that nobody renews, and of what it stored', async () => {
    const { uid, fence, spec, specHash, region } = await recordOf('dev');
    const longAgo = '2026-01-01T00:00:00.000Z';
    const lock = {
      operationId: 'delete-dev-x-1',
      fence: fence + 1,
      holder: caller,
      acquiredAt: longAgo,
      expiresAt: longAgo,
    };
    const operation = { id: 'delete-dev-x-1', verb: 'delete', attempt: 1, options: {} } as const;
    const next = { phase: 'Deleting', operation, spec, specHash, region, updatedAt: longAgo, lock } as const;
    await petra.ports.fleet.acquire('dev', { uid, fence, now: longAgo }, next);
    const request = { path: {}, body: undefined, caller };
    const { body } = await getFindings(petra.ports, { ...request, query: {} });
    expect(body).toMatchObject({ items: [{ cluster: 'dev', code: 'LockStale', since: longAgo }] });
    expect((await getFindings(petra.ports, { ...request, query: { cluster: 'mgmt' } })).body).toEqual({
      items: [],
    });
    await expect(getFindings(petra.ports, { ...request, query: { cluster: 'nope' } })).rejects.toMatchObject({
      code: 'ClusterNotFound',
    });
  });
});

describe('mending operations', () => {
  /** Ends the executions where they are, as when everything that runs them is gone. */
  async function interrupted(): Promise<ClusterRecord> {
    const ended = petra.workflows.interruptAt('create.CheckCluster', 'before');
    const spec = workloadSpec('late');
    await beginMaking(petra.ports, { verb: 'create', spec, management: 'mgmt', caller });
    await ended;
    await petra.workflows.restart({ resume: false });
    return recordOf('late');
  }

  async function mend(state: 'running' | 'failed' | 'aborted' | 'absent', passSeconds = 0): Promise<Mended> {
    const clock = { now: () => new Date(Date.now() + passSeconds * 1000) };
    const workflows = {
      start: (execution: Parameters<typeof petra.workflows.start>[0]) => petra.workflows.start(execution),
      state: async ({ id }: { readonly id: string }) =>
        id.startsWith('create-late') ? state : petra.workflows.state({ id, verb: 'create' }),
    };
    return (await reconcileTask({ ...petra.ports, clock, workflows })('MendOperations', {})) as Mended;
  }

  test('starts what was never started, but gives whoever took the lock a minute', async () => {
    const { operation } = await interrupted();
    expect(await mend('absent')).toMatchObject({ resumed: 0 });
    expect(await mend('absent', 120)).toMatchObject({ resumed: 1, staleLocks: 0 });
    await petra.workflows.settled(operation.id);
    expect(await petra.ports.operations.find(operation.id)).toMatchObject({
      status: 'Succeeded',
      attempt: 1,
    });
  });

  test('closes what ended without a word, and begins its next attempt for the same caller', async () => {
    const { operation } = await interrupted();
    expect(await mend('failed')).toMatchObject({ resumed: 1 });
    expect(await petra.ports.operations.find(operation.id)).toMatchObject({
      status: 'Failed',
      failure: { code: 'OperationAbandoned' },
    });
    const next = (await recordOf('late')).operation;
    expect(next.attempt).toBe(2);
    await petra.workflows.settled(next.id);
    expect(await petra.ports.operations.find(next.id)).toMatchObject({ status: 'Succeeded', caller });
  });

  test('closes what a person ended, and does not begin it again', async () => {
    const { operation } = await interrupted();
    expect(await mend('aborted')).toMatchObject({ resumed: 0 });
    expect((await recordOf('late')).lock).toBeUndefined();
    expect((await recordOf('late')).operation.id).toBe(operation.id);
  });

  test('counts a stale lock whose execution runs, and leaves it alone', async () => {
    const before = await interrupted();
    expect(await mend('running')).toMatchObject({ staleLocks: 0 });
    expect(await mend('running', 3600)).toMatchObject({ resumed: 0, staleLocks: 1 });
    expect(await recordOf('late')).toEqual(before);
  });

  test('leaves it at five attempts', async () => {
    await interrupted();
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      const ended = petra.workflows.interruptAt('create.CheckCluster', 'before');
      expect(await mend('failed')).toMatchObject({ resumed: 1 });
      await ended;
      await petra.workflows.restart({ resume: false });
    }
    expect(await mend('failed')).toMatchObject({ resumed: 0 });
    expect(await recordOf('late')).toMatchObject({ phase: 'Failed', operation: { attempt: 5 } });
  });

  test('closes an operation that gave its lock back and was killed', async () => {
    const { uid, operation } = await recordOf('dev');
    const record = await petra.ports.operations.find(operation.id);
    if (!record) throw new Error('no operation');
    const id = 'create-dev-00000002-9';
    await petra.ports.operations.add({ ...record, id, status: 'Running', uid });
    petra.portFaults.push({
      call: 'fleet.list',
      instead: async () => ({
        items: [
          {
            ...(await recordOf('dev')),
            operation: { ...operation, id },
            updatedAt: new Date().toISOString(),
          },
        ],
      }),
    });
    await mend('absent');
    expect((await petra.ports.operations.find(id))?.status).not.toBe('Running');
  });
});
