import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Health, ObjectTree, OperationView } from '../../core/api/contract.ts';
import { toProblem } from '../../core/api/problem.ts';
import type { ApiRequest } from '../../core/api/request.ts';
import { routes } from '../../core/api/routes.ts';
import { PetraError } from '../../core/errors.ts';
import type { ClusterRecord, ResidueLine, StepRecord } from '../../core/fleet.ts';
import { toFailure } from '../../core/steps/failure.ts';
import { renderOpenApi } from '../../scripts/generate-openapi.ts';
import { routeDocs } from '../../scripts/openapi-routes.ts';
import { callRoute } from '../core/api/call-route.ts';
import { openAccount } from '../core/preflight/account.ts';
import { managementSpec, type TestPorts, testPorts, workloadSpec } from '../core/test-ports.ts';
import { failing } from '../state-machines/port-faults.ts';
import { answerViolations, document, violations } from './openapi-answers.ts';

const schemas = ['components', 'schemas'];

describe('docs/openapi.json', () => {
  test('has the present routes and schemas (else run scripts/generate-openapi.ts)', () => {
    expect(document).toEqual(renderOpenApi());
  });

  test('is a valid OpenAPI document of version 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone({ ...document }));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  test('has exactly the routes of the table, by method, path and name', () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    expect(described.toSorted()).toEqual(
      routes.map(({ method, path, name }) => `${method} ${path} ${name}`).toSorted(),
    );
    expect(Object.keys(routeDocs).toSorted()).toEqual(routes.map(({ name }) => name).toSorted());
  });

  test('refers only to schemas it has, and has none that nothing refers to', () => {
    const text = JSON.stringify(document);
    const referred = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1] ?? ''),
    );
    expect([...referred].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
  });
});

describe('requests', () => {
  test('a completed spec of the right kind passes', () => {
    expect(violations([...schemas, 'InitRequest'], { spec: managementSpec() })).toEqual([]);
    expect(violations([...schemas, 'CreateRequest'], { spec: workloadSpec(), management: 'mgmt' })).toEqual(
      [],
    );
  });

  test('a spec of the other kind does not', () => {
    expect(violations([...schemas, 'InitRequest'], { spec: workloadSpec() })).not.toEqual([]);
    expect(violations([...schemas, 'CreateRequest'], { spec: managementSpec() })).not.toEqual([]);
  });
});

