import type { Command } from 'commander';
import { type AcceptOptions, addAcceptOption } from '../../accept-option.ts';
import { addConnectionOptions, type ConnectionOptions, connectToChange } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { finishVerb } from '../../finish-verb.ts';
import { addFormatOption, type FormatOption } from '../../formats.ts';
import { specFileOption } from '../../target.ts';
import { addWaitOptions, type WaitOptions } from '../../waiting.ts';

interface CreateOptions extends ConnectionOptions, FormatOption, WaitOptions, AcceptOptions {
  readonly file: string;
  readonly management?: string;
}

/** `petra capi create`: make a workload cluster. */
export function registerCreate(parent: Command, context: Context): void {
  const command = parent
    .command('create')
    .summary('make a workload cluster')
    .description(
      'Make a workload cluster on a management cluster, and wait until all its nodes are ready.\n' +
        'Repeat the command to attach to a running operation, or to go on after a failure.',
    )
    .addOption(specFileOption('spec of the workload cluster').makeOptionMandatory())
    .option('--management <name>', 'the management cluster to use; needed only when the fleet has several');
  addWaitOptions(addFormatOption(addAcceptOption(command)));
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi create -f workload.yaml',
    'petra capi create -f workload.yaml --management petra-mgmt --timeout 40m',
    'cat workload.yaml | petra capi create -f - --no-wait',
  );
  command.action(async (options: CreateOptions) => {
    const { readSpec } = await import('../../spec-file.ts');
    const spec = await readSpec(options.file, 'workload');
    const api = await connectToChange(options, context);
    await finishVerb(
      context,
      api,
      await api.create(spec, options.management, options.accept),
      { done: 'ready', next: `petra capi cluster-kubeconfig ${spec.metadata.name} --merge` },
      options,
    );
  });
}
