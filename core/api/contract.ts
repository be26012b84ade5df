// What travels over the HTTP API, for both sides. One route each; docs/openapi.json says the same.
//
//   POST   /management-clusters                 InitRequest    → 202 OperationAnswer (200 when nothing is to do)
//   DELETE /management-clusters/{name}?cascade  –              → 202 OperationAnswer (200 when it is already gone)
//   POST   /clusters                            CreateRequest  → 202 OperationAnswer (200 when nothing is to do)
//   GET    /clusters?kind&management&limit&cursor              → 200 List<ClusterView>
//   GET    /clusters/{name}                                    → 200 ClusterView (either kind)
//   DELETE /clusters/{name}                                    → 202 OperationAnswer (200 when it is already gone)
//   GET    /clusters/{name}/kubeconfig                         → 200 KubeconfigAnswer (either kind)
//   GET    /clusters/{name}/objects                            → 200 ObjectTree
//   GET    /clusters/{name}/events?after&limit                 → 200 List<LedgerEvent>
//   DELETE /clusters/{name}/lock                               → 200 UnlockAnswer
//   GET    /operations?cluster&limit&cursor                    → 200 List<OperationView>
//   GET    /operations/{id}                                    → 200 OperationView
//   GET    /findings?cluster&limit&cursor                      → 200 List<FindingView>
//   POST   /preflights                          PreflightRequest → 200 PreflightAnswer
//   GET    /health                                             → 200 Health
//
// Errors are application/problem+json: Problem.

import type { ClusterSpec } from '../capi/spec-schema.ts';
import type {
  ClusterKind,
  Failure,
  Finding,
  LedgerEvent,
  Lock,
  ObservedState,
  OperationRecord,
  OperationSummary,
  Phase,
  ResourceRecord,
} from '../fleet.ts';
import type { PreflightFinding } from '../preflight/finding.ts';
import type { PreflightPlan } from '../preflight/plan.ts';

/** A validated spec with `management`. */
export interface InitRequest {
  readonly spec: ClusterSpec;
  /** Codes of findings of the preflight in spite of which to go on. */
  readonly accept?: readonly string[];
}

/** A validated spec without `management`. */
export interface CreateRequest {
  readonly spec: ClusterSpec;
  /** Which management cluster; needed only when the fleet has several. */
  readonly management?: string;
  /** Codes of findings of the preflight in spite of which to go on. */
  readonly accept?: readonly string[];
}

/** A validated spec of either kind. */
export interface PreflightRequest {
  readonly spec: ClusterSpec;
  /** Of a workload cluster: which management cluster; needed only when the fleet has several. */
  readonly management?: string;
}

/** What the first state of init or create would find now. */
export interface PreflightAnswer {
  /** Errors first. */
  readonly findings: readonly PreflightFinding[];
  readonly plan: PreflightPlan;
  readonly checkedAt: string;
  readonly durationMs: number;
}

export interface ClusterView {
  readonly name: string;
  readonly uid: string;
  readonly kind: ClusterKind;
  readonly management?: string;
  readonly phase: Phase;
  readonly region: string;
  readonly version: string;
  readonly controlPlaneCount: number;
  readonly workerCount: number;
  readonly deletionProtection: boolean;
  readonly operation: OperationSummary;
  readonly lock?: Lock;
  readonly observed?: ObservedState;
  /** What is not as it should be, as the last reconciliation saw it; absent when all was well. */
  readonly findings?: readonly Finding[];
  /** Of the last operation, when it failed. */
  readonly failure?: Failure;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly readyAt?: string;
  /** Only for a single cluster, not in lists. */
  readonly spec?: ClusterSpec;
  /** Only for a single cluster: what Petra made for it. */
  readonly resources?: readonly ResourceRecord[];
}

export interface OperationView extends OperationRecord {
  /** Median duration of this verb's past successes, in seconds; absent when there is none. */
  readonly estimateSeconds?: number;
  /** Every state of the verb that does work, in order, so that progress can show what is still to come. */
  readonly plannedSteps: readonly PlannedStep[];
}

export interface PlannedStep {
  /** State in the state machine. */
  readonly name: string;
  /** What a person reads, for example `launch the control plane`. */
  readonly title: string;
  /** Groups steps in the display, for example `providers`. */
  readonly phase: string;
}

export interface OperationAnswer {
  /**
   * started: a first attempt. resumed: attempt n+1 after a failure. attached: it was already running.
   * unchanged: the cluster already is as asked. updated: only a setting was changed; nothing runs.
   */
  readonly outcome: 'started' | 'resumed' | 'attached' | 'unchanged' | 'updated';
  readonly cluster: ClusterView;
  /** Absent for `unchanged` and `updated`. */
  readonly operation?: OperationView;
  readonly warnings: readonly string[];
}

export interface KubeconfigAnswer {
  readonly cluster: string;
  readonly kubeconfig: string;
}

export interface UnlockAnswer {
  readonly cluster: ClusterView;
  /** The operation that held the lock. */
  readonly abandoned: string;
}

/** A cluster's objects as a tree, the Cluster at the root. */
export interface ObjectTree {
  readonly cluster: ClusterView;
  /** What stops the cluster, root cause first; empty when all is well. */
  readonly causes: readonly {
    readonly object: string;
    readonly condition: string;
    readonly message: string;
  }[];
  readonly root?: ObjectNode;
}

export interface ObjectNode {
  readonly kind: string;
  readonly name: string;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly since?: string;
  readonly deleting: boolean;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly since?: string;
  }[];
  readonly children: readonly ObjectNode[];
}

export interface List<T> {
  readonly items: readonly T[];
  /** Pass as `cursor` (events: `after`) for the next page. */
  readonly next?: string;
}

/** A finding with the cluster it is about. */
export interface FindingView extends Finding {
  readonly cluster: string;
  readonly kind: ClusterKind;
  readonly management?: string;
}

export type EventList = List<LedgerEvent>;

export interface Health {
  readonly status: 'ok';
  readonly version: string;
  /** `local` for a Petra on one machine, else the partition. */
  readonly mode: 'local' | 'aws' | 'aws-us-gov';
  readonly region?: string;
}

/** RFC 9457 problem details, with Petra's own members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly retryable: boolean;
  readonly source: Failure['source'];
  readonly evidence?: readonly string[];
  readonly details?: unknown;
}
