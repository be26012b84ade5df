import type { Command } from 'commander';
import { configFile, removeConfig } from '../../config-file.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';

/** `petra config reset`: forget the stack that commands talk to. */
export function registerConfigReset(parent: Command, context: Context): void {
  const command = parent
    .command('reset')
    .summary('forget the stack of use-stack')
    .description(
      'Remove the configuration that `petra config use-stack` wrote: commands talk to the Petra on this machine again. On\n' +
        'AWS nothing changes, and the same use-stack brings it back.',
    );
  addExamples(command, 'petra config reset');
  command.action(() => {
    const file = configFile(context.env);
    context.output.result(removeConfig(file) ? `removed ${file}` : `there is no configuration at ${file}`);
  });
}
