import { type Command, Option } from 'commander';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';
import { usageError } from '../../usage.ts';

interface KubeconfigOptions extends ConnectionOptions, TargetOptions {
  /** `true` for the default file. */
  readonly merge?: string | true;
  readonly setCurrent?: boolean;
}

/** `petra capi cluster-kubeconfig`: the credentials of a cluster. */
export function registerClusterKubeconfig(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('cluster-kubeconfig')
      .alias('kubeconfig')
      .summary("print a cluster's kubeconfig")
      .description(
        "Print a cluster's kubeconfig, or merge it into a kubeconfig file without touching anything else in it.",
      ),
  )
    .addOption(
      new Option(
        '--merge [path]',
        'merge into this file (default: the first of KUBECONFIG, or ~/.kube/config) as context petra-<cluster>',
      ),
    )
    .option('--set-current', 'with --merge: make it the current context');
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi cluster-kubeconfig -f workload.yaml > workload.kubeconfig',
    'petra capi cluster-kubeconfig workload-dev --merge --set-current',
    'kubectl --context petra-workload-dev get nodes',
  );
  command.action(async (argument: string | undefined, options: KubeconfigOptions) => {
    if (options.setCurrent && options.merge === undefined) throw usageError('--set-current needs --merge');
    const name = await targetName(argument, options);
    const api = await connect(options, context);
    const { kubeconfig } = await api.kubeconfig(name);
    if (options.merge === undefined) {
      context.output.result(kubeconfig);
      return;
    }
    const { defaultKubeconfigFile, mergeIntoFile } = await import('../../kubeconfig-file.ts');
    const file = options.merge === true ? defaultKubeconfigFile(context.env) : options.merge;
    const merged = await mergeIntoFile(file, kubeconfig, name, options.setCurrent ?? false);
    context.output.note(
      `context ${merged.contextName} ${merged.updated ? 'updated' : 'added'} in ${file}${merged.current ? ', and current' : ''}`,
    );
    if (!merged.current) context.output.note(`use it: kubectl --context ${merged.contextName} get nodes`);
  });
}
