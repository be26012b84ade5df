import type { Command } from 'commander';
import { type AcceptOptions, addAcceptOption } from '../../accept-option.ts';
import { addConnectionOptions, type ConnectionOptions, connectToChange } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { finishVerb } from '../../finish-verb.ts';
import { addFormatOption, type FormatOption } from '../../formats.ts';
import { specFileOption } from '../../target.ts';
import { addWaitOptions, type WaitOptions } from '../../waiting.ts';

interface InitOptions extends ConnectionOptions, FormatOption, WaitOptions, AcceptOptions {
  readonly file: string;
}

/** `petra capi init`: make a management cluster. */
export function registerInit(parent: Command, context: Context): void {
  const command = parent
    .command('init')
    .summary('make a management cluster')
    .description(
      'Make a management cluster: machines, k3s, cert-manager, the Cluster API providers and the Petra ClusterClass.\n' +
        'Repeat the command to attach to a running operation, or to go on after a failure.',
    )
    .addOption(specFileOption('spec of the management cluster').makeOptionMandatory());
  addWaitOptions(addFormatOption(addAcceptOption(command)));
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi init -f management.yaml',
    'petra capi init -f management.yaml --no-wait -o name',
    'petra capi init -f management.yaml --accept QuotaTooSmall --timeout 30m',
  );
  command.action(async (options: InitOptions) => {
    const { readSpec } = await import('../../spec-file.ts');
    const spec = await readSpec(options.file, 'management');
    const api = await connectToChange(options, context);
    await finishVerb(
      context,
      api,
      await api.init(spec, options.accept),
      { done: 'ready', next: 'petra capi create -f workload.yaml' },
      options,
    );
  });
}
