// A Petra in the test's own process: real state machines, steps, data layer, simulated cloud and controllers; only the
// two HTTP layers (Petra's API and the Kubernetes API) are left out. Fast enough for a table of cases.

import { type Begun, beginMaking, beginRemoval } from '../../core/begin-operation.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import type { OperationOptions, OperationRecord } from '../../core/fleet.ts';
import type { Limits, Ports } from '../../core/petra.ts';
import type { Clock } from '../../core/ports.ts';
import { openSimulatedCloud, type SimulatedCloud } from '../../local/cloud/simulated-cloud.ts';
import { Disk } from '../../local/disk.ts';
import { Faults, parseFault } from '../../local/faults.ts';
import { ManagementClusters } from '../../local/management-clusters.ts';
import { Pace } from '../../local/pace.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';
import { type TestPorts, testPorts } from '../core/test-ports.ts';
import { InterruptibleWorkflows } from './interruptible-workflows.ts';
import { type PortFault, withPortFaults } from './port-faults.ts';
import { InProcessApis } from './store-kubernetes.ts';

export interface WholePetra {
  readonly ports: Ports;
  readonly apis: InProcessApis;
  readonly cloud: SimulatedCloud;
  readonly disk: Disk;
  readonly workflows: InterruptibleWorkflows;
  readonly log: readonly string[];
  /** Each begins its verb and answers with the operation when it has ended. */
  init(spec: ClusterSpec): Promise<OperationRecord>;
  create(spec: ClusterSpec, management?: string): Promise<OperationRecord>;
  delete(name: string): Promise<OperationRecord>;
  destroy(name: string, options?: OperationOptions): Promise<OperationRecord>;
  /** The operation that was begun, when it has ended. */
  ended(begun: Begun): Promise<OperationRecord>;
  /** Faults of single calls, in force as long as they are in here. */
  readonly portFaults: PortFault[];
  /** Ends all faults and short limits. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

/** Everything below a phase's limit is waiting of this machine, which no pace shortens. */
const generous = everyLimit(60);

/** Limits that end every wait soon, to see what a deadline says. */
export const shortLimits: Limits = everyLimit(0.3);

export const caller = 'local:tester';

export async function wholePetra(
  options: {
    readonly faults?: readonly string[];
    readonly limits?: Partial<Limits>;
    readonly portFaults?: readonly PortFault[];
    /** The region of the stack. */
    readonly region?: string;
    /** In place of the machine's own clock. */
    readonly clock?: Clock;
  } = {},
): Promise<WholePetra> {
  const disk = Disk.inMemory();
  const pace = new Pace(2000);
  const asked = (options.faults ?? []).map(parseFault);
  const faults = new Faults(disk, asked);
  const log: string[] = [];
  const note = (message: string, fields: object = {}) =>
    void log.push(`${message} ${JSON.stringify(fields)}`);
  const apis = new InProcessApis(disk);
  const clusters = new ManagementClusters({ disk, kubernetes: apis, pace, faults, log: note });
  const cloud = openSimulatedCloud({ disk, pace, faults, kubernetes: clusters, log: note });
  const workflows = new InterruptibleWorkflows({ disk, faults: asked, pace, log: note });
  const base: TestPorts = await testPorts();
  let limits: Limits = { ...generous, ...options.limits };
  const portFaults: PortFault[] = [...(options.portFaults ?? [])];
  const usual: Ports = {
    ...base,
    clock: options.clock ?? { now: () => new Date() },
    workflows,
    settings: {
      ...base.settings,
      ...(options.region === undefined ? {} : { region: options.region }),
      get limits() {
        return limits;
      },
    },
    machines: cloud.machines,
    networks: cloud.networks,
    secrets: cloud.secrets,
    artifacts: cloud.artifacts,
    tagged: cloud.tagged,
    diagnosis: cloud.diagnosis,
    quotas: cloud.quotas,
    permissions: cloud.permissions,
    releases: new SyntheticReleases({ faults }),
    kubernetes: apis,
  };
  const ports = withPortFaults(usual, portFaults);
  workflows.connect(ports);
  clusters.start(cloud.tagged);
  cloud.start();

  const ended = async ({ operation }: Begun): Promise<OperationRecord> => {
    if (!operation) throw new Error('nothing runs');
    await workflows.settled(operation.id);
    const record = await ports.operations.find(operation.id);
    if (!record || record.status === 'Running')
      throw new Error(`${operation.id} did not end:\n${log.join('\n')}`);
    return record;
  };
  return {
    ports,
    apis,
    cloud,
    disk,
    workflows,
    log,
    init: async (spec) => ended(await beginMaking(ports, { verb: 'init', spec, caller })),
    create: async (spec, management = 'mgmt') =>
      ended(await beginMaking(ports, { verb: 'create', spec, management, caller })),
    delete: async (name) => ended(await beginRemoval(ports, { verb: 'delete', name, caller, options: {} })),
    destroy: async (name, removal = {}) =>
      ended(await beginRemoval(ports, { verb: 'destroy', name, caller, options: removal })),
    ended,
    portFaults,
    recover: async () => {
      portFaults.length = 0;
      await faults.clear();
      limits = generous;
    },
    close: async () => {
      await workflows.stop();
      await cloud.stop();
      await clusters.stop();
      await base.close();
    },
  };
}

function everyLimit(seconds: number): Limits {
  return {
    api: seconds,
    nodes: seconds,
    certManager: seconds,
    provider: seconds,
    webhooks: seconds,
    cluster: seconds,
    deletion: seconds,
    machines: seconds,
    residue: seconds,
    workloads: seconds,
  };
}
