import { type Command, Option } from 'commander';
import type { ClusterKind } from '../core/fleet.ts';
import { usageError } from './usage.ts';

/** `-f, --file`, which may be given once: of two files, one would be passed over in silence. */
export function specFileOption(description: string): Option {
  return new Option('-f, --file <file>', `${description} (- reads stdin)`).argParser(
    (file: string, earlier: string | undefined) => {
      if (earlier === undefined) return file;
      throw usageError(
        `-f is given twice, for ${earlier} and ${file}`,
        'Run the command once for each file.',
      );
    },
  );
}

export interface TargetOptions {
  readonly file?: string;
}

/** Adds `[NAME]` and `-f FILE`, of which a command takes one. */
export function addTarget(command: Command, what = 'cluster'): Command {
  return command
    .argument('[name]', `name of the ${what}`)
    .addOption(specFileOption(`spec of the ${what}, instead of its name`));
}

/**
 * The cluster that a command is about: by its name, or by its spec file, which is checked first.
 * @throws InvalidUsage when both or none are given
 */
export async function targetName(
  name: string | undefined,
  options: TargetOptions,
  expect?: ClusterKind,
): Promise<string> {
  if (name !== undefined && options.file !== undefined) {
    throw usageError('give either the name of a cluster or -f FILE, not both');
  }
  if (options.file !== undefined) {
    const { readSpec } = await import('./spec-file.ts');
    return (await readSpec(options.file, expect)).metadata.name;
  }
  if (name === undefined || name === '') {
    throw usageError(
      'which cluster? Give its name, or its spec with -f FILE',
      '`petra capi list --all` shows the names.',
    );
  }
  return name;
}
