import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { specFileOption } from '../../target.ts';

interface RenderOptions {
  readonly file: string;
  /** `true` for the first server. */
  readonly userData?: string | true;
}

/** `petra capi render`: what a spec becomes, without sending anything. */
export function registerRender(parent: Command, context: Context): void {
  const command = parent
    .command('render')
    .summary('print the Kubernetes objects a spec becomes')
    .description(
      'Print what Petra would apply for a spec, as YAML: the ClusterClass with its templates, and the Cluster of a\n' +
        'workload spec. Works offline, and always prints the same for the same spec.',
    )
    .addOption(specFileOption('spec of a cluster of either kind').makeOptionMandatory())
    .option('--user-data [node]', 'instead: the user data of a management node (default: server-0)');
  addExamples(
    command,
    'petra capi render -f workload.yaml',
    'petra capi render -f workload.yaml | kubectl diff -f -',
    'petra capi render -f management.yaml --user-data server-0',
  );
  command.action(async (options: RenderOptions) => {
    const { readSpec } = await import('../../spec-file.ts');
    const spec = await readSpec(options.file);
    if (options.userData !== undefined) {
      const { renderUserData } = await import('../../render-user-data.ts');
      const node = options.userData === true ? 'server-0' : options.userData;
      context.output.result(renderUserData(spec, node));
      context.output.note('ids and addresses in it are placeholders');
      return;
    }
    const { renderAll, toYaml } = await import('../../../core/capi/render-all.ts');
    context.output.result(toYaml(renderAll(spec)));
  });
}
