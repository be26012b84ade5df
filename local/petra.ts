// A whole Petra in one process: the composition root for one machine, beside lambdas/ for AWS.

import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { DynamoDbFleetStore } from '../adapters/dynamodb-fleet-store.ts';
import { DynamoDbLedger } from '../adapters/dynamodb-ledger.ts';
import { DynamoDbOperations } from '../adapters/dynamodb-operations.ts';
import { DynamoDbResourceLedger } from '../adapters/dynamodb-resource-ledger.ts';
import { HttpKubernetesAccess } from '../adapters/http-kubernetes.ts';
import { defaultLimits, type Limits, type Ports } from '../core/petra.ts';
import { openPrivateDisk } from './cloud/private-disk.ts';
import { openSimulatedCloud } from './cloud/simulated-cloud.ts';
import { openDatabase } from './database.ts';
import { Faults, type parseFault } from './faults.ts';
import { FaultyKubernetesAccess } from './faulty-kubernetes.ts';
import { SimulatedKubernetes } from './kubernetes/api-server.ts';
import type { Log } from './log.ts';
import { ManagementClusters } from './management-clusters.ts';
import { Pace } from './pace.ts';
import { Reconciliation } from './reconciliation.ts';
import { serveApi } from './server.ts';
import { openStateFolder } from './state-folder.ts';
import { SyntheticReleases } from './synthetic-releases.ts';
import { LocalWorkflows } from './workflows.ts';

/** A workload cluster, five to fifteen minutes on AWS, then takes about five seconds. */
const defaultSpeed = 60;

export interface LocalOptions {
  readonly stateFolder: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Simulated seconds per real second; absent: as the last time, or `defaultSpeed`. */
  readonly speed?: number;
  readonly faults: readonly ReturnType<typeof parseFault>[];
  /** The least a phase may last, in real seconds: the machine itself does not get faster with the simulation. */
  readonly shortestLimit: number;
  readonly version: string;
  readonly log: Log;
}

/** Opens everything, goes on with what an earlier process left unfinished, and serves the API. */
export async function startLocalPetra(
  options: LocalOptions,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { log, version } = options;
  const state = await openStateFolder(options.stateFolder);
  const speed = (await state.speed(options.speed)) ?? defaultSpeed;
  const pace = new Pace(speed);
  // First of all: the database says whether another process has this state.
  const database = await openDatabase(await state.inside('database'));
  const disk = await openPrivateDisk(path.join(state.folder, 'simulated'));
  const faults = new Faults(disk, options.faults);
  const kubernetes = new SimulatedKubernetes({ disk, folder: await state.inside('kubernetes') });
  await kubernetes.start();
  const clusters = new ManagementClusters({ disk, kubernetes, pace, faults, log });
  const cloud = openSimulatedCloud({ disk, pace, faults, kubernetes: clusters, log });
  const workflows = new LocalWorkflows({ pace, faults, log });
  const clock = { now: () => new Date() };
  const ports: Ports = {
    clock,
    newUid: randomUUID,
    newToken: () => randomBytes(32).toString('hex'),
    settings: {
      mode: 'local',
      version,
      limits: scaleLimits(speed, options.shortestLimit),
      leaseSeconds: 15 * 60,
      providerVariables: {},
    },
    fleet: new DynamoDbFleetStore(database.client, database.tableName),
    operations: new DynamoDbOperations(database.client, database.tableName),
    ledger: new DynamoDbLedger(database.client, database.tableName),
    resources: new DynamoDbResourceLedger(database.client, database.tableName),
    workflows,
    machines: cloud.machines,
    networks: cloud.networks,
    secrets: cloud.secrets,
    artifacts: cloud.artifacts,
    tagged: cloud.tagged,
    diagnosis: cloud.diagnosis,
    quotas: cloud.quotas,
    permissions: cloud.permissions,
    events: { publish: async (event) => log('event', { ...event }) },
    metrics: { record: (values) => log('metrics', values) },
    releases: new SyntheticReleases({ faults }),
    kubernetes: new FaultyKubernetesAccess(new HttpKubernetesAccess(), faults),
  };
  workflows.connect(ports);
  clusters.start(cloud.tagged);
  cloud.start();
  const server = await serveApi(ports, { token: state.token, port: options.port, log });
  await workflows.resume();
  const reconciliation = new Reconciliation({ ports, pace, log });
  reconciliation.start();
  await state.publish({
    url: server.url,
    pid: process.pid,
    startedAt: clock.now().toISOString(),
    version,
    speed,
  });
  log('ready', { url: server.url, speed });
  return {
    url: server.url,
    close: async () => {
      await state.unpublish();
      await server.close();
      await reconciliation.stop();
      await workflows.stop();
      await cloud.stop();
      await clusters.stop();
      await kubernetes.stop();
      await disk.close();
      await database.close();
      log('stopped');
    },
  };
}

function scaleLimits(speed: number, shortest: number): Limits {
  const scaled = (phase: keyof Limits) => Math.max(defaultLimits[phase] / speed, shortest);
  return {
    api: scaled('api'),
    nodes: scaled('nodes'),
    certManager: scaled('certManager'),
    provider: scaled('provider'),
    webhooks: scaled('webhooks'),
    cluster: scaled('cluster'),
    deletion: scaled('deletion'),
    machines: scaled('machines'),
    residue: scaled('residue'),
    workloads: scaled('workloads'),
  };
}
