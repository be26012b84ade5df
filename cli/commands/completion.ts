import { Argument, type Command } from 'commander';
import { completionScript, type Shell, shells } from '../completion-scripts.ts';
import type { Context } from '../context.ts';
import { addExamples } from '../examples.ts';

/** `petra completion`: the script that teaches a shell to complete Petra's commands. */
export function registerCompletion(parent: Command, context: Context): void {
  const command = parent
    .command('completion')
    .summary('print the completion script of a shell')
    .description(
      'Print the completion script of a shell. It completes commands, options, files, and the names of the clusters of a\n' +
        'Petra that runs.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(shells));
  addExamples(
    command,
    'source <(petra completion bash)                                  # bash: in ~/.bashrc',
    'source <(petra completion zsh)                                   # zsh: in ~/.zshrc, after compinit',
    'petra completion fish > ~/.config/fish/completions/petra.fish    # fish',
  );
  command.action((shell: Shell) => context.output.result(completionScript(shell)));
}
