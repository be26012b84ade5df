// Clusters in a fleet, recorded as operations would leave them, without running any.

import { beginMaking } from '../../../core/begin-operation.ts';
import type { ClusterRecord, Phase } from '../../../core/fleet.ts';
import type { Ports } from '../../../core/petra.ts';
import { managementSpec, type TestPorts, workloadSpec } from '../test-ports.ts';

const caller = 'local:tester';

/** Begins a cluster and ends its operation in this phase; without one, it stays under way. */
export async function record(
  ports: Ports,
  name: string,
  {
    phase,
    management,
    materialized = false,
  }: { readonly phase?: Phase; readonly management?: string; readonly materialized?: boolean } = {},
): Promise<ClusterRecord> {
  const begun =
    management === undefined
      ? await beginMaking(ports, { verb: 'init', spec: managementSpec(name), caller })
      : await beginMaking(ports, { verb: 'create', spec: workloadSpec(name), management, caller });
  if (phase === undefined) return begun.record;
  const { uid, fence, operation } = begun.record;
  const at = ports.clock.now().toISOString();
  await ports.operations.finish(operation.id, {
    status: phase === 'Failed' ? 'Failed' : 'Succeeded',
    endedAt: at,
  });
  return ports.fleet.release(
    { cluster: name, uid, fence },
    {
      phase,
      materialized,
      updatedAt: at,
      ...(phase === 'Ready' ? { readyAt: at } : {}),
      ...(phase === 'Deleted' ? { deletedAt: at } : {}),
    },
  );
}

/** Lets the operation under way on a cluster end well after so many seconds. */
export async function succeedAfter(
  ports: TestPorts,
  { name, uid, fence, operation }: ClusterRecord,
  seconds: number,
) {
  ports.pass(seconds);
  const at = ports.clock.now().toISOString();
  await ports.fleet.release({ cluster: name, uid, fence }, { phase: 'Ready', readyAt: at, updatedAt: at });
  await ports.operations.finish(operation.id, { status: 'Succeeded', endedAt: at });
}
