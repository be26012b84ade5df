// What progress shows of an operation, as plain data and lines: no terminal, no clock.

import type { OperationView, PlannedStep } from '../core/api/contract.ts';
import type { StepRecord } from '../core/fleet.ts';
import { formatDuration, remainingTime } from './durations.ts';
import type { Channel } from './output.ts';
import { truncate } from './table.ts';

export interface ShownStep {
  readonly name: string;
  readonly title: string;
  readonly phase: string;
  readonly record?: StepRecord;
}

/** Planned steps with what is known of each, in order; steps nobody planned come last, under their own names. */
export function shownSteps(operation: OperationView): ShownStep[] {
  const records = new Map(operation.steps.map((step) => [step.name, step]));
  const planned = new Set(operation.plannedSteps.map((step) => step.name));
  const unplanned: PlannedStep[] = operation.steps
    .filter((step) => !planned.has(step.name))
    .map(({ name }) => ({ name, title: name, phase: 'other' }));
  return [...operation.plannedSteps, ...unplanned].map((step) => {
    const record = records.get(step.name);
    return record ? { ...step, record } : step;
  });
}

/**
 * Phases in order with the steps to show. Not every step runs in every operation: one that was passed over, which shows
 * when a later phase has begun or the operation has succeeded, is left out, and so is a poll that nobody finished.
 */
function shownPhases(operation: OperationView): [phase: string, steps: ShownStep[]][] {
  const phases = [...Map.groupBy(shownSteps(operation), (step) => step.phase)];
  const hasBegun = (steps: readonly ShownStep[]) => steps.some((step) => step.record !== undefined);
  const isDone = operation.status === 'Succeeded';
  const last = isDone ? phases.length : phases.findLastIndex(([, steps]) => hasBegun(steps));
  return phases.flatMap(([phase, steps], index): [string, ShownStep[]][] => {
    if (index >= last) return [[phase, steps]];
    const ran = steps.flatMap(({ record, ...step }): ShownStep[] => {
      if (record === undefined) return [];
      return [{ ...step, record: isDone ? { ...record, status: 'Succeeded' } : record }];
    });
    return ran.length === 0 ? [] : [[phase, ran]];
  });
}

/** What a person reads for a step. */
export function titleOf(operation: OperationView, stepName: string): string {
  return operation.plannedSteps.find((step) => step.name === stepName)?.title ?? stepName;
}

/** Seconds that the operation's own record covers. It is never compared with this machine's clock, which may differ. */
export function recordedSeconds(operation: OperationView): number {
  const start = Date.parse(operation.startedAt);
  const times = operation.steps.flatMap((step) => [step.startedAt, step.endedAt ?? step.startedAt]);
  if (operation.endedAt !== undefined) times.push(operation.endedAt);
  return Math.max(0, ...times.map((time) => (Date.parse(time) - start) / 1000));
}

/** Seconds a step took by its record; undefined while it runs. */
function stepSeconds(step: StepRecord): number | undefined {
  return step.endedAt === undefined
    ? undefined
    : (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
}

type State = 'pending' | 'running' | 'done' | 'failed';

function stateOf(steps: readonly ShownStep[]): State {
  const states = steps.map((step) => step.record?.status);
  if (states.includes('Failed')) return 'failed';
  if (states.includes('Running')) return 'running';
  if (states.every((state) => state === undefined)) return 'pending';
  return states.every((state) => state === 'Succeeded') ? 'done' : 'running';
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

function mark(state: State, frame: number, channel: Channel): string {
  switch (state) {
    case 'done':
      return channel.paint('green', '✔');
    case 'failed':
      return channel.paint('red', '✖');
    case 'running':
      return channel.paint('cyan', spinner[frame % spinner.length] ?? '·');
    case 'pending':
      return channel.paint('dim', '·');
  }
}

export interface Canvas {
  readonly channel: Channel;
  readonly columns: number;
  readonly rows: number;
  readonly frame: number;
  readonly elapsedSeconds: number;
  /** Shown at the end, for example that the API does not answer at the moment. */
  readonly notice?: string;
}

function phaseLines(phase: string, steps: readonly ShownStep[], canvas: Canvas): string[] {
  const { channel, columns, frame } = canvas;
  const state = stateOf(steps);
  const seconds = steps.reduce((sum, step) => sum + (step.record ? (stepSeconds(step.record) ?? 0) : 0), 0);
  const time = state === 'done' && seconds >= 1 ? `  ${formatDuration(seconds)}` : '';
  const name = truncate(phase, columns - 12);
  const head = `${mark(state, frame, channel)} ${state === 'pending' ? channel.paint('dim', name) : name}${channel.paint('dim', time)}`;
  if (state === 'done' || state === 'pending') return [head];
  const lines = steps.map((step) => {
    const own = stateOf([step]);
    const message = own !== 'done' && step.record?.message ? `  ${step.record.message}` : '';
    const title = truncate(step.title, columns - 6);
    const rest = truncate(message, Math.max(0, columns - 6 - title.length));
    return `    ${mark(own, frame, channel)} ${own === 'pending' ? channel.paint('dim', title) : title}${channel.paint('dim', rest)}`;
  });
  return [head, ...lines];
}

/** The operation as it stands: finished and coming phases as one line each, the running one with its steps. */
export function progressLines(operation: OperationView, canvas: Canvas): string[] {
  const { channel, columns } = canvas;
  const left = remainingTime(operation.estimateSeconds, canvas.elapsedSeconds);
  const time = `${formatDuration(canvas.elapsedSeconds)}${left ? `, ${left}` : ''}`;
  const attempt = operation.attempt > 1 ? ` (attempt ${operation.attempt})` : '';
  const title = truncate(`${operation.verb} ${operation.cluster}${attempt}`, columns - time.length - 3);
  const body = shownPhases(operation).flatMap(([phase, steps]) => phaseLines(phase, steps, canvas));
  const notice = canvas.notice ? [channel.paint('yellow', truncate(canvas.notice, columns - 1))] : [];
  // Redrawing moves the cursor up; what has scrolled out of the screen could not be reached.
  const room = Math.max(1, canvas.rows - 2 - notice.length);
  const shown = body.length <= room ? body : focus(body, room);
  return [`${channel.paint('bold', title)}  ${channel.paint('dim', time)}`, ...shown, ...notice];
}

/** The part of too many lines that ends a little after the last one with news. */
function focus(lines: readonly string[], room: number): string[] {
  const last = lines.findLastIndex((line) => !line.includes('·'));
  const end = Math.min(lines.length, Math.max(room, last + 2));
  return lines.slice(end - room, end);
}
