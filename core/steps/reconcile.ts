// The states of state-machines/reconcile.asl.json: what runs on a schedule, and belongs to no operation. It takes no
// lock, and writes to no cluster that is locked. Every step may run twice, and beside another run of itself.

import { announce } from '../announce.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hasCode } from '../errors.ts';
import type { ClusterRecord, Finding, LedgerEvent, ObservedState } from '../fleet.ts';
import { textsAt } from '../json-fields.ts';
import type { Ports } from '../petra.ts';
import type { Kubernetes, KubernetesObject } from '../ports.ts';
import { assessCluster, type OwnedObjects, ownedObjects } from './cluster-state.ts';
import { workloadClusters } from './destroy.ts';
import { managementApi } from './management-api.ts';
import {
  datedFindings,
  managementFindings,
  type Seen,
  unreachableFinding,
  workloadFindings,
} from './reconcile-findings.ts';

/** Who the ledger names for what nobody asked for. */
export const reconciler = 'petra:reconcile';

/** One item of the Map in the state machine. */
export interface ReconcileItem {
  readonly management: string;
  readonly uid: string;
}

/** What became of one management cluster and what hangs off it. */
export interface Reconciled {
  readonly management: string;
  /** Clusters that were looked at. */
  readonly clusters: number;
  /** Records that were written. */
  readonly changed: number;
  readonly findings: number;
  readonly unreachable: boolean;
  /** Lines that were added to ledgers, to be told to the world outside, which this step's network does not reach. */
  readonly news: readonly News[];
}

type News = Omit<LedgerEvent, 'seq'>;

/**
 * The state of an execution is at most 256 KiB, for the news of all management clusters together (Step Functions service
 * quotas): room for twenty at half a KiB each of some twenty-five. What is not told is in the ledgers.
 */
const mostNews = 20;

type ReconcilePorts = Pick<Ports, 'fleet' | 'ledger' | 'secrets' | 'kubernetes' | 'clock'>;

/**
 * Compares one management cluster, and every workload cluster on it, with their records; writes what changed. An API
 * that cannot be asked is a finding, and says nothing of the workload clusters.
 */
export async function reconcileCluster(ports: ReconcilePorts, item: ReconcileItem): Promise<Reconciled> {
  const { management } = item;
  const nothing = { management, clusters: 0, changed: 0, findings: 0, unreachable: false, news: [] };
  const record = await ports.fleet.find(management);
  // It was removed, or is being worked on, since it was listed.
  if (record?.uid !== item.uid || record.phase !== 'Ready' || record.lock) return nothing;
  const looked = await look(ports, record);
  if ('silence' in looked) {
    const finding = unreachableFinding(record, looked.silence);
    const { changed, news } = await settle(ports, record, [finding], record.observed);
    return { ...nothing, clusters: 1, changed: Number(changed), findings: 1, unreachable: true, news };
  }
  const { records, unknown } = await pairedWithRecords(ports, record, looked.clusters);
  const results = [
    await settle(ports, record, managementFindings(record, { ...looked, unknown }), record.observed),
  ];
  for (const workload of records) results.push(await reconcileWorkload(ports, workload, looked));
  return {
    management,
    clusters: results.length,
    changed: results.filter(({ changed }) => changed).length,
    findings: results.reduce((sum, { findings }) => sum + findings, 0),
    unreachable: false,
    news: results.flatMap(({ news }) => news).slice(0, mostNews),
  };
}

/** Everything that is read of a management cluster, in a handful of lists however many clusters it has. */
interface Looked {
  readonly clusters: readonly KubernetesObject[];
  readonly owned: ReadonlyMap<string, OwnedObjects>;
  readonly nodes: readonly KubernetesObject[];
  readonly inventory: readonly KubernetesObject[];
}

async function look(
  ports: ReconcilePorts,
  record: ClusterRecord,
): Promise<Looked | { readonly silence: string }> {
  try {
    const api = await managementApi(ports, record.uid);
    if (!api) return { silence: 'it has left no kubeconfig' };
    return await lookAt(api);
  } catch (error) {
    if (hasCode(error, 'KubernetesUnreachable', 'KubernetesUnauthorized', 'KubernetesThrottled')) {
      return { silence: error.message };
    }
    throw error;
  }
}

