import type { Command } from 'commander';
import type { FindingView } from '../../../core/api/contract.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { formatAge } from '../../durations.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { formatTable } from '../../table.ts';

interface FindingsOptions extends ConnectionOptions, FormatOption {
  readonly exitCode?: boolean;
}

/** `petra capi findings`: what reconciliation found amiss. */
export function registerFindings(parent: Command, context: Context): void {
  const command = parent
    .command('findings')
    .summary('list what is not as it should be')
    .description(
      'List what the scheduled reconciliation found amiss: Clusters that are gone, edited, unhealthy or in no record,\nversions that differ, management clusters that do not answer, locks that nobody renews.',
    )
    .argument('[name]', 'name of a cluster; of the whole fleet when it is left out')
    .option('--exit-code', 'exit with 1 when there are findings');
  addConnectionOptions(addFormatOption(command));
  addExamples(
    command,
    'petra capi findings',
    'petra capi findings workload-dev -o wide',
    'petra capi findings -o json | jq -r \'.items[] | select(.code == "ClusterGone") | .cluster\'',
  );
  command.action(async (name: string | undefined, options: FindingsOptions) => {
    const api = await connect(options, context);
    const findings = await api.findings(name === undefined ? {} : { cluster: name });
    await show(context, options.output, {
      value: { items: findings },
      names: findings.map(({ cluster, code }) => `${cluster}/${code}`),
      table: (wide) => (findings.length === 0 ? '' : findingsTable(findings, wide, new Date())),
    });
    if (findings.length === 0 && (options.output === 'table' || options.output === 'wide')) {
      context.output.note('no findings: the last reconciliation saw nothing amiss');
    }
    if (findings.length > 0 && options.exitCode) process.exitCode = 1;
  });
}

function findingsTable(findings: readonly FindingView[], wide: boolean, now: Date): string {
  return formatTable<FindingView>(
    [
      { title: 'CLUSTER', value: ({ cluster }) => cluster },
      { title: 'FINDING', value: ({ code }) => code },
      { title: 'SINCE', value: ({ since }) => formatAge(since, now) },
      { title: 'WHAT', value: ({ message }) => message },
      ...(wide ? [{ title: 'WHAT TO DO', value: ({ fix }: FindingView) => fix }] : []),
    ],
    findings,
  );
}
