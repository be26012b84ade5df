// The schedule of a local Petra: runs the reconcile state machine again and again, as EventBridge Scheduler does on AWS.

import type { Ports } from '../core/petra.ts';
import { mendOperations } from '../core/steps/mend-operations.ts';
import { reconcileCluster, recordReconciliation } from '../core/steps/reconcile.ts';
import type { Log } from './log.ts';
import type { Pace } from './pace.ts';
import { runWorkflow, type TaskHandler } from './run-workflow.ts';
import { readStateMachine } from './workflows.ts';

/** Between the end of one run and the start of the next, in simulated seconds: the default of the stack's schedule. */
const periodSeconds = 5 * 60;

/** However fast time runs, the machine is not kept busy by this. */
const shortestPeriodMilliseconds = 2_000;

/** Does the work of one Task state of reconcile.asl.json. */
export function reconcileTask(ports: Ports): TaskHandler {
  const work: Readonly<Record<string, (payload: never) => Promise<unknown>>> = {
    MendOperations: () => mendOperations(ports),
    ReconcileCluster: (item: Parameters<typeof reconcileCluster>[1]) => reconcileCluster(ports, item),
    RecordReconciliation: (input: Parameters<typeof recordReconciliation>[1]) =>
      recordReconciliation(ports, input),
  };
  return async (state, payload) => {
    const run = work[state];
    if (!run) throw new Error(`state machine reconcile has an unknown state ${state}`);
    // What the state machine hands over is what its states left; a test holds them to the types.
    return run(payload as never);
  };
}

/** Reconciles on a schedule, one run after the other. */
export class Reconciliation {
  readonly #stop = new AbortController();
  readonly #ports: Ports;
  readonly #pace: Pace;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: { readonly ports: Ports; readonly pace: Pace; readonly log: Log }) {
    this.#ports = parts.ports;
    this.#pace = parts.pace;
    this.#log = parts.log;
  }

  /** Begins the schedule; the first run comes after one period. */
  start(): void {
    const period = Math.max(this.#pace.milliseconds(periodSeconds), shortestPeriodMilliseconds);
    this.#timer = setTimeout(() => {
      this.#running = this.run()
        .catch((error: unknown) => {
          if (!this.#stop.signal.aborted) this.#log('reconciliation failed', { error: String(error) });
        })
        .finally(() => {
          if (!this.#stop.signal.aborted) this.start();
        });
    }, period);
  }

  /** One run, now. */
  async run(): Promise<void> {
    await runWorkflow(
      readStateMachine('reconcile'),
      {},
      {
        pace: this.#pace,
        signal: this.#stop.signal,
        task: reconcileTask(this.#ports),
      },
    );
  }

  /** Ends the schedule; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }
}
