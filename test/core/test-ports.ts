// Ports for tests of core: the real data layer on an in-memory table, a clock that the test moves, and a record of the
// executions that would have been started. Whatever else a test needs, it passes in.

import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { DynamoDbLedger } from '../../adapters/dynamodb-ledger.ts';
import { DynamoDbOperations } from '../../adapters/dynamodb-operations.ts';
import { DynamoDbResourceLedger } from '../../adapters/dynamodb-resource-ledger.ts';
import { checkClusterSpec } from '../../core/capi/cluster-spec.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import type { LedgerEvent } from '../../core/fleet.ts';
import { defaultLimits, type Ports } from '../../core/petra.ts';
import type { WorkflowInput } from '../../core/ports.ts';
import { openDatabase } from '../../local/database.ts';

export interface TestPorts extends Ports {
  /** Ids of executions, in the order of their starting. */
  readonly started: string[];
  readonly inputs: WorkflowInput[];
  /** What was told to the world outside. */
  readonly published: Omit<LedgerEvent, 'seq'>[];
  /** Moves the clock. */
  pass(seconds: number): void;
  close(): Promise<void>;
}

function unused(port: string): never {
  throw new Error(`this test has no ${port}`);
}

/** A port that no test may touch unless it brought its own. */
function absent<T extends object>(port: string): T {
  return new Proxy({} as T, { get: () => () => unused(port) });
}

export async function testPorts(parts: Partial<Ports> = {}): Promise<TestPorts> {
  const { client, tableName, close } = await openDatabase();
  let now = Date.parse('2026-11-23T12:00:00.000Z');
  let uids = 0;
  const started: string[] = [];
  const inputs: WorkflowInput[] = [];
  const published: Omit<LedgerEvent, 'seq'>[] = [];
  return {
    clock: { now: () => new Date(now) },
    newUid: () => {
      uids += 1;
      return `${String(uids).padStart(8, '0')}-1111-4222-8333-444444444444`;
    },
    newToken: () => 'token-of-the-test',
    settings: {
      mode: 'local',
      version: '0.0.0',
      limits: defaultLimits,
      leaseSeconds: 900,
      providerVariables: {},
    },
    fleet: new DynamoDbFleetStore(client, tableName),
    operations: new DynamoDbOperations(client, tableName),
    ledger: new DynamoDbLedger(client, tableName),
    resources: new DynamoDbResourceLedger(client, tableName),
    workflows: {
      start: async ({ id, input }) => {
        if (started.includes(id)) return;
        started.push(id);
        inputs.push(input);
      },
      state: async ({ id }) => (started.includes(id) ? 'running' : 'absent'),
    },
    machines: absent('Machines'),
    networks: absent('Networks'),
    secrets: absent('Secrets'),
    artifacts: absent('Artifacts'),
    releases: absent('Releases'),
    tagged: absent('TaggedResources'),
    kubernetes: absent('KubernetesAccess'),
    diagnosis: absent('NodeDiagnosis'),
    quotas: absent('Quotas'),
    permissions: absent('Permissions'),
    events: { publish: async (event) => void published.push(event) },
    metrics: { record: () => undefined },
    ...parts,
    started,
    inputs,
    published,
    pass: (seconds) => {
      now += seconds * 1000;
    },
    close,
  };
}

/** A workload spec; `change` edits its JSON before it is checked. */
export function workloadSpec(name = 'dev', change: Record<string, unknown> = {}): ClusterSpec {
  return checkClusterSpec(
    {
      apiVersion: 'petra.sh/v1alpha1',
      kind: 'Cluster',
      metadata: { name },
      spec: {
        kubernetes: { version: 'v1.35.3+k3s1' },
        target: { type: 'aws', region: 'us-west-1' },
        nodes: { controlPlane: { count: 1 }, workers: { count: 2 } },
        ...change,
      },
    },
    'any',
  );
}

/** A management spec. */
export function managementSpec(name = 'mgmt'): ClusterSpec {
  return workloadSpec(name, {
    management: {
      capiVersion: 'v1.9.5',
      capaVersion: 'v2.7.2',
      cabpK3sVersion: 'v0.3.1',
      cacpK3sVersion: 'v0.3.1',
      certManagerVersion: 'v1.17.1',
    },
  });
}
