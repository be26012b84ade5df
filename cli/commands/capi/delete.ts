import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, connectToChange } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { finishVerb } from '../../finish-verb.ts';
import { addFormatOption, type FormatOption } from '../../formats.ts';
import { startRemoval } from '../../removal.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';
import { addWaitOptions, type WaitOptions } from '../../waiting.ts';

interface DeleteOptions extends ConnectionOptions, FormatOption, WaitOptions, TargetOptions {
  readonly yes?: boolean;
  readonly ignoreNotFound?: boolean;
}

/** `petra capi delete`: remove a workload cluster. */
export function registerDelete(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('delete')
      .summary('delete a workload cluster')
      .description(
        'Delete a workload cluster with everything AWS made for it, and prove that nothing is left.\n' +
          "Asks for the cluster's name on a terminal; elsewhere it needs --yes.",
      ),
    'workload cluster',
  )
    .option('-y, --yes', 'do not ask')
    .option('--ignore-not-found', 'succeed when there is no such cluster');
  addWaitOptions(addFormatOption(command));
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi delete -f workload.yaml',
    'petra capi delete workload-dev --yes --no-wait',
  );
  command.action(async (argument: string | undefined, options: DeleteOptions) => {
    const name = await targetName(argument, options, 'workload');
    const api = await connectToChange(options, context);
    const answer = await startRemoval(context, api, {
      name,
      verb: 'delete',
      yes: options.yes,
      ignoreNotFound: options.ignoreNotFound,
    });
    if (answer) await finishVerb(context, api, answer, { done: 'deleted', next: '' }, options);
  });
}
