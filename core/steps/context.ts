import { PetraError } from '../errors.ts';
import type { ClusterRecord, OperationRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';
import type { WorkflowInput } from '../ports.ts';

/** The payload of a Task state: the operation, and the few facts that earlier states left for it. */
export interface StepInput extends WorkflowInput {
  /** When the phase that is being waited for must be over: an ISO time. */
  readonly deadline?: string;
  /** Whether any server of the management cluster runs, so that its API can be asked. */
  readonly serversRun?: boolean;
  /** sha256 of each part of the installation, by name. */
  readonly components?: Readonly<Record<string, string>>;
  /** What a Catch put into the state. */
  readonly error?: { readonly Error?: string; readonly Cause?: string };
}

/** What running any step takes: its lock, its timeline and the ledger. */
export type StepPorts = Pick<Ports, 'clock' | 'settings' | 'fleet' | 'operations' | 'ledger'>;

/** What ending an operation takes besides: the world outside is told. */
export type EndPorts = Pick<Ports, 'events' | 'metrics'>;

/**
 * What a step works with: the ports it names, and those that every step has. The lock was renewed and the record read
 * when it began.
 */
export type StepContext<P extends keyof Ports = never> = StepPorts &
  Pick<Ports, P> & {
    readonly record: ClusterRecord;
    readonly operation: OperationRecord;
    readonly lease: { readonly cluster: string; readonly uid: string; readonly fence: number };
  };

/** When a phase that may last `seconds` must be over. */
export function deadlineAfter(context: Pick<StepContext, 'clock'>, seconds: number): string {
  return new Date(context.clock.now().getTime() + seconds * 1000).toISOString();
}

/** Whether the deadline in the state has passed. @throws InternalError when the state has none. */
export function isOver(context: Pick<StepContext, 'clock'>, input: StepInput): boolean {
  return context.clock.now().toISOString() >= required(input, 'deadline');
}

/** A fact an earlier state must have left. @throws InternalError when it did not: the state machine is wrong. */
export function required<K extends keyof StepInput>(input: StepInput, key: K): NonNullable<StepInput[K]> {
  const value = input[key];
  if (value === undefined || value === null) {
    throw new PetraError('InternalError', `the state machine gave no "${key}" to this step`);
  }
  return value;
}
