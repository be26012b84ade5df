import type { Command } from 'commander';
import { PetraError } from '../../../core/errors.ts';
import { confirm } from '../../confirm.ts';
import { addConnectionOptions, type ConnectionOptions, connectToChange } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { formatAge } from '../../durations.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';

interface UnlockOptions extends ConnectionOptions, FormatOption, TargetOptions {
  readonly yes?: boolean;
}

/** `petra capi unlock`: take a cluster's lock from an operation that is gone. */
export function registerUnlock(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('unlock')
      .summary("remove a cluster's lock")
      .description(
        'Take the lock of a cluster away from the operation that holds it, which is given up. Only for a holder that\n' +
          'is certainly gone: a lock whose holder died goes stale by itself. The ledger keeps a record of it.',
      ),
  ).option('-y, --yes', 'do not ask');
  addConnectionOptions(addFormatOption(command));
  addExamples(command, 'petra capi unlock workload-dev', 'petra capi unlock -f workload.yaml --yes');
  command.action(async (argument: string | undefined, options: UnlockOptions) => {
    const name = await targetName(argument, options);
    const api = await connectToChange(options, context);
    const { lock } = await api.cluster(name);
    if (lock === undefined) throw new PetraError('NotLocked', `cluster ${name} is not locked`);
    await confirm(context, options.yes, {
      consequences: [
        `${lock.operationId} holds the lock of ${name} since ${formatAge(lock.acquiredAt, new Date())}, for ${lock.holder}.`,
        'Unlocking gives that operation up; its next step fails with LeaseLost.',
      ],
      answer: name,
      action: 'unlock the cluster',
    });
    const answer = await api.unlock(name);
    await show(context, options.output, {
      value: answer,
      names: [answer.cluster.name],
      table: () => `cluster ${name} is unlocked; ${answer.abandoned} was given up`,
    });
  });
}
