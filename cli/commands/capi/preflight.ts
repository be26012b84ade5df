import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { preflightText, refusalOf } from '../../preflight-report.ts';
import { specFileOption } from '../../target.ts';

interface PreflightOptions extends ConnectionOptions, FormatOption {
  readonly file: string;
  readonly management?: string;
  readonly strict?: boolean;
}

/** `petra capi preflight`: what making a cluster would find. */
export function registerPreflight(parent: Command, context: Context): void {
  const command = parent
    .command('preflight')
    .summary('look at what making a cluster would find')
    .description(
      'Check releases, instance types, quotas, names and permissions for a spec of either kind, and count what would be made.\n' +
        'Changes nothing. It is what `init` and `create` begin with; the exit code is that of the first error.',
    )
    .addOption(specFileOption('spec of a cluster').makeOptionMandatory())
    .option('--management <name>', 'the management cluster to use; needed only when the fleet has several')
    .option('--strict', 'fail on warnings too');
  addConnectionOptions(addFormatOption(command));
  addExamples(
    command,
    'petra capi preflight -f management.yaml',
    'petra capi preflight -f workload.yaml -o json | jq -r .findings[].code',
  );
  command.action(async (options: PreflightOptions) => {
    const { readSpec } = await import('../../spec-file.ts');
    const spec = await readSpec(options.file);
    const api = await connect(options, context);
    const answer = await api.preflight(spec, options.management);
    await show(context, options.output, {
      value: answer,
      names: answer.findings.map(({ code }) => code),
      table: (wide) => preflightText(answer, wide),
    });
    const refusal = refusalOf(spec.metadata.name, answer.findings, options.strict === true);
    if (refusal) throw refusal;
  });
}
