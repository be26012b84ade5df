import { createInterface } from 'node:readline/promises';
import { PetraError } from '../core/errors.ts';
import type { Context } from './context.ts';

export interface Confirmation {
  /** What will happen, one line each, shown before the question. */
  readonly consequences: readonly string[];
  /** What has to be typed. */
  readonly answer: string;
  /** `delete the cluster`. */
  readonly action: string;
}

/**
 * Lets pass what was confirmed: by `--yes`, or by typing the name on a terminal.
 * @throws ConfirmationRequired otherwise; nothing was sent then
 */
export async function confirm(context: Context, yes: boolean | undefined, what: Confirmation): Promise<void> {
  const { output } = context;
  if (yes) return;
  for (const line of what.consequences) output.note(line);
  if (!process.stdin.isTTY || !output.notes.isTTY) {
    throw new PetraError(
      'ConfirmationRequired',
      `to ${what.action} needs a confirmation, and there is no terminal to ask on`,
      {
        fix: 'Add --yes to confirm.',
      },
    );
  }
  const typed = await ask(`Type ${output.notes.paint('bold', what.answer)} to ${what.action}: `);
  if (typed !== what.answer) {
    throw new PetraError('ConfirmationRequired', `"${typed}" is not "${what.answer}"; nothing was done`);
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question, { signal: closing(terminal) })).trim();
  } catch {
    return '';
  } finally {
    terminal.close();
  }
}

/** Ctrl-C and Ctrl-D at the question are a no. */
function closing(terminal: ReturnType<typeof createInterface>): AbortSignal {
  const controller = new AbortController();
  terminal.once('SIGINT', () => {
    process.stderr.write('\n');
    controller.abort();
  });
  terminal.once('close', () => controller.abort());
  return controller.signal;
}
