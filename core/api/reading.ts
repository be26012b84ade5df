// The routes that only read.

import { PetraError } from '../errors.ts';
import type { ClusterKind, ClusterRecord } from '../fleet.ts';
import { kubeconfigSecretName } from '../management/secret-names.ts';
import type { Ports } from '../petra.ts';
import { readKubeconfig } from '../steps/create.ts';
import { managementOf, requireManagementApi } from '../steps/management-api.ts';
import type { Health, KubeconfigAnswer } from './contract.ts';
import { type DescribePorts, describeCluster } from './describe-cluster.ts';
import { findCluster, unknownCluster } from './find-cluster.ts';
import { findingViews } from './findings.ts';
import { type ApiRequest, type ApiResponse, limitOf, next, ok, oneOf, paging, part } from './request.ts';
import { clusterDetails, clusterView, operationView, operationViews } from './views.ts';

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
