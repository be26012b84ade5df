// Many workload clusters at once through Petra, with real controllers: created, ready, deleted, nothing left. What
// answers as the API of each cluster is simulated.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import { ApiClient } from '../../cli/api-client.ts';
import { signatureOf } from '../../cli/aws-signer.ts';
import type { OperationView } from '../../core/api/contract.ts';
import { capaTag } from '../../core/capi/capa-tag.ts';
import { parseClusterSpec } from '../../core/capi/cluster-spec.ts';
import { clusterNamespace } from '../../core/capi/translate-cluster.ts';
import { PetraError } from '../../core/errors.ts';
import type { ClusterRecord, Verb } from '../../core/fleet.ts';
import type { VirtualAccount } from '../virtual-account/account.ts';
import type { CallerName } from '../virtual-account/callers.ts';
import { FleetRecords } from '../virtual-account/fleet-records.ts';
import { taggedThings } from '../virtual-account/leftovers.ts';
import { expectPetra } from '../virtual-account/petra-command.ts';
import { region } from '../virtual-account/places.ts';
import { workload } from '../virtual-account/specs.ts';
import { expectNothing } from '../virtual-account/story.ts';
import { Turns } from '../virtual-account/turns.ts';
import { readySince } from './fleet-readiness.ts';
import { stepFunctionsSpeed } from './real-account.ts';
import type { Management, Stage } from './story.ts';
import { type Usage, UsageWatch } from './usage.ts';

/** How the names of a fleet's clusters begin. */
export const fleetPrefix = 'fleet-';

const lookMilliseconds = 5_000;
const requestsAtOnce = 4;
const attempts = 10;

export interface VerbMeasures {
  /** From the first request to the end of the last operation. */
  readonly seconds: number;
  /** Of each operation. */
  readonly each: readonly number[];
  /** Of each state of the state machine: how often it ran for each cluster, and its seconds from first to last run. */
  readonly steps: readonly { readonly name: string; readonly runs: number; readonly seconds: number }[];
  readonly usage: ReadonlyMap<string, Usage>;
  readonly peakBytes: number;
}

export interface FleetMeasures {
  readonly size: number;
  readonly create: VerbMeasures;
  /** Seconds from when a cluster was ready to the end of its operation. Kubernetes tells the former in whole seconds. */
  readonly noticed: readonly number[];
  readonly delete: VerbMeasures;
}

/** Lives of so many clusters at once, of the user's own spec. */
export async function fleet(stage: Stage, management: Management, size: number): Promise<FleetMeasures> {
  const { account, step } = stage;
  const names = Array.from(
    { length: size },
    (_, index) => `${fleetPrefix}${String(index + 1).padStart(2, '0')}`,
  );
  const operator = clientOf(account, 'operator');
  await account.moto.setSpeed(paceOf(size));
  const create = await step(`create ${size} clusters`, () =>
    measured(async () => {
      await requestAll(names, (name) => {
        const file = workload(account.folder, name);
        return operator.create(parseClusterSpec(readFileSync(file), { file }), management.name);
      });
      return ended(operator, names, 'create');
    }),
  );
  await stage.secrets.learn(account);
  const ready = await readySince(new HttpKubernetesAccess().connect(management.kubeconfig), clusterNamespace);
  const noticed = create.operations.map(({ cluster, endedAt = '' }) => {
    const since = ready.get(cluster);
    if (since === undefined) throw new Error(`nothing says since when ${cluster} is ready`);
    return (Date.parse(endedAt) - since) / 1000;
  });
  await step('list the fleet', async () => {
    const { stdout } = await expectPetra(account, 'reader', ['capi', 'list']);
    const listed = names.filter((name) => new RegExp(`^${name}\\b.*\\bReady\\b`, 'm').test(stdout));
    if (listed.length !== size)
      throw new Error(`petra capi list shows ${listed.length} of ${size}:\n${stdout}`);
  });
  const records = new FleetRecords(account);
  const made = await Promise.all(names.map((name) => records.cluster(name)));
  const admin = clientOf(account, 'admin');
  const removed = await step(`delete ${size} clusters`, () =>
    measured(async () => {
      await requestAll(names, (name) => admin.delete(name));
      return ended(admin, names, 'delete');
    }),
  );
  await account.moto.setSpeed(stepFunctionsSpeed);
  await step('nothing of the fleet is left', () => expectNothingLeft(stage, management, made, records));
  return { size, create: create.measures, noticed, delete: removed.measures };
}

/**
 * As on AWS up to five clusters, and slower for more: Lambda has a processor for each function, here all of them share one
 * machine with what they look at.
 */
function paceOf(size: number): number {
  return Math.min(1, 5 / size);
}

