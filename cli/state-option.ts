import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { defaultStateFolder } from './local-state.ts';

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

/** The state folder of the local Petra. */
export function localFolder(options: StateOptions, context: Context): string {
  return defaultStateFolder(options.state === undefined ? context.env : { PETRA_STATE: options.state });
}