async function lookAt(api: Kubernetes): Promise<Looked> {
  // First, so that nothing that a Cluster refers to is missed.
  const clusters = await api.list({ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' });
  const [owned, nodes, inventory] = await Promise.all([
    ownedObjects(api, {}),
    api.list({ apiVersion: 'v1', kind: 'Node' }),
    api.list({ apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Provider' }),
  ]);
  return { clusters, owned: byCluster(owned), nodes, inventory };
}

function byCluster(owned: OwnedObjects): ReadonlyMap<string, OwnedObjects> {
  const found = new Map<string, { [K in keyof OwnedObjects]: KubernetesObject[] }>();
  for (const kind of ['controlPlanes', 'deployments', 'machines', 'infrastructure'] as const) {
    for (const object of owned[kind]) {
      const name = textsAt(object, 'metadata', 'labels')['cluster.x-k8s.io/cluster-name'];
      if (name === undefined) continue;
      const entry = found.get(name) ?? {
        controlPlanes: [],
        deployments: [],
        machines: [],
        infrastructure: [],
      };
      entry[kind].push(object);
      found.set(name, entry);
    }
  }
  return found;
}

/** The records of the workload clusters, and the names of Clusters without one. */
async function pairedWithRecords(
  ports: Pick<Ports, 'fleet'>,
  management: ClusterRecord,
  clusters: readonly KubernetesObject[],
): Promise<{ readonly records: readonly ClusterRecord[]; readonly unknown: readonly string[] }> {
  const records = new Map(
    (await workloadClusters(ports, management.name)).map((record) => [record.name, record]),
  );
  const unknown: string[] = [];
  for (const { metadata } of clusters) {
    // The index may lag behind a cluster that was made a moment ago; its record does not.
    const record = records.get(metadata.name) ?? (await ports.fleet.find(metadata.name));
    const isOurs =
      record?.uid === metadata.labels?.['petra.sh/uid'] && record?.management === management.name;
    if (record && isOurs) records.set(record.name, record);
    else unknown.push(metadata.name);
  }
  return { records: [...records.values()], unknown };
}

async function reconcileWorkload(
  ports: ReconcilePorts,
  record: ClusterRecord,
  { clusters, owned }: Looked,
): Promise<Settled> {
  // What an operation works on is its business, and what never was applied cannot be missing.
  if (record.lock || !record.materialized || (record.phase !== 'Ready' && record.phase !== 'Failed')) {
    return untouched;
  }
  const cluster = clusters.find(
    ({ metadata }) => metadata.name === record.name && metadata.labels?.['petra.sh/uid'] === record.uid,
  );
  if (!cluster) {
    // A removal that failed may have got as far as the Cluster object.
    if (record.phase === 'Failed') return untouched;
    return settle(ports, record, workloadFindings(record, undefined), record.observed);
  }
  const none = { controlPlanes: [], deployments: [], machines: [], infrastructure: [] };
  const state = assessCluster(cluster, owned.get(record.name) ?? none, ports.clock.now());
  return settle(ports, record, workloadFindings(record, { cluster, state }), state.observed);
}

interface Settled {
  readonly changed: boolean;
  readonly findings: number;
  readonly news: readonly News[];
}

const untouched: Settled = { changed: false, findings: 0, news: [] };

/** Writes what is different from the record, and nothing when nothing is. */
async function settle(
  ports: ReconcilePorts,
  record: ClusterRecord,
  seen: readonly Seen[],
  observed: ObservedState | undefined,
): Promise<Settled> {
  const now = ports.clock.now();
  const before = record.findings ?? [];
  const findings = datedFindings(seen, before, now);
  const isSame =
    canonicalJson(findings) === canonicalJson(before) &&
    canonicalJson(timeless(observed)) === canonicalJson(timeless(record.observed));
  if (isSame) return { ...untouched, findings: seen.length };
  try {
    await ports.fleet.updateUnlocked(record.name, record.uid, {
      ...(observed === undefined ? {} : { observed }),
      findings: findings.length === 0 ? null : findings,
      updatedAt: now.toISOString(),
    });
  } catch (error) {
    // An operation began, or the cluster is gone: what was seen is out of date.
    if (hasCode(error, 'OperationInProgress', 'ClusterNotFound')) return untouched;
    throw error;
  }
  const news = newsOf(record, before, findings, now);
  for (const event of news) await ports.ledger.append(event);
  return { changed: true, findings: seen.length, news };
}

function timeless(observed: ObservedState | undefined): unknown {
  if (observed === undefined) return undefined;
  const { observedAt, ...rest } = observed;
  return rest;
}

/** A line of the ledger for each finding that is new, and for each that has gone. */
function newsOf(
  { name, uid }: ClusterRecord,
  before: readonly Finding[],
  after: readonly Finding[],
  now: Date,
): News[] {
  const codes = (findings: readonly Finding[]) => new Set(findings.map(({ code }) => code));
  const [old, present] = [codes(before), codes(after)];
  const line = { cluster: name, uid, at: now.toISOString(), verb: 'reconcile', caller: reconciler } as const;
  return [
    ...after
      .filter(({ code }) => !old.has(code))
      .map(({ code, message }) => ({ ...line, outcome: 'warned' as const, code, message })),
    ...before
      .filter(({ code }) => !present.has(code))
      .map(({ code }) => ({ ...line, outcome: 'succeeded' as const, code, message: 'no longer found' })),
  ];
}

/** Tells the world outside what was found, and adds the numbers of a run up, for alarms. */
export async function recordReconciliation(
  ports: Pick<Ports, 'events' | 'metrics'>,
  input: {
    readonly resumed: number;
    readonly staleLocks: number;
    readonly results: readonly (Reconciled | { readonly failed: true })[];
  },
): Promise<Readonly<Record<string, number>>> {
  const reconciled = input.results.filter((result): result is Reconciled => !('failed' in result));
  const sum = (of: (result: Reconciled) => number) =>
    reconciled.reduce((total, result) => total + of(result), 0);
  for (const event of reconciled.flatMap(({ news }) => news)) await announce(ports, event);
  const numbers = {
    StaleLocks: input.staleLocks,
    ResumedOperations: input.resumed,
    Findings: sum(({ findings }) => findings),
    UnreachableManagementClusters: sum(({ unreachable }) => Number(unreachable)),
    FailedReconciliations: input.results.length - reconciled.length,
  };
  ports.metrics.record(numbers);
  return numbers;
}
