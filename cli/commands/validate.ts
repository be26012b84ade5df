import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addExamples } from '../examples.ts';
import { addFormatOption, type FormatOption, show } from '../formats.ts';
import { specFileOption } from '../target.ts';

interface ValidateOptions extends FormatOption {
  readonly file: string;
}

/** `petra validate`: check a spec without sending it. */
export function registerValidate(parent: Command, context: Context): void {
  const command = parent
    .command('validate')
    .summary('check a spec')
    .description(
      'Check a spec of either kind, offline. All problems are listed at once, with line and column.',
    )
    .addOption(specFileOption('spec of a cluster').makeOptionMandatory());
  addFormatOption(command);
  addExamples(
    command,
    'petra validate -f workload.yaml',
    'petra validate -f workload.yaml -o json   # the spec with every default filled in',
  );
  command.action(async (options: ValidateOptions) => {
    const { readSpec, shownFile } = await import('../spec-file.ts');
    const spec = await readSpec(options.file);
    const kind = spec.spec.management === undefined ? 'workload' : 'management';
    await show(context, options.output, {
      value: spec,
      names: [spec.metadata.name],
      table: () => `${shownFile(options.file)} is a valid ${kind} cluster spec (${spec.metadata.name})`,
    });
  });
}
