import type { ClusterSpec } from './capi/spec-schema.ts';

/** A management cluster runs Cluster API; a workload cluster is made by one. */
export type ClusterKind = 'management' | 'workload';

/** The verbs that change something; each runs as one operation. */
export type Verb = 'init' | 'create' | 'delete' | 'destroy';

/**
 * Where a cluster is in its life. `Failed` means that the last operation ended in an error and nothing runs:
 * the same command again resumes it. `Deleted` is a tombstone: the name is free again.
 */
export type Phase = 'Initializing' | 'Creating' | 'Ready' | 'Deleting' | 'Destroying' | 'Failed' | 'Deleted';

/** The phase a cluster is in while a verb runs on it. */
export const phaseDuring: Readonly<Record<Verb, Phase>> = {
  init: 'Initializing',
  create: 'Creating',
  delete: 'Deleting',
  destroy: 'Destroying',
};

/** The single writer of a cluster. A lease: a holder that stops renewing it loses it at `expiresAt`. */
export interface Lock {
  readonly operationId: string;
  /** Grows with every new holder. A write that carries an older number is refused by the store. */
  readonly fence: number;
  /** Who asked for the operation: a caller's ARN, or `local:<user>`. */
  readonly holder: string;
  readonly acquiredAt: string;
  readonly expiresAt: string;
}

/** What Petra last saw of a cluster on its management cluster. */
export interface ObservedState {
  readonly phase?: string;
  readonly controlPlaneReplicas?: number;
  readonly controlPlaneReadyReplicas?: number;
  readonly workerReplicas?: number;
  readonly workerReadyReplicas?: number;
  /** Of k3s, as the control plane reports it. */
  readonly version?: string;
  readonly endpoint?: string;
  /** Messages of conditions that are not true, root cause first. */
  readonly messages?: readonly string[];
  readonly observedAt: string;
}

/** What a cluster's own record says of its last operation: enough to start it again if its record was never written. */
export interface OperationSummary {
  readonly id: string;
  readonly verb: Verb;
  readonly attempt: number;
  readonly options: OperationOptions;
  /** The operation whose stale lock this one took over; it is to be abandoned. */
  readonly supersedes?: string;
}

/** A cluster in the fleet: one item in the store. */
export interface ClusterRecord {
  readonly name: string;
  /** Never reused, unlike the name; tags every resource. */
  readonly uid: string;
  readonly kind: ClusterKind;
  /** Name of the management cluster; workload clusters only. */
  readonly management?: string;
  readonly region: string;
  readonly spec: ClusterSpec;
  readonly specHash: string;
  readonly phase: Phase;
  /** Whether something was made from the spec, so that a changed spec would mean changing a living cluster. */
  readonly materialized: boolean;
  /** The last fencing number handed out. */
  readonly fence: number;
  readonly lock?: Lock;
  /** The last operation, running or ended. */
  readonly operation: OperationSummary;
  readonly deletionProtection: boolean;
  readonly observed?: ObservedState;
  /** What reconciliation found amiss the last time; absent when all was well. */
  readonly findings?: readonly Finding[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly readyAt?: string;
  readonly deletedAt?: string;
}

/** Something that is not as it should be, found by reconciliation. It stays until a later look does not find it. */
export interface Finding {
  /** Stable name, for example `ClusterGone`. */
  readonly code: FindingCode;
  readonly message: string;
  /** The next step. */
  readonly fix: string;
  /** When it was first seen. */
  readonly since: string;
}

export type FindingCode =
  | 'ClusterGone'
  | 'ClusterUnknown'
  | 'ClusterEdited'
  | 'ClusterUnhealthy'
  | 'VersionDiffers'
  | 'ManagementUnreachable'
  | 'LockStale';

/** A failure as it is stored and shown: what went wrong, why, what to do. Never holds a secret. */
export interface Failure {
  /** Stable name from the catalogue in errors.ts. */
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly retryable: boolean;
  readonly source: 'user' | 'aws' | 'kubernetes' | 'petra';
  /** The state of the state machine in which it happened. */
  readonly step?: string;
  /** What was seen at the time: conditions, console output. */
  readonly evidence?: readonly string[];
  /** Messages of the underlying errors, outermost first. */
  readonly causes?: readonly string[];
}

export type OperationStatus = 'Running' | 'Succeeded' | 'Failed' | 'Abandoned';

/** One state of the workflow as the operation saw it. */
export interface StepRecord {
  readonly name: string;
  readonly status: 'Running' | 'Succeeded' | 'Failed';
  readonly startedAt: string;
  readonly endedAt?: string;
  /** How often it ran: polls and retries count. */
  readonly runs: number;
  /** What it is waiting for, or what it did; one line. */
  readonly message?: string;
  /** Why its last run failed. */
  readonly failure?: Failure;
}

/** One run of a verb on a cluster: one execution of a state machine. */
export interface OperationRecord {
  /** `<verb>-<cluster>-<uid8>-<attempt>`: also the name of the execution. */
  readonly id: string;
  readonly verb: Verb;
  readonly cluster: string;
  readonly uid: string;
  readonly attempt: number;
  readonly fence: number;
  readonly specHash: string;
  readonly caller: string;
  readonly status: OperationStatus;
  readonly options: OperationOptions;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** In the order in which they started. */
  readonly steps: readonly StepRecord[];
  readonly failure?: Failure;
  readonly warnings: readonly string[];
  /** What destroy and delete looked for, and found. */
  readonly residue?: readonly ResidueLine[];
}

export interface OperationOptions {
  /** destroy: delete the workload clusters first. */
  readonly cascade?: boolean;
  /** init and create: codes of findings of the preflight in spite of which the operation goes on. */
  readonly accept?: readonly string[];
}

/** One kind of thing that was looked for after a removal. */
export interface ResidueLine {
  /** For example `EC2 instances`. */
  readonly type: string;
  /** How it was searched, for example `tag petra.sh/uid=…`. */
  readonly searched: string;
  /** Ids of what was found; empty when nothing is left. */
  readonly found: readonly string[];
}

/** One line of the append-only ledger of a cluster. Successes and failures alike. */
export interface LedgerEvent {
  readonly cluster: string;
  readonly uid: string;
  readonly at: string;
  /** Position among events of one instant; set by the store. */
  readonly seq: string;
  readonly operationId?: string;
  readonly verb: Verb | 'unlock' | 'protect' | 'restart' | 'reconcile';
  /** Absent for the operation as a whole. */
  readonly step?: string;
  readonly outcome: 'started' | 'attached' | 'succeeded' | 'failed' | 'refused' | 'warned' | 'accepted';
  readonly code?: string;
  readonly message?: string;
  readonly caller: string;
  readonly durationMs?: number;
}

/** What kinds of thing Petra makes itself; CAPA's are found by its own tags. */
export type ResourceType = 'network-interface' | 'elastic-ip' | 'instance' | 'secret';

/** A resource in the ledger: written as an intent before it is made, completed with its id afterwards. */
export interface ResourceRecord {
  readonly cluster: string;
  readonly uid: string;
  readonly type: ResourceType;
  /** Natural key within the cluster, for example `server-0`. */
  readonly key: string;
  readonly state: 'intended' | 'made' | 'removed';
  /** The provider's id, once it is known. */
  readonly id?: string;
  readonly at: string;
}

/** The id of an operation and the name of its execution (at most 80 characters: a limit of Step Functions). */
export function operationId(verb: Verb, cluster: string, uid: string, attempt: number): string {
  return `${verb}-${cluster}-${uid.slice(0, 8)}-${attempt}`;
}

/** The attempt number at the end of an operation's id. */
export function attemptOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
