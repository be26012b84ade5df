import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { PetraError } from '../../../core/errors.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { logTail } from '../../local-server.ts';
import { stateFiles } from '../../local-state.ts';
import { addStateOption, localFolder, type StateOptions } from '../../state-option.ts';
import { wholeNumber } from '../../whole-number.ts';

interface LogsOptions extends StateOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

/** `petra local logs`: what the Petra of this machine has logged. */
export function registerLocalLogs(parent: Command, context: Context): void {
  const command = parent
    .command('logs')
    .summary("show the local Petra's log")
    .description("Show the end of the local Petra's log: one JSON object a line.")
    .addOption(
      new Option('-n, --lines <number>', 'how many lines')
        .argParser((text) => wholeNumber(text, '--lines', 0))
        .default(50),
    )
    .option('-w, --follow', 'go on with new lines until Ctrl-C');
  addStateOption(command);
  addExamples(command, 'petra local logs', 'petra local logs -n 0 --follow');
  command.action(async (options: LogsOptions) => {
    const { log } = stateFiles(localFolder(options, context));
    if (!existsSync(log)) {
      throw new PetraError('FileUnreadable', `there is no log at ${log}`, {
        fix: 'Start the local Petra: `petra local up`.',
      });
    }
    const size = statSync(log).size;
    const tail = options.lines === 0 ? [] : logTail(localFolder(options, context), 0, options.lines);
    if (tail.length > 0) context.output.result(tail.join('\n'));
    if (options.follow) await followFile(log, size, context);
  });
}

/** Prints what is appended. Polls, since file events miss changes on some file systems; starts over after a reset. */
async function followFile(file: string, start: number, context: Context): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let position = start;
  while (!stop.signal.aborted) {
    await sleep(200, undefined, { signal: stop.signal }).catch(() => undefined);
    if (!existsSync(file)) continue;
    const { size } = statSync(file);
    if (size < position) position = 0;
    if (size === position) continue;
    const bytes = Buffer.alloc(size - position);
    const handle = openSync(file, 'r');
    const length = readSync(handle, bytes, 0, bytes.length, position);
    closeSync(handle);
    // Half a line waits for its rest.
    const end = bytes.subarray(0, length).lastIndexOf(0x0a) + 1;
    if (end > 0) context.output.result(bytes.subarray(0, end).toString('utf8'));
    position += end;
  }
}
