import { Command } from 'commander';
import { commandTable, groups } from './command-table.ts';
import type { Context } from './context.ts';
import { version } from './version.ts';

const exitCodesHelp = `
Exit codes: 0 done, 1 failed, 2 wrong usage or spec, 3 not found, 4 conflict, 5 not allowed,
6 timed out, 7 unreachable, 130 interrupted (the operation goes on).`;

/** The command line as commander knows it, with only the command that `argv` names when it names one exactly. */
export async function buildProgram(context: Context, argv: readonly string[] = []): Promise<Command> {
  const program = new Command('petra')
    .description('Fleets of k3s clusters on AWS, through Cluster API.')
    .version(`petra ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    // Errors are printed once, by run.ts, in the one format they have.
    .configureOutput({
      writeOut: (text) => context.output.result(text),
      writeErr: (text) => context.output.note(text.trimEnd()),
      outputError: () => undefined,
      getOutHasColors: () => context.output.results.colour,
      getErrHasColors: () => context.output.notes.colour,
    })
    .configureHelp({ styleTitle: (title) => context.output.results.paint('bold', title) })
    .addHelpText('after', exitCodesHelp);

  const parents = new Map<string, Command>();
  for (const [name, description] of Object.entries(groups)) {
    parents.set(name, program.command(name).description(description));
  }
  for (const entry of entriesFor(argv)) {
    const register = await entry.load();
    register(entry.group === undefined ? program : (parents.get(entry.group) ?? program), context);
  }
  return program;
}

/** Loading all commands costs more than running one. Help, completion and mistakes need them all. */
function entriesFor([first, second]: readonly string[]) {
  const named = commandTable.find((entry) =>
    entry.group === undefined ? entry.name === first : entry.group === first && entry.name === second,
  );
  return named ? [named] : commandTable;
}
