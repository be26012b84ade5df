import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { defaultStateFolder } from './local-state.ts';
import { usageError } from './usage.ts';

export interface StateOptions {
  readonly state?: string;
}

/** Adds `--state`. */
export function addStateOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--state <folder>',
      'state folder of the local Petra (default: PETRA_STATE, or petra/local under XDG_STATE_HOME)',
    ),
  );
}

/**
 * The state folder of the local Petra.
 * @throws InvalidUsage for an empty name, as an unset variable of a script leaves it
 */
export function localFolder(options: StateOptions, context: Context): string {
  if (options.state === '') throw usageError('--state is empty', 'Give the path of a folder.');
  return defaultStateFolder(options.state === undefined ? context.env : { PETRA_STATE: options.state });
}
