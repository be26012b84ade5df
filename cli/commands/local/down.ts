import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { stopServer } from '../../local-server.ts';
import { addStateOption, localFolder, type StateOptions } from '../../state-option.ts';

/** `petra local down`: stop the Petra of this machine; its state stays. */
export function registerLocalDown(parent: Command, context: Context): void {
  const command = parent
    .command('down')
    .summary('stop the local Petra')
    .description(
      'Stop the local Petra. Its state stays, and unfinished operations continue when it starts again.',
    );
  addStateOption(command);
  addExamples(command, 'petra local down');
  command.action(async (options: StateOptions) => {
    const stopped = await stopServer(localFolder(options, context));
    context.output.result(stopped ? 'the local Petra is stopped' : 'no local Petra runs');
  });
}
