import { type Command, Option } from 'commander';
import { acceptableCodes, unacceptable } from '../core/preflight/finding.ts';
import { usageError } from './usage.ts';

export interface AcceptOptions {
  readonly accept?: readonly string[];
}

/** Adds `--accept`, which may be repeated and takes lists. */
export function addAcceptOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--accept <codes>',
      `go on in spite of these findings of the preflight: ${acceptableCodes.join(', ')}`,
    ).argParser((text: string, earlier: readonly string[] = []) => [...earlier, ...parseCodes(text)]),
  );
}

/** @throws InvalidUsage for what cannot be accepted */
function parseCodes(text: string): readonly string[] {
  const codes = text
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '');
  const wrong = unacceptable(codes);
  if (wrong.length === 0 && codes.length > 0) return codes;
  throw usageError(
    `--accept: "${wrong[0] ?? text}" cannot be accepted`,
    `These can be: ${acceptableCodes.join(', ')}.`,
  );
}
