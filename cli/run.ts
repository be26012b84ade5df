import { CommanderError } from 'commander';
import { errorCatalogue, PetraError } from '../core/errors.ts';
import { commandTable, groups } from './command-table.ts';
import { Interrupted } from './confirm.ts';
import { processContext } from './context.ts';
import { asPetraError, exitCodeOf, reportError } from './error-report.ts';
import { Detached } from './follow-operation.ts';
import { buildProgram } from './program.ts';

/** What a shell reports for a command ended by Ctrl-C. */
const interruptedExitCode = 130;

/** Whether results, and with them errors, were asked for as JSON. Looked up here since parsing itself may be what fails. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      word === '-ojson' ||
      word === '--output=json' ||
      ((word === '-o' || word === '--output') && argv[index + 1] === 'json'),
  );
}

/** `petra help capi init` as `petra capi init --help`: commander's own `help` looks only one level deep. */
function withoutHelpCommand(argv: readonly string[]): readonly string[] {
  const [first, group, name] = argv;
  return first === 'help' && group !== undefined && name !== undefined ? [group, name, '--help'] : argv;
}

/** The command that `argv` names, as a person types it. */
function commandOf([first = '', second = '']: readonly string[]): string {
  const isKnown = (group: string | undefined, name: string) =>
    commandTable.some((entry) => entry.group === group && entry.name === name);
  const words = isKnown(undefined, first)
    ? [first]
    : [...(Object.hasOwn(groups, first) ? [first] : []), ...(isKnown(first, second) ? [second] : [])];
  return ['petra', ...words].join(' ');
}

/** What to do about a wrong call that says nothing better itself: the help of that very command has it. */
function usageFix(error: PetraError, argv: readonly string[]): PetraError {
  if (error.code !== 'InvalidUsage' || error.fix !== errorCatalogue.InvalidUsage.fix) return error;
  const command = commandOf(argv);
  const needsFile = error.message.startsWith("required option '-f,");
  return new PetraError(error.code, error.message, {
    fix: needsFile ? `Give a spec: \`${command} -f FILE\`.` : `See \`${command} --help\`.`,
  });
}

/** Commander's own complaint, as a Petra error. Undefined for help that was asked for, which is no error. */
function usageErrorOf(error: CommanderError): PetraError | undefined {
  if (error.code === 'commander.helpDisplayed') return undefined;
  if (error.code === 'commander.help')
    return error.exitCode === 0 ? undefined : new PetraError('InvalidUsage', '');
  const [message = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
  const hint = hints.join(' ').replace(/^\((.*)\)$/, '$1');
  return new PetraError('InvalidUsage', message, hint === '' ? {} : { fix: hint });
}

/** Runs a command line and resolves to its exit code. */
export async function run(given: readonly string[]): Promise<number> {
  const argv = withoutHelpCommand(given);
  const context = processContext();
  const { output } = context;
  try {
    const program = await buildProgram(context, argv);
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof Detached) {
      const { id } = thrown.operation;
      output.note(`\ndetached: ${id} goes on without this command`);
      output.note(`come back: the same command attaches again, or \`petra capi operations ${id} --follow\``);
      return interruptedExitCode;
    }
    if (thrown instanceof Interrupted) {
      output.note(thrown.message);
      return interruptedExitCode;
    }
    const known = thrown instanceof CommanderError ? usageErrorOf(thrown) : asPetraError(thrown);
    if (known === undefined) return 0;
    const error = usageFix(known, argv);
    // A group without a command has printed its help, which is all there is to say.
    if (error.message !== '') await reportError(error, output, wantsJson(argv));
    return exitCodeOf(error.code);
  }
}
