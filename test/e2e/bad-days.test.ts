import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { OperationAnswer, Problem } from '../../core/api/contract.ts';
import { type Answer, example, killLeftovers, LocalPetra, temporaryFolder } from './local-petra.ts';

let folder: string;
let remove: () => Promise<void>;
/** State folders to start from: nothing, a management cluster, a workload cluster too. */
const stages = { empty: 'empty', managed: 'managed', full: 'full' };

beforeAll(async () => {
  ({ folder, remove } = await temporaryFolder());
  const state = path.join(folder, 'prepared');
  const first = await LocalPetra.start(state);
  await first.finish(first.init());
  await first.stop();
  await cp(state, path.join(folder, stages.managed), { recursive: true });
  const second = await LocalPetra.start(state);
  await second.finish(second.create());
  await second.stop();
  await cp(state, path.join(folder, stages.full), { recursive: true });
}, 120_000);
afterEach(killLeftovers);
afterAll(() => remove());

let copies = 0;
async function stateAt(stage: string): Promise<string> {
  copies += 1;
  const state = path.join(folder, `state-${copies}`);
  if (stage !== stages.empty) await cp(path.join(folder, stage), state, { recursive: true });
  return state;
}

type Begin = (petra: LocalPetra) => Promise<Answer<OperationAnswer & Problem>>;
const init: Begin = (petra) => petra.init();
const create: Begin = (petra) => petra.create();
const remove_: Begin = (petra) => petra.delete();
const destroy: Begin = (petra) => petra.destroy();

describe('a fault that stays ends in a named code with evidence, and the same command resumes when it is over', () => {
  test.each([
    [
      'EC2 has no capacity',
      'ec2:InsufficientInstanceCapacity',
      stages.empty,
      init,
      'CapacityUnavailable',
      undefined,
    ],
    ['EC2 throttles for good', 'ec2:RequestLimitExceeded', stages.empty, init, 'Throttled', undefined],
    ['a quota is used up', 'ec2:VcpuLimitExceeded', stages.empty, init, 'QuotaExceeded', undefined],
    ['a boot never comes', 'boot:never', stages.empty, init, 'BootTimedOut', /console/],
    [
      'releases cannot be reached',
      'releases:Unreachable',
      stages.empty,
      init,
      'ReleaseUnreachable',
      undefined,
    ],
    [
      'cert-manager never becomes available',
      'provider:cert-manager-webhook',
      stages.empty,
      init,
      'CertManagerTimedOut',
      /cert-manager-webhook/,
    ],
    [
      'a provider never becomes available',
      'provider:infrastructure-aws',
      stages.empty,
      init,
      'ProviderTimedOut',
      /capa-controller-manager/,
    ],
    [
      'a webhook refuses the ClusterClass',
      'webhook:ClusterClass',
      stages.empty,
      init,
      // The class is tried before the providers are taken for working.
      'ProviderTimedOut',
      /refuse|denied/,
    ],
    [
      'a webhook refuses the trial Cluster',
      'webhook:Cluster',
      stages.empty,
      init,
      'WebhooksTimedOut',
      /refuse|denied/,
    ],
    ['a webhook refuses the Cluster', 'webhook:Cluster', stages.managed, create, 'ObjectRefused', undefined],
    [
      'the VPC cannot be made',
      'cluster:infrastructure',
      stages.managed,
      create,
      'ClusterTimedOut',
      /AWSCluster/,
    ],
    [
      'CAPA has no capacity',
      'machine:capacity',
      stages.managed,
      create,
      'ClusterTimedOut',
      /InsufficientInstanceCapacity/,
    ],
    [
      'a cluster is stuck in deletion',
      'cluster:stuck-deleting',
      stages.full,
      remove_,
      'DeletionTimedOut',
      /DependencyViolation/,
    ],
    [
      'EC2 throttles while machines go',
      'ec2:RequestLimitExceeded',
      stages.managed,
      destroy,
      'Throttled',
      undefined,
    ],
  ] as const)(
    '%s',
    async (_title, fault, stage, begin, code, evidence) => {
      const state = await stateAt(stage);
      const bad = await LocalPetra.start(state, { faults: [fault], shortestLimit: 2 });
      const failed = await bad.finish(begin(bad));
      expect(failed).toMatchObject({ status: 'Failed', failure: { code, fix: expect.stringMatching(/\w/) } });
      if (evidence) expect(failed.failure?.evidence?.join('\n')).toMatch(evidence);
      await bad.stop();

      const good = await LocalPetra.start(state);
      expect(await good.finish(begin(good))).toMatchObject({ status: 'Succeeded', attempt: 2 });
      await good.stop();
    },
    120_000,
  );
});

