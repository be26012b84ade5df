import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { PetraError } from '../../../core/errors.ts';
import { confirm } from '../../confirm.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { stopServer } from '../../local-server.ts';
import { isAlive, isStateFolder, readEndpoint } from '../../local-state.ts';
import { addStateOption, localFolder, type StateOptions } from '../../state-option.ts';
import { usageError } from '../../usage.ts';

interface ResetOptions extends StateOptions {
  readonly yes?: boolean;
}

/** `petra local reset`: stop the Petra of this machine and forget everything. */
export function registerLocalReset(parent: Command, context: Context): void {
  const command = parent
    .command('reset')
    .summary('stop the local Petra and remove its state')
    .description(
      'Stop the local Petra and remove its state folder: all its clusters, operations and ledgers. Only ever removes a\n' +
        'folder that Petra made.',
    )
    .option('-y, --yes', 'do not ask');
  addStateOption(command);
  addExamples(command, 'petra local reset', 'petra local reset --yes --state ./petra-state');
  command.action(async (options: ResetOptions) => {
    const folder = localFolder(options, context);
    if (!existsSync(folder)) {
      context.output.result(`there is no state at ${folder}`);
      return;
    }
    if (!isStateFolder(folder)) {
      throw usageError(
        `${folder} is not a state folder of Petra (it has no petra-state.json); it was left alone`,
        'Give the right folder with --state or PETRA_STATE.',
      );
    }
    await confirm(context, options.yes, {
      consequences: [`This removes, for good: ${folder}, with all simulated clusters in it.`],
      answer: 'reset',
      action: 'reset the local Petra',
    });
    await stopServer(folder);
    const left = readEndpoint(folder);
    if (left && isAlive(left.pid)) {
      throw new PetraError(
        'PetraUnreachable',
        `process ${left.pid} has the folder open and does not answer; it was left alone`,
        {
          fix: `If it is a Petra, end it (\`kill ${left.pid}\`); then repeat the command.`,
        },
      );
    }
    await rm(folder, { recursive: true, force: true });
    context.output.result(`removed ${folder}`);
  });
}
