// An account in which nothing speaks against a cluster, for a test to spoil.

import type { Ports } from '../../../core/petra.ts';
import type { Quota, QuotaName } from '../../../core/ports.ts';
import type { SimulatedCloud } from '../../../local/cloud/simulated-cloud.ts';
import { SyntheticReleases } from '../../../local/synthetic-releases.ts';
import { cloudOf } from '../../local/cloud-fixture.ts';
import { type PortFault, withPortFaults } from '../../state-machines/port-faults.ts';
import { type TestPorts, testPorts } from '../test-ports.ts';

export interface Account {
  readonly ports: Ports;
  readonly cloud: SimulatedCloud;
  close(): Promise<void>;
}

/** Ports with the simulated cloud and releases; `faults` answer single calls otherwise. */
export async function openAccount(
  faults: readonly PortFault[] = [],
  asked: readonly string[] = [],
): Promise<Account> {
  const base: TestPorts = await testPorts();
  const cloud = cloudOf({ faults: asked });
  const { machines, networks, tagged, quotas, permissions } = cloud;
  const releases = new SyntheticReleases();
  const ports = withPortFaults(
    { ...base, machines, networks, tagged, quotas, permissions, releases },
    faults,
  );
  return { ports, cloud, close: () => base.close() };
}

/** A call that answers so. */
export function answering(call: string, value: unknown): PortFault {
  return { call, instead: async () => value };
}

/** Quotas as they are, but for these numbers. */
export function quotasWith(change: Partial<Record<QuotaName, Partial<Quota>>>): PortFault {
  return {
    call: 'quotas.read',
    instead: async (usual) => {
      const quotas = new Map((await usual()) as ReadonlyMap<QuotaName, Quota>);
      for (const [name, quota] of quotas) quotas.set(name, { ...quota, ...change[name] });
      return quotas;
    },
  };
}
