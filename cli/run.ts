import { CommanderError } from 'commander';
import { PetraError } from '../core/errors.ts';
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
export async function run(argv: readonly string[]): Promise<number> {
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
    const error = thrown instanceof CommanderError ? usageErrorOf(thrown) : asPetraError(thrown);
    if (error === undefined) return 0;
    // A group without a command has printed its help, which is all there is to say.
    if (error.message !== '') await reportError(error, output, wantsJson(argv));
    return exitCodeOf(error.code);
  }
}
