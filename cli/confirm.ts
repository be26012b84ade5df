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

/** Ctrl-C at a question: nothing was done. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted; nothing was done');
    this.name = 'Interrupted';
  }
}

/**
 * Lets pass what was confirmed: by `--yes`, or by typing the name on a terminal.
 * @throws ConfirmationRequired otherwise, Interrupted at Ctrl-C; nothing was sent then
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
  if (typed === what.answer) return;
  const given = typed === '' ? 'nothing was typed' : `"${typed}" is not "${what.answer}"`;
  throw new PetraError('ConfirmationRequired', `${given}; nothing was done`);
}

/** @throws Interrupted at Ctrl-C. Ctrl-D is no answer. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const over = new AbortController();
  let isInterrupted = false;
  terminal.once('SIGINT', () => {
    isInterrupted = true;
    over.abort();
  });
  terminal.once('close', () => over.abort());
  try {
    return (await terminal.question(question, { signal: over.signal })).trim();
  } catch {
    process.stderr.write('\n');
    if (isInterrupted) throw new Interrupted();
    return '';
  } finally {
    terminal.close();
  }
}
