// The routes that change something, or ask what a change would take.

import { type BeginPorts, type Begun, beginMaking, beginRemoval } from '../begin-operation.ts';
import { checkClusterSpec } from '../capi/cluster-spec.ts';
import { hasCode, PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import { abandon, restingPhase } from '../steps/close-operation.ts';
import { refuseProtected } from '../steps/deletion-protection.ts';
import { workloadClusters, workloadClustersExist } from '../steps/destroy.ts';
import { chooseManagement } from './choose-management.ts';
import type { OperationAnswer, UnlockAnswer } from './contract.ts';
import { findCluster } from './find-cluster.ts';
import { acceptOptions, type PreflightPorts, runPreflight } from './preflight.ts';
import { type ApiRequest, type ApiResponse, flag, member, ok, part } from './request.ts';
import { clusterView, operationView } from './views.ts';

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
