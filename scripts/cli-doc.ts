import type { Command } from 'commander';
import { Output } from '../cli/output.ts';
import { buildProgram } from '../cli/program.ts';
import { exitCodeTable } from './exit-codes.ts';

const introduction = `<!-- Written by scripts/generate-cli-doc.ts from the commands' own definitions. Do not edit. -->

# The command line

\`petra\` talks to a Petra over HTTP: one on AWS, or the one on this machine, which it starts when it does not run.

## Which Petra

The first of these that says something decides; \`petra config show\` tells which it was.

| | |
|---|---|
| \`--endpoint URL\` | the Petra at this address |
| \`--local\`, \`--state FOLDER\` | the Petra on this machine |
| \`PETRA_ENDPOINT\` | the Petra at this address |
| \`PETRA_STATE\` | the Petra on this machine with its state in this folder |
| \`petra config use-stack\` | the stack on AWS that was chosen last |
| nothing | the Petra on this machine |

Commands that make or remove something say on stderr which Petra they talk to, when it is not the one on this machine.
\`petra local …\` is only ever about this machine.

**Requests to a Petra on AWS are signed** (Signature Version 4) with the AWS credentials that the AWS CLI would use:
\`--profile\`, else the profile of \`use-stack\`, else the usual chain of environment, default profile, web identity, and the
role of a container or instance. SSO, roles and \`credential_process\` work in profiles. Credentials that expire during a long
wait are looked for again. A caller needs the IAM action \`execute-api:Invoke\` on the routes it uses; the error for a missing
permission names the resource. \`use-stack\` reads the parameter \`/petra/STACK/api\`, and needs \`ssm:GetParameter\` on it.

**With \`PETRA_TOKEN\` set**, requests to \`--endpoint\` or \`PETRA_ENDPOINT\` carry that token instead of a signature, as
the Petra on another machine wants it.

Signed requests have been tried against a check of the signature written for the tests, not yet against AWS itself.

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
| \`PETRA_ENDPOINT\` | address of the Petra to use |
| \`PETRA_TOKEN\` | its bearer token; only ever sent over https or to this machine, never to the stack of \`use-stack\` |
| \`PETRA_STATE\` | state folder of the local Petra (default: \`petra/local\` under \`XDG_STATE_HOME\` or \`~/.local/state\`) |
| \`PETRA_CONFIG\` | file that \`petra config use-stack\` writes (default: \`petra/config.json\` under \`XDG_CONFIG_HOME\` or \`~/.config\`) |
| \`AWS_PROFILE\`, \`AWS_REGION\`, \`AWS_ACCESS_KEY_ID\` … | as for the AWS CLI |
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