describe('answers', () => {
  let ports: TestPorts;
  beforeEach(async () => {
    ports = await testPorts();
  });
  afterEach(() => ports.close());

  /** Asks a route as the server does, and holds what comes back against the document. */
  async function ask(
    name: string,
    request: Partial<ApiRequest> = {},
  ): Promise<{ status: number; body: unknown }> {
    const route = routes.find((one) => one.name === name);
    if (!route) throw new Error(`there is no route ${name}`);
    const full = { path: {}, query: {}, body: undefined, caller: 'local:tester', ...request };
    const answer = await route.answer(ports, full).catch((error: unknown) => {
      const problem = toProblem(error);
      return { status: problem.status, body: problem };
    });
    expect(answerViolations(route, answer)).toEqual([]);
    return answer;
  }

  const init = (name = 'mgmt') => ask('post-management-clusters', { body: { spec: managementSpec(name) } });
  const create = (name = 'dev') => ask('post-clusters', { body: { spec: workloadSpec(name) } });

  async function present(name: string): Promise<ClusterRecord> {
    const record = await ports.fleet.find(name);
    if (!record) throw new Error(`no record of ${name}`);
    return record;
  }

  /** Ends the running operation, with everything that an operation can have. */
  async function end(name: string, status: 'Succeeded' | 'Failed'): Promise<void> {
    ports.pass(60);
    const { uid, fence, operation, kind } = await present(name);
    const at = ports.clock.now().toISOString();
    const failure = toFailure(
      new PetraError('BootTimedOut', 'it did not boot', { evidence: ['console'], cause: new Error('why') }),
      'CheckApi',
    );
    const step: StepRecord = { name: 'CheckApi', status, startedAt: at, endedAt: at, runs: 3, message: 'm' };
    await ports.operations.recordStep(operation.id, status === 'Failed' ? { ...step, failure } : step);
    await ports.operations.warn(operation.id, ['a warning']);
    const resource = { cluster: name, uid, at, key: 'server-0', type: 'instance' } as const;
    await ports.resources.intend(resource);
    await ports.resources.made({ ...resource, id: 'i-1' });
    const observed = { phase: 'Provisioned', workerReplicas: 1, messages: ['m'], observedAt: at };
    await ports.fleet.release(
      { cluster: name, uid, fence },
      {
        phase: status === 'Failed' ? 'Failed' : 'Ready',
        updatedAt: at,
        ...(status === 'Failed' ? {} : { readyAt: at }),
        ...(kind === 'workload' ? { observed } : {}),
      },
    );
    const residue: ResidueLine[] = [{ type: 't', searched: 's', found: ['i-1'] }];
    await ports.operations.keepResidue(operation.id, residue);
    await ports.operations.finish(operation.id, {
      status,
      endedAt: at,
      ...(status === 'Failed' ? { failure } : {}),
    });
  }

  test('to making, repeating and removing clusters are as described', async () => {
    expect(await create()).toMatchObject({ status: 409, body: { code: 'NoManagementCluster' } });
    expect(await init()).toMatchObject({ status: 202, body: { outcome: 'started' } });
    expect(await init()).toMatchObject({ status: 202, body: { outcome: 'attached' } });
    expect(await create()).toMatchObject({ status: 409, body: { code: 'ManagementClusterNotReady' } });
    await end('mgmt', 'Failed');
    expect(await init()).toMatchObject({ status: 202, body: { outcome: 'resumed' } });
    await end('mgmt', 'Succeeded');
    expect(await init()).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
    expect(await create()).toMatchObject({ status: 202 });
    expect(await ask('delete-cluster', { path: { name: 'dev' } })).toMatchObject({
      status: 409,
      body: { code: 'OperationInProgress' },
    });
    await end('dev', 'Succeeded');
    expect(await ask('delete-management-cluster', { path: { name: 'mgmt' } })).toMatchObject({
      status: 409,
      body: { code: 'WorkloadClustersExist' },
    });
    expect(await ask('delete-cluster', { path: { name: 'dev' } })).toMatchObject({ status: 202 });
    expect(
      await ask('delete-management-cluster', { path: { name: 'mgmt' }, query: { cascade: 'true' } }),
    ).toMatchObject({ status: 202 });
  });

  test('to wrong requests are as described', async () => {
    expect(await ask('post-clusters', { body: [] })).toMatchObject({ status: 400 });
    expect(await ask('post-clusters', { body: { spec: { kind: 'Cluster' } } })).toMatchObject({
      status: 422,
      body: { code: 'InvalidSpec' },
    });
    expect(await ask('get-clusters', { query: { limit: '0' } })).toMatchObject({ status: 400 });
    expect(await ask('get-clusters', { query: { cursor: 'x' } })).toMatchObject({ status: 400 });
    expect(await ask('get-events', { path: { name: 'dev' }, query: { after: 'x' } })).toMatchObject({
      status: 400,
    });
    for (const name of ['get-cluster', 'delete-cluster', 'get-kubeconfig', 'get-objects', 'delete-lock']) {
      expect(await ask(name, { path: { name: 'dev' } })).toMatchObject({ status: 404 });
    }
    expect(await ask('get-operation', { path: { id: 'x' } })).toMatchObject({ status: 404 });
  });

  test('to questions are as described', async () => {
    await init();
    await end('mgmt', 'Failed');
    await init();
    const record = await present('mgmt');
    for (const query of [{}, { kind: 'management', limit: '1' }]) {
      expect(await ask('get-clusters', { query })).toMatchObject({ body: { items: [{ name: 'mgmt' }] } });
    }
    expect(await ask('get-cluster', { path: { name: 'mgmt' } })).toMatchObject({ status: 200 });
    const first = record.operation.id.replace(/2$/, '1');
    for (const id of [first, record.operation.id]) {
      expect(await ask('get-operation', { path: { id } })).toMatchObject({ status: 200 });
    }
    expect(await ask('get-operations', { query: { limit: '1' } })).toMatchObject({
      body: { next: expect.any(String) },
    });
    expect(await ask('get-events', { path: { name: 'mgmt' }, query: { limit: '1' } })).toMatchObject({
      body: { next: expect.any(String) },
    });
    expect(await ask('get-health')).toMatchObject({ status: 200 });
    expect(await ask('delete-lock', { path: { name: 'mgmt' } })).toMatchObject({ status: 200 });
    expect(await ask('delete-lock', { path: { name: 'mgmt' } })).toMatchObject({
      status: 409,
      body: { code: 'NotLocked' },
    });
  });

  test('to a preflight are as described, with every kind of finding', async () => {
    const account = await openAccount(
      [failing('tagged.find', new PetraError('AwsUnavailable', 'm', { cause: new Error('why') }))],
      ['quota:vpcs', 'permission:ec2:CreateVpc', 'iam:AccessDeniedException:1'],
    );
    const route = { method: 'POST', path: '/preflights' };
    for (const spec of [workloadSpec(), workloadSpec(), managementSpec()]) {
      const answer = await callRoute(account.ports, 'post-preflights', { body: { spec } });
      expect(answer.status).toBe(200);
      expect(answerViolations(route, answer)).toEqual([]);
    }
    await account.close();
  });

  test('that need a cluster or AWS are as described, in samples', () => {
    const node = {
      kind: 'Machine',
      name: 'dev-1',
      ready: 'False',
      reason: 'NotYet',
      message: 'waiting',
      since: '2026-11-23T12:00:00Z',
      deleting: false,
      conditions: [{ type: 'Ready', status: 'False', reason: 'NotYet', message: 'm' }],
      children: [],
    } as const;
    const cluster = {
      name: 'dev',
      uid: '00000001-1111-4222-8333-444444444444',
      kind: 'workload',
      phase: 'Ready',
      region: 'us-west-1',
      version: 'v1.35.3+k3s1',
      controlPlaneCount: 1,
      workerCount: 2,
      deletionProtection: false,
      operation: { id: 'create-dev-00000001-1', verb: 'create', attempt: 1, options: {} },
      createdAt: '2026-11-23T12:00:00.000Z',
      updatedAt: '2026-11-23T12:00:00.000Z',
    } as const;
    const tree: ObjectTree = {
      cluster,
      causes: [{ object: 'Machine dev-1', condition: 'Ready', message: 'waiting' }],
      root: { ...node, children: [node] },
    };
    const health: Health = { status: 'ok', version: '0.1.0', mode: 'aws-us-gov', region: 'us-gov-west-1' };
    expect(violations([...schemas, 'ObjectTree'], tree)).toEqual([]);
    expect(violations([...schemas, 'Health'], health)).toEqual([]);
    expect(violations([...schemas, 'KubeconfigAnswer'], { cluster: 'dev', kubeconfig: 'k' })).toEqual([]);
  });

  test('with a field too many, too few or of the wrong kind would be noticed', async () => {
    await init();
    const { id } = (await present('mgmt')).operation;
    const body = (await ask('get-operation', { path: { id } })).body as OperationView;
    const route = { method: 'GET', path: '/operations/{id}' };
    const { caller: _, ...without } = body;
    for (const wrong of [
      { ...body, more: 1 },
      without,
      { ...body, status: 'Odd' },
      { ...body, startedAt: 1 },
    ]) {
      expect(answerViolations(route, { status: 200, body: wrong })).toHaveLength(1);
    }
    expect(answerViolations(route, { status: 409, body })).toHaveLength(1);
    const foreign = toProblem(new PetraError('NotLocked', 'm'));
    expect(answerViolations(route, { status: 404, body: foreign })).toHaveLength(1);
  });
});
