import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';

interface DescribeOptions extends ConnectionOptions, FormatOption, TargetOptions {
  readonly showConditions?: boolean;
}

/** `petra capi describe`: a cluster's objects, and what stops it. */
export function registerDescribe(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('describe')
      .summary('show a cluster, its objects, and what stops it')
      .description(
        'Show a cluster and its Cluster API objects as a tree. What stops it comes first, root cause before consequence.',
      ),
  ).option('--show-conditions', 'all conditions of all objects (-o wide does the same)');
  addConnectionOptions(addFormatOption(command));
  addExamples(
    command,
    'petra capi describe workload-dev',
    'petra capi describe -f workload.yaml --show-conditions',
    "petra capi describe workload-dev -o json | jq '.causes[0]'",
  );
  command.action(async (argument: string | undefined, options: DescribeOptions) => {
    const name = await targetName(argument, options);
    const api = await connect(options, context);
    const tree = await api.objects(name);
    const { objectTreeText } = await import('../../object-tree.ts');
    await show(context, options.output, {
      value: tree,
      names: [tree.cluster.name],
      table: (wide) =>
        objectTreeText(tree, {
          channel: context.output.results,
          showConditions: wide || (options.showConditions ?? false),
          now: new Date(),
        }),
    });
  });
}
