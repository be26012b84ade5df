// The HTTP API as a table: one entry per route, the same for Lambda and for a local Petra.

import { type BeginPorts, type Begun, beginMaking, beginRemoval } from '../begin-operation.ts';
import { checkClusterSpec } from '../capi/cluster-spec.ts';
import { hasCode, PetraError } from '../errors.ts';
import type { ClusterKind, ClusterRecord } from '../fleet.ts';
import { kubeconfigSecretName } from '../management/secret-names.ts';
import type { Ports } from '../petra.ts';
import { abandon, restingPhase } from '../steps/close-operation.ts';
import { readKubeconfig } from '../steps/create.ts';
import { refuseProtected } from '../steps/deletion-protection.ts';
import { workloadClusters, workloadClustersExist } from '../steps/destroy.ts';
import { managementOf, requireManagementApi } from '../steps/management-api.ts';
import { chooseManagement } from './choose-management.ts';
import type { Health, KubeconfigAnswer, OperationAnswer, UnlockAnswer } from './contract.ts';
import { type DescribePorts, describeCluster } from './describe-cluster.ts';
import { findingViews } from './findings.ts';
import { acceptOptions, type PreflightPorts, runPreflight } from './preflight.ts';
import { clusterDetails, clusterView, operationView, operationViews } from './views.ts';

export interface ApiRequest {
  /** Parts of the path, by the names in the route. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  /** Who asks: a caller's ARN, or `local:<user>`. */
  readonly caller: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for parts of the path. */
  readonly path: string;
  /** File name of its handler on AWS, and operationId in the OpenAPI document. */
  readonly name: string;
  readonly answer: (ports: Ports, request: ApiRequest) => Promise<ApiResponse>;
}

export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/management-clusters',
    name: 'post-management-clusters',
    answer: postManagementCluster,
  },
  {
    method: 'DELETE',
    path: '/management-clusters/{name}',
    name: 'delete-management-cluster',
    answer: deleteManagementCluster,
  },
  { method: 'POST', path: '/clusters', name: 'post-clusters', answer: postCluster },
  { method: 'GET', path: '/clusters', name: 'get-clusters', answer: getClusters },
  { method: 'GET', path: '/clusters/{name}', name: 'get-cluster', answer: getCluster },
  { method: 'DELETE', path: '/clusters/{name}', name: 'delete-cluster', answer: deleteCluster },
  { method: 'GET', path: '/clusters/{name}/kubeconfig', name: 'get-kubeconfig', answer: getKubeconfig },
  { method: 'GET', path: '/clusters/{name}/objects', name: 'get-objects', answer: getObjects },
  { method: 'GET', path: '/clusters/{name}/events', name: 'get-events', answer: getEvents },
  { method: 'DELETE', path: '/clusters/{name}/lock', name: 'delete-lock', answer: deleteLock },
  { method: 'GET', path: '/operations', name: 'get-operations', answer: getOperations },
  { method: 'GET', path: '/operations/{id}', name: 'get-operation', answer: getOperation },
  { method: 'GET', path: '/findings', name: 'get-findings', answer: getFindings },
  { method: 'POST', path: '/preflights', name: 'post-preflights', answer: postPreflight },
  { method: 'GET', path: '/health', name: 'get-health', answer: getHealth },
];

/** Items on a page unless asked otherwise, and at most. */
const pageSize = { default: 100, maximum: 100 };

export async function postManagementCluster(
  ports: BeginPorts & Pick<Ports, 'newUid'>,
  { body, caller }: ApiRequest,
): Promise<ApiResponse> {
  const spec = checkClusterSpec(member(body, 'spec'), 'management');
  const options = acceptOptions(member(body, 'accept'));
  return operationAnswer(ports, await beginMaking(ports, { verb: 'init', spec, caller, options }));
}

export async function postCluster(
  ports: BeginPorts & Pick<Ports, 'newUid'>,
  { body, caller }: ApiRequest,
): Promise<ApiResponse> {
  const spec = checkClusterSpec(member(body, 'spec'), 'workload');
  const options = acceptOptions(member(body, 'accept'));
  const management = await chooseManagement(ports, spec.metadata.name, member(body, 'management'));
  return operationAnswer(
    ports,
    await beginMaking(ports, { verb: 'create', spec, management, caller, options }),
  );
}

/** Looks, and changes nothing: no record, no lock. */
export async function postPreflight(ports: PreflightPorts, { body }: ApiRequest): Promise<ApiResponse> {
  const spec = checkClusterSpec(member(body, 'spec'), 'any');
  return ok(await runPreflight(ports, spec, member(body, 'management')));
}

export async function deleteCluster(ports: BeginPorts, request: ApiRequest): Promise<ApiResponse> {
  const { caller } = request;
  const name = part(request, 'name');
  return operationAnswer(ports, await beginRemoval(ports, { verb: 'delete', name, caller, options: {} }));
}

