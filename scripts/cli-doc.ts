import type { Command } from 'commander';
import { Output } from '../cli/output.ts';
import { buildProgram } from '../cli/program.ts';
import { exitCodeTable } from './exit-codes.ts';

const introduction = `<!-- Written by scripts/generate-cli-doc.ts from the commands' own definitions. Do not edit. -->

# The command line

\`petra\` talks to a Petra over HTTP: the one at \`--endpoint\` or \`PETRA_ENDPOINT\`, or else the one on this machine, which
it starts when it does not run.

## What holds for every command

**Results go to stdout, everything else to stderr.** \`petra capi cluster-kubeconfig x > file\` and
\`petra capi list -o json | jq\` are always clean. Progress is redrawn in place on a terminal; in a pipe, with \`TERM=dumb\`
or with \`CI\` set, it is one line for each piece of news. \`NO_COLOR\` and \`FORCE_COLOR\` are respected.

**\`-o table|wide|json|yaml|name\`** on everything that lists or shows. Lists are \`{"items": […]}\`, also when empty; \`name\` is
one name a line. The fields are those of the API.

**Errors** say what happened, why, what was seen, and what to do, with a stable code in brackets. With \`-o json\` they are
problem details (RFC 9457): one line of JSON, the last one on stderr, so that stdout holds a result or nothing.

**The same command again** attaches to a running operation, goes on after a failure, and does nothing when nothing is to
do. Ctrl-C detaches: the operation goes on without the command.

**Bad files are never sent.** All problems of a file are listed at once, with line and column.

${exitCodeTable()}

| environment variable | meaning |
|---|---|
| \`PETRA_ENDPOINT\` | address of the Petra to use; unset: the one on this machine |
| \`PETRA_TOKEN\` | its bearer token; only ever sent over https or to this machine |
| \`PETRA_STATE\` | state folder of the local Petra (default: \`petra/local\` under \`XDG_STATE_HOME\` or \`~/.local/state\`) |
| \`KUBECONFIG\` | its first file is where \`cluster-kubeconfig --merge\` writes (default: \`~/.kube/config\`) |
| \`NO_COLOR\`, \`FORCE_COLOR\`, \`TERM\`, \`CI\` | colours and animation, see above |
`;

/** All commands that have an action of their own, in the order of the help. */
export function documentedCommands(program: Command): Command[] {
  return program.commands
    .filter((command) => !command.name().startsWith('__'))
    .flatMap((command) => (command.commands.length > 0 ? documentedCommands(command) : [command]));
}

/** \`petra capi list\`. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** The help of a command as it is printed to a pipe. */
export function helpText(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return text.trimEnd();
}

/** docs/cli.md. */
export async function cliDoc(): Promise<string> {
  const program = await buildProgram({ env: {}, output: new Output({ NO_COLOR: '1' }) });
  const commands = documentedCommands(program);
  const anchor = (command: Command) => fullName(command).replaceAll(' ', '-');
  const contents = commands.map(
    (command) => `| [\`${fullName(command)}\`](#${anchor(command)}) | ${command.summary()} |`,
  );
  const sections = commands.map(
    (command) => `### ${fullName(command)}\n\n\`\`\`\n${helpText(command)}\n\`\`\`\n`,
  );
  return [introduction, '## Commands\n', '| command | |', '|---|---|', ...contents, '', ...sections].join(
    '\n',
  );
}
