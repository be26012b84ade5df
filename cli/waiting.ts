import { type Command, Option } from 'commander';
import type { OperationView } from '../core/api/contract.ts';
import type { ApiClient } from './api-client.ts';
import type { Context } from './context.ts';
import { parseDuration } from './durations.ts';
import { followOperation } from './follow-operation.ts';
import { startProgress } from './progress.ts';

export interface WaitOptions {
  readonly wait: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** Adds `--timeout` alone, for commands that always wait. */
export function addTimeoutOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--timeout <duration>',
      'stop waiting after this long (20m, 1h30m); the operation goes on',
    ).argParser((text) => parseDuration(text, '--timeout')),
  );
}

/** Adds `--no-wait` and `--timeout`. */
export function addWaitOptions(command: Command): Command {
  return addTimeoutOption(
    command
      .optionsGroup('Waiting:')
      .addOption(new Option('--wait', 'wait for the end of the operation').default(true).hideHelp())
      .addOption(new Option('--no-wait', 'start the operation and return at once')),
  );
}

/** Follows an operation with progress on stderr; Ctrl-C detaches. */
export async function watch(
  context: Context,
  api: ApiClient,
  operation: OperationView,
  timeoutSeconds?: number,
): Promise<OperationView> {
  const detach = new AbortController();
  const onSignal = () => detach.abort();
  // Once: a second Ctrl-C ends the process at once, as everywhere.
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    return await followOperation(api, operation, startProgress(context.output), {
      signal: detach.signal,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    });
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
