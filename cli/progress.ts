// Shows a running operation on stderr: redrawn in place on a terminal, one line for each piece of news elsewhere.
// Written here rather than with a task library, since the command watches work that happens elsewhere: a step may
// be finished, started and running again between two looks at it.

import type { OperationView } from '../core/api/contract.ts';
import type { StepRecord } from '../core/fleet.ts';
import { formatDuration, remainingTime } from './durations.ts';
import type { Output } from './output.ts';
import { progressLines, recordedSeconds, titleOf } from './progress-view.ts';
import { plainText } from './table.ts';

export interface Progress {
  update(operation: OperationView): void;
  /** Something about the watching itself, for example that the API does not answer; empty when that is over. */
  notice(text: string): void;
  /** Ends the display; what is on the screen stays. */
  stop(): void;
}

/** Time since the operation's start: what its record covers, and since the record last grew this process's own clock. */
class Elapsed {
  #offset = 0;
  #since = performance.now();

  /** A record of which little was known at first, because a step was under way, catches up when the step ends. */
  update(operation: OperationView): void {
    const recorded = recordedSeconds(operation);
    if (recorded <= this.seconds()) return;
    this.#offset = recorded;
    this.#since = performance.now();
  }

  seconds(): number {
    return this.#offset + (performance.now() - this.#since) / 1000;
  }
}

/** What has been told of a step. */
interface Seen {
  readonly failed: boolean;
  readonly message: string;
}

/** Lines for logs and pipes. */
export class PlainProgress implements Progress {
  readonly #output: Output;
  #elapsed: Elapsed | undefined;
  #quietSince = performance.now();
  readonly #seen = new Map<string, Seen>();
  /** The step the last line was about. */
  #current = '';

  constructor(output: Output) {
    this.#output = output;
  }

  update(operation: OperationView): void {
    const joined = this.#elapsed === undefined;
    this.#elapsed ??= new Elapsed();
    this.#elapsed.update(operation);
    if (joined) this.#join(operation);
    for (const step of operation.steps) this.#news(operation, step);
    this.#heartbeat(operation);
  }

  notice(text: string): void {
    this.#line(text === '' ? 'the Petra API answers again' : text);
  }

  stop(): void {}

  #news(operation: OperationView, step: StepRecord): void {
    const before = this.#seen.get(step.name);
    const title = titleOf(operation, step.name);
    const now: Seen = { failed: step.status === 'Failed', message: plainText(step.message ?? '') };
    this.#seen.set(step.name, now);
    if (before === undefined) this.#line(title, step.name);
    if (now.failed && !before?.failed) {
      // A state machine tries some failures again: the code says what it was, whether or not the operation goes on.
      this.#line(`${title}: failed${step.failure ? ` [${step.failure.code}]` : ''}`, step.name);
    } else if (now.message !== '' && now.message !== before?.message) {
      // A step that runs again, for the next provider, has other lines between its title and its message.
      this.#line(this.#current === step.name ? `  ${now.message}` : `${title}: ${now.message}`, step.name);
    }
  }

  /** Steps that were done before this command came: counted, not listed. */
  #join(operation: OperationView): void {
    const done = operation.steps.filter((step) => step.status === 'Succeeded');
    if (done.length === 0) return;
    for (const step of done)
      this.#seen.set(step.name, { failed: false, message: plainText(step.message ?? '') });
    this.#line(`${done.length} of ${operation.plannedSteps.length} steps are done`);
  }

  /** Build systems end jobs that say nothing for some minutes. */
  #heartbeat(operation: OperationView): void {
    if (performance.now() - this.#quietSince < 60_000) return;
    const running = operation.steps.findLast((step) => step.status === 'Running');
    const left = remainingTime(operation.estimateSeconds, this.#elapsed?.seconds() ?? 0);
    this.#line(
      `still at: ${running ? titleOf(operation, running.name) : operation.verb}${left ? ` (${left})` : ''}`,
    );
  }

  #line(text: string, step = ''): void {
    this.#current = step;
    this.#quietSince = performance.now();
    this.#output.note(`${formatDuration(this.#elapsed?.seconds() ?? 0).padStart(6)}  ${text}`);
  }
}

const eraseBelow = '\u001b[0J';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

/** A block of lines that redraws itself. */
export class AnimatedProgress implements Progress {
  readonly #output: Output;
  readonly #timer: NodeJS.Timeout;
  #operation: OperationView | undefined;
  #elapsed: Elapsed | undefined;
  #notice = '';
  #frame = 0;
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
    output.draw(hideCursor);
    this.#timer = setInterval(() => this.#draw(), 100);
  }

  update(operation: OperationView): void {
    this.#elapsed ??= new Elapsed();
    this.#elapsed.update(operation);
    this.#operation = operation;
  }

  notice(text: string): void {
    this.#notice = text;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#output.draw(showCursor);
  }

  #draw(): void {
    if (this.#operation === undefined || this.#elapsed === undefined) return;
    const { columns, rows } = this.#output.size();
    const lines = progressLines(this.#operation, {
      channel: this.#output.notes,
      columns,
      rows,
      frame: this.#frame++,
      elapsedSeconds: this.#elapsed.seconds(),
      ...(this.#notice === '' ? {} : { notice: this.#notice }),
    });
    // A window that became lower has scrolled the top of the block away.
    const up = Math.min(this.#drawn, rows - 1);
    this.#output.draw(`${up > 0 ? `\u001b[${up}A` : ''}\r${eraseBelow}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}

/** The display that suits the terminal, or the lack of one. */
export function startProgress(output: Output): Progress {
  return output.animated ? new AnimatedProgress(output) : new PlainProgress(output);
}
