import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, connectToChange } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { finishVerb } from '../../finish-verb.ts';
import { addFormatOption, type FormatOption } from '../../formats.ts';
import { startRemoval } from '../../removal.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';
import { addWaitOptions, type WaitOptions } from '../../waiting.ts';

interface DestroyOptions extends ConnectionOptions, FormatOption, WaitOptions, TargetOptions {
  readonly yes?: boolean;
  readonly cascade?: boolean;
  readonly ignoreNotFound?: boolean;
}

/** `petra capi destroy`: tear a management cluster down. */
export function registerDestroy(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('destroy')
      .summary('tear a management cluster down')
      .description(
        'Tear a management cluster down, and prove that nothing is left. Refuses while it has workload clusters,\n' +
          "unless --cascade deletes them first. Asks for the cluster's name on a terminal; elsewhere it needs --yes.",
      ),
    'management cluster',
  )
    .option('--cascade', 'delete its workload clusters first, and wait for that')
    .option('-y, --yes', 'do not ask')
    .option('--ignore-not-found', 'succeed when there is no such cluster');
  addWaitOptions(addFormatOption(command));
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi destroy -f management.yaml',
    'petra capi destroy petra-mgmt --cascade --yes --timeout 2h',
  );
  command.action(async (argument: string | undefined, options: DestroyOptions) => {
    const name = await targetName(argument, options, 'management');
    const api = await connectToChange(options, context);
    const answer = await startRemoval(context, api, {
      name,
      verb: 'destroy',
      yes: options.yes,
      cascade: options.cascade,
      ignoreNotFound: options.ignoreNotFound,
    });
    if (answer) await finishVerb(context, api, answer, { done: 'destroyed', next: '' }, options);
  });
}