/** A few at a time: the API answers within 30 s, and here few functions run at once. */
async function requestAll(
  names: readonly string[],
  request: (name: string) => Promise<unknown>,
): Promise<void> {
  const turns = new Turns(requestsAtOnce);
  await Promise.all(names.map((name) => turns.take('request', () => patiently(() => request(name)))));
}

/** Again when Petra says that it would help: on a machine that does much else, moto may not answer in time. */
async function patiently<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (attempt === attempts || !(error instanceof PetraError) || !error.retryable) throw error;
      await sleep(lookMilliseconds);
    }
  }
}

/** The API as one caller asks it, without a process for each request. */
function clientOf({ apiUrl: url, callers }: VirtualAccount, name: CallerName): ApiClient {
  const signer = {
    sign: (request: Parameters<typeof signatureOf>[0]) =>
      signatureOf(request, callers[name], region, 'execute-api'),
    renew: async () => false,
    explain: async () => new PetraError('Forbidden', `${name} was refused`),
  };
  return new ApiClient({ locate: () => ({ url, signer }) });
}

async function measured(
  work: () => Promise<readonly OperationView[]>,
): Promise<{ readonly operations: readonly OperationView[]; readonly measures: VerbMeasures }> {
  const begun = Date.now();
  const watch = new UsageWatch();
  try {
    const operations = await work();
    const seconds = (Math.max(...operations.map(({ endedAt = '' }) => Date.parse(endedAt))) - begun) / 1000;
    watch.stop();
    return {
      operations,
      measures: {
        seconds,
        each: operations.map((one) => lengthOf(one)),
        steps: stepsOf(operations),
        usage: watch.byProgram(),
        peakBytes: watch.peakBytes,
      },
    };
  } finally {
    watch.stop();
  }
}

/** The last operations of the clusters, once none of them runs. @throws Error when any failed */
async function ended(
  client: ApiClient,
  names: readonly string[],
  verb: Verb,
): Promise<readonly OperationView[]> {
  for (;;) {
    await sleep(lookMilliseconds);
    const newest = await patiently(() => client.operations({ most: 2 * names.length + 10 }));
    const found = newest.filter((one) => one.verb === verb && names.includes(one.cluster));
    const failed = found.filter(({ status }) => status !== 'Running' && status !== 'Succeeded');
    if (failed.length > 0) {
      const why = failed.map(({ id, failure }) => `${id}: ${failure?.code}: ${failure?.message}`);
      throw new Error(`${failed.length} of ${names.length} operations failed:\n${why.join('\n')}`);
    }
    if (found.filter(({ status }) => status === 'Succeeded').length === names.length) return found;
  }
}

function stepsOf(operations: readonly OperationView[]): VerbMeasures['steps'] {
  const all = Map.groupBy(
    // An operation has ended a moment before its last step is said to have.
    operations.flatMap(({ steps }) => steps.filter(({ endedAt }) => endedAt !== undefined)),
    ({ name }) => name,
  );
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  return [...all].map(([name, steps]) => ({
    name,
    runs: mean(steps.map(({ runs }) => runs)),
    seconds: mean(steps.map((one) => lengthOf(one))),
  }));
}

function lengthOf({
  startedAt,
  endedAt = '',
}: {
  readonly startedAt: string;
  readonly endedAt?: string;
}): number {
  return (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
}

/** In moto, in the ledgers, on the management cluster, and of the stand-in machines. */
async function expectNothingLeft(
  { account, real }: Stage,
  management: Management,
  made: readonly ClusterRecord[],
  records: FleetRecords,
): Promise<void> {
  const uids = new Set(made.map(({ uid }) => uid));
  const own = (await taggedThings(account.moto)).filter(({ uid }) => uids.has(uid));
  expectNothing(own, 'after the fleet was deleted');
  for (const { name } of made)
    expectNothing(await taggedThings(account.moto, capaTag(name).key), `after ${name} was deleted`);
  for (const { name, uid } of made) {
    const living = await records.living({ name, uid });
    if (living.length > 0) throw new Error(`the ledger of ${name} still has ${living.length} resources`);
  }
  const api = new HttpKubernetesAccess().connect(management.kubeconfig);
  for (const kind of keptKinds) {
    const left = (await api.list(kind, { namespace: clusterNamespace })).map(({ metadata }) => metadata.name);
    const ofFleet = left.filter((name) => name.startsWith(fleetPrefix));
    if (ofFleet.length > 0) throw new Error(`${kind.kind} are left: ${ofFleet.join(', ')}`);
  }
  const machines = real.workloads.machines.filter(({ cluster }) => cluster.startsWith(fleetPrefix));
  if (machines.length > 0) throw new Error(`${machines.length} stand-in machines still run`);
}

const keptKinds = [
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' },
  { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine' },
  { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSCluster' },
  { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSMachine' },
  { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2', kind: 'AWSMachineTemplate' },
  { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfig' },
];
