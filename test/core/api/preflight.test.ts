import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PreflightAnswer } from '../../../core/api/contract.ts';
import { PetraError } from '../../../core/errors.ts';
import type { Ports } from '../../../core/petra.ts';
import { failing } from '../../state-machines/port-faults.ts';
import { type Account, openAccount } from '../preflight/account.ts';
import { managementSpec, workloadSpec } from '../test-ports.ts';
import { callRoute } from './call-route.ts';
import { record } from './recorded-clusters.ts';

let account: Account;
let ports: Ports;
beforeEach(async () => {
  account = await openAccount();
  ports = account.ports;
});
afterEach(() => account.close());

const ask = (body: unknown, on = ports) => callRoute(on, 'post-preflights', { body });

describe('POST /preflights', () => {
  test('looks at a management cluster, and writes nothing', async () => {
    const { status, body } = await ask({ spec: managementSpec() });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ severity: 'warning' })]),
      plan: { zones: [], items: expect.any(Array), unchecked: expect.any(Array) },
      checkedAt: '2026-11-23T12:00:00.000Z',
      durationMs: 0,
    });
    expect(await ports.fleet.find('mgmt')).toBeUndefined();
    expect((await ports.ledger.list('mgmt', {})).items).toEqual([]);
  });

  test('looks at a workload cluster, with its management cluster', async () => {
    await record(account.ports, 'mgmt', { phase: 'Ready' });
    expect(await ask({ spec: workloadSpec() })).toMatchObject({ status: 200, body: { findings: [] } });
    expect(await ask({ spec: workloadSpec(), management: 'other' })).toMatchObject({
      status: 200,
      body: { findings: [{ code: 'ClusterNotFound', severity: 'error' }] },
    });
  });

  test('goes on without a management cluster, and says that there is none', async () => {
    const { status, body } = await ask({ spec: workloadSpec() });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      findings: [{ code: 'NoManagementCluster', severity: 'error', acceptable: false }],
      plan: { zones: ['us-west-1a'] },
    });
  });

  test('says that the name is taken by a cluster of the other kind', async () => {
    await record(account.ports, 'dev', { phase: 'Ready' });
    const { body } = await ask({ spec: workloadSpec('dev') });
    expect(body).toMatchObject({ findings: [{ code: 'NameTaken', path: 'metadata.name' }] });
  });

  test('takes what a failed attempt made for its own, and not what a deleted cluster left', async () => {
    await record(account.ports, 'mgmt', { phase: 'Ready' });
    const looked: unknown[] = [];
    const find: Ports['tagged']['find'] = async (...asked) => {
      looked.push(asked);
      return [{ type: 'ec2:vpc', id: 'vpc-1' }];
    };
    const tagged = { find };
    await record(account.ports, 'dev', { phase: 'Failed', management: 'mgmt', materialized: true });
    expect(await ask({ spec: workloadSpec() }, { ...ports, tagged })).toMatchObject({
      body: { findings: [] },
    });
    await record(account.ports, 'gone', { phase: 'Deleted', management: 'mgmt', materialized: true });
    expect(await ask({ spec: workloadSpec('gone') }, { ...ports, tagged })).toMatchObject({
      body: { findings: [{ code: 'NameTaken' }] },
    });
    expect(looked).toHaveLength(2);
  });

  test('refuses what is no spec, and no name', async () => {
    expect(await ask({ spec: { kind: 'Cluster' } })).toMatchObject({
      status: 422,
      body: { code: 'InvalidSpec' },
    });
    expect(await ask({ spec: workloadSpec(), management: 7 })).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest' },
    });
  });

  test('fails where the fleet itself cannot be read', async () => {
    const broken = await openAccount([failing('fleet.find', new PetraError('StorageUnavailable', 'full'))]);
    expect(await ask({ spec: managementSpec() }, broken.ports)).toMatchObject({ status: 503 });
    await broken.close();
  });
});

describe('accepting findings', () => {
  const init = (accept: unknown) =>
    callRoute(ports, 'post-management-clusters', { body: { spec: managementSpec(), accept } });

  test('is a choice of the attempt, each code once', async () => {
    expect(await init(['QuotaTooSmall', 'CapaPermissionMissing', 'QuotaTooSmall'])).toMatchObject({
      status: 202,
      body: { operation: { options: { accept: ['CapaPermissionMissing', 'QuotaTooSmall'] } } },
    });
    expect(await init([])).toMatchObject({
      body: {
        outcome: 'attached',
        operation: { options: { accept: ['CapaPermissionMissing', 'QuotaTooSmall'] } },
      },
    });
  });

  test('of nothing is none', async () => {
    expect(await init([])).toMatchObject({ body: { operation: { options: {} } } });
  });

  test('that failed is asked for anew by the next attempt', async () => {
    await record(account.ports, 'mgmt', { phase: 'Ready' });
    await record(account.ports, 'dev', { phase: 'Failed', management: 'mgmt' });
    const body = { spec: workloadSpec(), accept: ['QuotaTooSmall'] };
    expect(await callRoute(ports, 'post-clusters', { body })).toMatchObject({
      body: { outcome: 'resumed', operation: { options: { accept: ['QuotaTooSmall'] } } },
    });
  });

  test.each([
    [['NameTaken', 'QuotaTooSmall', 'Nonsense'], /Nonsense/],
    ['QuotaTooSmall', /expected a list/],
    [[7], /expected a list/],
  ])('refuses %j', async (accept, message) => {
    expect(await init(accept)).toMatchObject({
      status: 400,
      body: { code: 'InvalidRequest', message: expect.stringMatching(message) },
    });
  });
});

// The type is what the command line reads.
test('an answer has no more than the contract says', async () => {
  const { body } = await ask({ spec: managementSpec() });
  const answer = body as PreflightAnswer;
  expect(Object.keys(answer).toSorted()).toEqual(['checkedAt', 'durationMs', 'findings', 'plan']);
  for (const item of answer.plan.items) {
    expect(item).not.toHaveProperty('limitedBy');
    expect(item).not.toHaveProperty('stillNeeded');
  }
});