describe('a fault that passes is waited out, and nobody notices', () => {
  test.each([
    ['EC2 has no capacity twice', 'ec2:InsufficientInstanceCapacity:2', init],
    ['EC2 throttles three times', 'ec2:RequestLimitExceeded:3', init],
    ['Secrets Manager throttles', 'secretsmanager:ThrottlingException:2', init],
    ['S3 slows down', 's3:SlowDown:2', init],
    ['releases cannot be reached for a moment', 'releases:Unreachable:2', init],
    ['the Kubernetes API is away for a moment', 'kubernetes:unreachable:3', init],
  ] as const)(
    '%s',
    async (_title, fault, begin) => {
      const petra = await LocalPetra.start(await stateAt(stages.empty), { faults: [fault] });
      expect(await petra.finish(begin(petra))).toMatchObject({ status: 'Succeeded', attempt: 1 });
      await petra.stop();
    },
    120_000,
  );
});

test('a terminal failure of Cluster API is told as such, and delete clears it away', async () => {
  const state = await stateAt(stages.managed);
  const petra = await LocalPetra.start(state, { faults: ['cluster:failed'] });
  expect(await petra.finish(petra.create())).toMatchObject({
    status: 'Failed',
    failure: { code: 'ClusterFailed' },
  });
  expect(await petra.finish(petra.delete())).toMatchObject({ status: 'Succeeded' });
  await petra.stop();
}, 120_000);

test('ten commands at the same moment for the same cluster run one operation', async () => {
  const petra = await LocalPetra.start(await stateAt(stages.managed));
  const answers = await Promise.all(Array.from({ length: 10 }, () => petra.create()));
  expect(new Set(answers.map(({ body }) => body.operation?.id)).size).toBe(1);
  expect(answers.filter(({ body }) => body.outcome === 'started')).toHaveLength(1);
  await petra.ended(answers[0]?.body.operation?.id ?? '');
  await petra.stop();
}, 60_000);

test('create and delete at the same moment: one runs, the other is told who holds the lock', async () => {
  const petra = await LocalPetra.start(await stateAt(stages.managed), { speed: 60 });
  const { body } = await petra.create();
  const refused = await petra.delete();
  expect(refused).toMatchObject({
    status: 409,
    body: { code: 'OperationInProgress', message: expect.stringContaining('create') },
  });
  await petra.ended(body.operation?.id ?? '');
  await petra.stop();
}, 60_000);

test('destroy is refused while workload clusters exist, and lists them', async () => {
  const petra = await LocalPetra.start(await stateAt(stages.full));
  expect(await petra.destroy()).toMatchObject({
    status: 409,
    body: { code: 'WorkloadClustersExist', details: { clusters: ['workload-dev'] } },
  });
  await petra.stop();
}, 60_000);

test('a preflight failure lets the same command run with a corrected spec', async () => {
  const petra = await LocalPetra.start(await stateAt(stages.managed));
  const spec = example('workload-dev.yaml');
  const wrong = structuredClone(spec);
  wrong.spec.nodes.workers.instanceType = 'p5.48xlarge';
  expect(await petra.finish(petra.create(wrong))).toMatchObject({
    failure: { code: 'InstanceTypeNotOffered' },
  });
  expect(await petra.finish(petra.create(spec))).toMatchObject({ status: 'Succeeded', attempt: 2 });
  await petra.stop();
}, 60_000);

test('a disk that is full ends in a failure that says so, and with space the same command goes on', async () => {
  const state = await stateAt(stages.empty);
  const full = await LocalPetra.start(state, { fileLimitKiB: 64, shortestLimit: 2 });
  const refusals = await full.finish(full.init()).then(
    ({ failure }) => [failure?.message, ...(failure?.evidence ?? [])],
    (error: unknown) => [String(error)],
  );
  expect(`${refusals.join('\n')}\n${full.log}`).toMatch(/File too large/);
  await full.kill();

  const roomy = await LocalPetra.start(state);
  expect(await roomy.finish(roomy.init())).toMatchObject({ status: 'Succeeded' });
  await roomy.stop();
}, 120_000);

test('a state folder that is a file is refused with its path', async () => {
  const file = path.join(folder, 'not-a-folder');
  await writeFile(file, '');
  await expect(LocalPetra.start(file)).rejects.toThrow(/LocalStartFailed.*not-a-folder/s);
});

test('a second server on the same state is refused', async () => {
  const state = await stateAt(stages.empty);
  const petra = await LocalPetra.start(state);
  await expect(LocalPetra.start(state)).rejects.toThrow(/LocalStartFailed/);
  await petra.stop();
});