export async function deleteManagementCluster(ports: BeginPorts, request: ApiRequest): Promise<ApiResponse> {
  const { query, caller } = request;
  const name = part(request, 'name');
  const cascade = flag(query, 'cascade');
  const present = await ports.fleet.find(name);
  // Refused here for a quick answer; the workflow looks again, under the lock. Not where one began and was given up:
  // only its next attempt can bring the cluster back to Ready.
  const passing = present?.phase === 'Deleted' || present?.phase === 'Destroying';
  if (present?.kind === 'management' && !passing && !present.lock) {
    const clusters = await workloadClusters(ports, name);
    if (cascade) refuseProtected(clusters);
    else if (clusters.length > 0)
      throw workloadClustersExist(
        name,
        clusters.map((cluster) => cluster.name),
      );
  }
  const options = cascade ? { cascade } : {};
  return operationAnswer(ports, await beginRemoval(ports, { verb: 'destroy', name, caller, options }));
}

export async function getClusters(
  ports: Pick<Ports, 'fleet' | 'clock'>,
  { query }: ApiRequest,
): Promise<ApiResponse> {
  const kind = oneOf<ClusterKind>(query, 'kind', ['management', 'workload']);
  const { management } = query;
  const page = await ports.fleet.list({
    ...(kind === undefined ? {} : { kind }),
    ...(management === undefined ? {} : { management }),
    ...paging(query),
  });
  const now = ports.clock.now();
  return ok({ items: page.items.map((record) => clusterView(record, now)), ...next(page.cursor) });
}

export async function getCluster(
  ports: Pick<Ports, 'fleet' | 'operations' | 'resources' | 'clock'>,
  request: ApiRequest,
): Promise<ApiResponse> {
  return ok(await clusterDetails(ports, await findCluster(ports, part(request, 'name'))));
}

/** Read from Cluster API itself, which renews it; from Petra's own secret while the management cluster is away. */
export async function getKubeconfig(
  ports: Pick<Ports, 'fleet' | 'secrets' | 'kubernetes'>,
  request: ApiRequest,
): Promise<ApiResponse> {
  const record = await findCluster(ports, part(request, 'name'));
  // Before anything was applied, a Cluster of this name, and its kubeconfig, are somebody else's.
  const isApplied = record.kind === 'workload' && record.materialized;
  const kubeconfig =
    (isApplied ? await currentKubeconfig(ports, record) : undefined) ??
    (await ports.secrets.read(kubeconfigSecretName(record.uid)));
  if (kubeconfig === undefined || kubeconfig === '') {
    throw new PetraError(
      'KubeconfigNotReady',
      `"${record.name}" is ${record.phase} and has no kubeconfig yet`,
      { cluster: record.name },
    );
  }
  const answer: KubeconfigAnswer = { cluster: record.name, kubeconfig };
  return ok(answer);
}

async function currentKubeconfig(
  ports: Pick<Ports, 'fleet' | 'secrets' | 'kubernetes'>,
  record: ClusterRecord,
): Promise<string | undefined> {
  try {
    const api = await requireManagementApi(ports, await managementOf(ports, record));
    return await readKubeconfig(api, record.name);
  } catch (error) {
    if (error instanceof PetraError && error.retryable) return undefined;
    throw error;
  }
}

export async function getObjects(ports: DescribePorts, request: ApiRequest): Promise<ApiResponse> {
  return ok(await describeCluster(ports, await findCluster(ports, part(request, 'name'))));
}

export async function getEvents(
  ports: Pick<Ports, 'fleet' | 'ledger'>,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { query } = request;
  const name = part(request, 'name');
  const { after } = query;
  const page = await ports.ledger.list(name, {
    ...(after === undefined ? {} : { after }),
    limit: limitOf(query),
  });
  // The ledger outlives its cluster, so a tombstone is known as well.
  if (page.items.length === 0 && !(await ports.fleet.find(name))) throw unknownCluster(name);
  return ok({ items: page.items, ...next(page.cursor) });
}

export async function deleteLock(
  ports: Pick<Ports, 'fleet' | 'operations' | 'ledger' | 'clock' | 'events' | 'metrics'>,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { caller } = request;
  const { name, uid, lock } = await findCluster(ports, part(request, 'name'));
  if (!lock) throw new PetraError('NotLocked', `"${name}" is not locked`);
  const at = ports.clock.now().toISOString();
  const unlocked = await ports.fleet.forceUnlock(name, uid, at);
  const abandoned = unlocked.operation.id;
  await abandon(ports, abandoned, `${caller} removed its lock`);
  await ports.ledger.append({
    cluster: name,
    uid,
    at,
    operationId: abandoned,
    verb: 'unlock',
    outcome: 'succeeded',
    message: `took the lock from ${abandoned}, held by ${lock.holder} since ${lock.acquiredAt}`,
    caller,
  });
  const answer: UnlockAnswer = {
    cluster: clusterView(await atRest(ports, unlocked), ports.clock.now()),
    abandoned,
  };
  return ok(answer);
}

