import { type Command, Option } from 'commander';
import type { ClusterKind } from '../../../core/fleet.ts';
import { clusterTable } from '../../cluster-table.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { wholeNumber } from '../../whole-number.ts';

interface ListOptions extends ConnectionOptions, FormatOption {
  readonly all?: boolean;
  readonly kind?: ClusterKind;
  readonly management?: string;
  readonly limit?: number;
}

/** `petra capi list`: the clusters of the fleet. */
export function registerList(parent: Command, context: Context): void {
  const command = parent
    .command('list')
    .alias('ls')
    .summary('list the workload clusters')
    .description('List the workload clusters of the fleet; with --all, the management clusters too.')
    .addOption(new Option('-a, --all', 'clusters of both kinds').conflicts('kind'))
    .addOption(new Option('--kind <kind>', 'clusters of one kind').choices(['workload', 'management']))
    .option('--management <name>', 'only the clusters of this management cluster')
    .addOption(
      new Option('--limit <number>', 'at most so many').argParser((text) => wholeNumber(text, '--limit', 1)),
    );
  addConnectionOptions(addFormatOption(command));
  addExamples(
    command,
    'petra capi list',
    'petra capi list --all -o wide',
    'petra capi list -o json | jq -r \'.items[] | select(.phase != "Ready") | .name\'',
  );
  command.action(async (options: ListOptions) => {
    const api = await connect(options, context);
    const kind = options.all ? undefined : (options.kind ?? 'workload');
    const clusters = await api.clusters({
      ...(kind === undefined ? {} : { kind }),
      ...(options.management === undefined ? {} : { management: options.management }),
      ...(options.limit === undefined ? {} : { most: options.limit }),
    });
    // An empty answer for a name that nothing has would hide a typing mistake.
    if (clusters.length === 0 && options.management !== undefined) await api.cluster(options.management);
    await show(context, options.output, {
      value: { items: clusters },
      names: clusters.map((cluster) => cluster.name),
      table: (wide) =>
        clusters.length === 0
          ? ''
          : clusterTable(clusters, { wide, kinds: kind === undefined, now: new Date() }),
    });
    if (clusters.length === 0 && (options.output === 'table' || options.output === 'wide')) {
      context.output.note(emptyHint(kind, options.management));
    }
  });
}

function emptyHint(kind: ClusterKind | undefined, management: string | undefined): string {
  if (management !== undefined) return `no clusters on ${management}`;
  if (kind === 'workload') {
    return 'no workload clusters; make one with `petra capi create -f workload.yaml` (--all shows management clusters too)';
  }
  return `no ${kind === undefined ? '' : 'management '}clusters; make one with \`petra capi init -f management.yaml\``;
}
