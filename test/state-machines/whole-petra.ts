// A Petra in the test's own process: real state machines, steps, data layer, simulated cloud and controllers; only the
// two HTTP layers (Petra's API and the Kubernetes API) are left out. Fast enough for a table of cases.

import { beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import type { OperationRecord } from '../../core/fleet.ts';
import { defaultLimits, type Limits, type Ports } from '../../core/petra.ts';
import { openSimulatedCloud, type SimulatedCloud } from '../../local/cloud/simulated-cloud.ts';
import { Disk } from '../../local/disk.ts';
import { Faults, parseFault } from '../../local/faults.ts';
import { ManagementClusters } from '../../local/management-clusters.ts';
import { Pace } from '../../local/pace.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';
import { LocalWorkflows } from '../../local/workflows.ts';
import { type TestPorts, testPorts } from '../core/test-ports.ts';
import { InProcessApis } from './store-kubernetes.ts';

export interface WholePetra {
  readonly ports: Ports;
  readonly apis: InProcessApis;
  readonly cloud: SimulatedCloud;
  readonly log: readonly string[];
  init(spec: ClusterSpec): Promise<OperationRecord>;
  create(spec: ClusterSpec, management?: string): Promise<OperationRecord>;
  delete(name: string): Promise<OperationRecord>;
  destroy(name: string, options?: { readonly cascade?: boolean }): Promise<OperationRecord>;
  close(): Promise<void>;
}

/** Everything below a phase's limit is waiting of this machine, which no pace shortens. */
const shortLimit = 2;

export async function wholePetra(
  options: {
    readonly faults?: readonly string[];
    readonly limits?: Partial<Limits>;
    readonly parts?: Partial<Ports>;
  } = {},
): Promise<WholePetra> {
  const disk = Disk.inMemory();
  const pace = new Pace(2000);
  const faults = new Faults(disk, (options.faults ?? []).map(parseFault));
  const log: string[] = [];
  const note = (message: string, fields: object = {}) =>
    void log.push(`${message} ${JSON.stringify(fields)}`);
  const apis = new InProcessApis(disk);
  const clusters = new ManagementClusters({ disk, kubernetes: apis, pace, faults, log: note });
  const cloud = openSimulatedCloud({ disk, pace, faults, kubernetes: clusters, log: note });
  const workflows = new LocalWorkflows({ pace, faults, log: note });
  const clock = { now: () => new Date() };
  const generous = Object.fromEntries(
    Object.keys(defaultLimits).map((phase) => [phase, 60]),
  ) as unknown as Limits;
  const base: TestPorts = await testPorts();
  const ports: Ports = {
    ...base,
    clock,
    workflows,
    settings: { ...base.settings, limits: { ...generous, ...options.limits } },
    machines: cloud.machines,
    networks: cloud.networks,
    secrets: cloud.secrets,
    artifacts: cloud.artifacts,
    tagged: cloud.tagged,
    releases: new SyntheticReleases({ faults }),
    kubernetes: apis,
    ...options.parts,
  };
  workflows.connect(ports);
  clusters.start(cloud.tagged);
  cloud.start();

  const ended = async (operation: OperationRecord | undefined): Promise<OperationRecord> => {
    if (!operation) throw new Error('nothing runs');
    await workflows.settled(operation.id);
    const record = await ports.operations.find(operation.id);
    if (!record || record.status === 'Running')
      throw new Error(`${operation.id} did not end:\n${log.join('\n')}`);
    return record;
  };
  const caller = 'local:tester';
  return {
    ports,
    apis,
    cloud,
    log,
    init: async (spec) => ended((await beginMaking(ports, { verb: 'init', spec, caller })).operation),
    create: async (spec, management = 'mgmt') =>
      ended((await beginMaking(ports, { verb: 'create', spec, management, caller })).operation),
    delete: async (name) =>
      ended((await beginRemoval(ports, { verb: 'delete', name, caller, options: {} })).operation),
    destroy: async (name, removal = {}) =>
      ended((await beginRemoval(ports, { verb: 'destroy', name, caller, options: removal })).operation),
    close: async () => {
      await workflows.stop();
      await cloud.stop();
      await clusters.stop();
      await base.close();
    },
  };
}

/** Limits that end every wait soon, to see what a deadline says. */
export const shortLimits: Limits = Object.fromEntries(
  Object.keys(defaultLimits).map((phase) => [phase, shortLimit]),
) as unknown as Limits;