/** Nothing runs on the cluster any more, and its phase says so; unless the next operation has already begun. */
async function atRest(ports: Pick<Ports, 'fleet'>, unlocked: ClusterRecord): Promise<ClusterRecord> {
  const { name, uid, updatedAt } = unlocked;
  try {
    return await ports.fleet.updateUnlocked(name, uid, { phase: restingPhase(unlocked), updatedAt });
  } catch (error) {
    if (hasCode(error, 'OperationInProgress')) return unlocked;
    throw error;
  }
}

export async function getOperations(
  ports: Pick<Ports, 'operations'>,
  { query }: ApiRequest,
): Promise<ApiResponse> {
  const { cluster } = query;
  const page = await ports.operations.list({
    ...(cluster === undefined ? {} : { cluster }),
    ...paging(query),
  });
  return ok({ items: await operationViews(ports, page.items), ...next(page.cursor) });
}

export async function getOperation(
  ports: Pick<Ports, 'operations'>,
  request: ApiRequest,
): Promise<ApiResponse> {
  const id = part(request, 'id');
  const record = await ports.operations.find(id);
  if (!record) throw new PetraError('OperationNotFound', `there is no operation "${id}"`);
  return ok(await operationView(ports, record));
}

/** Of the whole fleet, a page of clusters at a time: a page of findings may be empty, and others follow. */
export async function getFindings(
  ports: Pick<Ports, 'fleet' | 'clock'>,
  { query }: ApiRequest,
): Promise<ApiResponse> {
  const now = ports.clock.now();
  const { cluster } = query;
  if (cluster !== undefined) return ok({ items: findingViews(await findCluster(ports, cluster), now) });
  const page = await ports.fleet.list(paging(query));
  return ok({ items: page.items.flatMap((record) => findingViews(record, now)), ...next(page.cursor) });
}

export async function getHealth({ settings }: Pick<Ports, 'settings'>): Promise<ApiResponse> {
  const { version, mode, region } = settings;
  const health: Health = { status: 'ok', version, mode, ...(region === undefined ? {} : { region }) };
  return ok(health);
}

async function operationAnswer(
  ports: Pick<Ports, 'operations' | 'clock'>,
  { outcome, record, operation }: Begun,
): Promise<ApiResponse> {
  const answer: OperationAnswer = {
    outcome,
    cluster: clusterView(record, ports.clock.now()),
    ...(operation === undefined ? {} : { operation: await operationView(ports, operation) }),
    warnings: operation?.warnings ?? [],
  };
  return { status: operation === undefined ? 200 : 202, body: answer };
}

async function findCluster(ports: Pick<Ports, 'fleet'>, name: string): Promise<ClusterRecord> {
  const record = await ports.fleet.find(name);
  if (record && record.phase !== 'Deleted') return record;
  throw unknownCluster(name, record);
}

function unknownCluster(name: string, tombstone?: ClusterRecord): PetraError {
  const when = tombstone?.deletedAt
    ? `; the last one of this name was deleted at ${tombstone.deletedAt}`
    : '';
  return new PetraError('ClusterNotFound', `there is no cluster "${name}"${when}`);
}

/** A part of the path. A router that gave none asks for a name that nothing has. */
function part({ path }: ApiRequest, key: 'name' | 'id'): string {
  return path[key] ?? '';
}

function ok(body: unknown): ApiResponse {
  return { status: 200, body };
}

function next(cursor: string | undefined): { readonly next?: string } {
  return cursor === undefined ? {} : { next: cursor };
}

function member(body: unknown, key: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PetraError('InvalidRequest', 'the request needs a JSON object as its body');
  }
  return Object.hasOwn(body, key) ? (body as Readonly<Record<string, unknown>>)[key] : undefined;
}

function flag(query: ApiRequest['query'], key: string): boolean {
  return oneOf(query, key, ['true', 'false']) === 'true';
}

function oneOf<T extends string>(
  query: ApiRequest['query'],
  key: string,
  allowed: readonly T[],
): T | undefined {
  const value = query[key];
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new PetraError('InvalidRequest', `${key}: expected ${allowed.join(' or ')}, got "${value}"`);
}

function paging(query: ApiRequest['query']): { readonly limit: number; readonly cursor?: string } {
  const { cursor } = query;
  return { limit: limitOf(query), ...(cursor === undefined ? {} : { cursor }) };
}

function limitOf(query: ApiRequest['query']): number {
  const text = query.limit;
  if (text === undefined) return pageSize.default;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageSize.maximum) return limit;
  throw new PetraError(
    'InvalidRequest',
    `limit: expected a number from 1 to ${pageSize.maximum}, got "${text}"`,
  );
}
