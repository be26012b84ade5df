import { readFileSync } from 'node:fs';
import { ensureStarted } from '../core/begin-operation.ts';
import { everyCluster } from '../core/every-cluster.ts';
import type { ClusterRecord, Verb } from '../core/fleet.ts';
import type { Ports } from '../core/petra.ts';
import type { ExecutionState, WorkflowInput, Workflows } from '../core/ports.ts';
import { steps } from '../core/steps/catalogue.ts';
import type { StepInput } from '../core/steps/context.ts';
import { recordFailure } from '../core/steps/finish.ts';
import { runFinalStep, runStep } from '../core/steps/run-step.ts';
import type { Faults } from './faults.ts';
import type { Log } from './log.ts';
import type { Pace } from './pace.ts';
import { runWorkflow } from './run-workflow.ts';

/** The definitions, as they would be deployed. */
export function readStateMachine(verb: Verb | 'reconcile'): object {
  return JSON.parse(readFileSync(new URL(`../state-machines/${verb}.asl.json`, import.meta.url), 'utf8'));
}

/** Runs state machines in this process. The twin of Step Functions for one machine. */
export class LocalWorkflows implements Workflows {
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #pace: Pace;
  readonly #faults: Faults;
  readonly #log: Log;
  #ports: Ports | undefined;

  constructor(options: { readonly pace: Pace; readonly faults: Faults; readonly log: Log }) {
    this.#pace = options.pace;
    this.#faults = options.faults;
    this.#log = options.log;
  }

  /** Gives the steps what they work with; a second phase because the ports include this very object. */
  connect(ports: Ports): void {
    this.#ports = ports;
  }

  async start(execution: {
    readonly id: string;
    readonly verb: Verb;
    readonly input: WorkflowInput;
  }): Promise<void> {
    const { id, verb, input } = execution;
    if (this.#running.has(id) || this.#stop.signal.aborted) return;
    const operation = await this.#connected().operations.find(id);
    if (operation && operation.status !== 'Running') return;
    if (this.#running.has(id)) return;
    const run = runWorkflow(readStateMachine(verb), input, {
      pace: this.#pace,
      signal: this.#stop.signal,
      task: (state, payload) => this.#task(verb, state, payload as StepInput),
    })
      .then(() => this.#log('operation ended', { operation: id, status: 'succeeded' }))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#log('operation ended', { operation: id, status: 'failed', error: String(error) });
      })
      .finally(() => this.#running.delete(id));
    this.#running.set(id, run);
    this.#log('operation started', { operation: id });
  }

  /** What this process does not run, and no record says has ended, is as if it had never been started. */
  async state({ id }: { readonly id: string }): Promise<ExecutionState> {
    if (this.#running.has(id)) return 'running';
    const operation = await this.#connected().operations.find(id);
    if (!operation || operation.status === 'Running') return 'absent';
    return operation.status === 'Succeeded' ? 'succeeded' : 'failed';
  }

  /** Starts again what an earlier process did not end. */
  async resume(): Promise<void> {
    const ports = this.#connected();
    for await (const record of everyCluster(ports)) await this.#resumeOne(ports, record);
    await this.#closeOrphans(ports);
  }

  async #resumeOne(ports: Ports, record: ClusterRecord): Promise<void> {
    if (!record.lock) return;
    this.#log('operation resumed after a restart', { operation: record.operation.id });
    await ports.ledger.append({
      cluster: record.name,
      uid: record.uid,
      at: ports.clock.now().toISOString(),
      operationId: record.operation.id,
      verb: 'restart',
      outcome: 'started',
      message: 'Petra was started again and goes on',
      caller: record.lock.holder,
    });
    await ensureStarted(ports, record);
  }

  /** Operations that gave their lock back and were killed before they were closed. */
  async #closeOrphans(ports: Ports): Promise<void> {
    const { items } = await ports.operations.list({ limit: 100 });
    for (const { id, verb, cluster, uid, fence, status } of items) {
      if (status !== 'Running' || this.#running.has(id)) continue;
      await recordFailure(ports, { operation: { id, verb, cluster, uid, fence } });
    }
  }

  /** Resolves when this execution, if it runs here, has ended. */
  async settled(id: string): Promise<void> {
    await this.#running.get(id);
  }

  /** Ends all executions at their next state, and waits until none runs. What they began is resumed by the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running.values());
  }

  async #task(verb: Verb, state: string, payload: StepInput): Promise<unknown> {
    const ports = this.#connected();
    await this.#crashIfAsked(verb, state, 'before');
    const step = steps[verb][state];
    if (state !== 'RecordFailure' && !step)
      throw new Error(`state machine ${verb} has an unknown state ${state}`);
    const run = step?.final ? runFinalStep : runStep;
    const output = step ? await run(ports, state, step, payload) : await recordFailure(ports, payload);
    await this.#crashIfAsked(verb, state, 'after');
    return output;
  }

  /** For the tests of what a kill leaves behind: `petra local up --fault crash:init.LaunchServers:after`. */
  async #crashIfAsked(verb: Verb, state: string, when: 'before' | 'after'): Promise<void> {
    if (await this.#faults.takeCrash(`${verb}.${state}`, when)) process.kill(process.pid, 'SIGKILL');
  }

  #connected(): Ports {
    if (!this.#ports) throw new Error('connect() comes before the first start');
    return this.#ports;
  }
}
