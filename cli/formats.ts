import { type Command, Option } from 'commander';
import type { Context } from './context.ts';

/** What `-o` accepts, on every command that lists or shows something. */
export const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;

export type Format = (typeof formats)[number];

export interface FormatOption {
  readonly output: Format;
}

/** Adds `-o, --output`. */
export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print the result').choices(formats).default('table'),
  );
}

/** One result in every shape it can be printed in. */
export interface Presentation {
  /** For json and yaml. */
  readonly value: unknown;
  /** For name: one a line. */
  readonly names: readonly string[];
  /** For table and wide; an empty text prints nothing. */
  readonly table: (wide: boolean) => string;
}

/** Prints a result to stdout in the format that was asked for. */
export async function show(context: Context, format: Format, presentation: Presentation): Promise<void> {
  const { output } = context;
  switch (format) {
    case 'json':
      output.result(JSON.stringify(presentation.value, null, 2));
      return;
    case 'yaml': {
      const { yamlText } = await import('../core/capi/yaml-text.ts');
      output.result(yamlText(presentation.value));
      return;
    }
    case 'name':
      if (presentation.names.length > 0) output.result(presentation.names.join('\n'));
      return;
    case 'table':
    case 'wide': {
      const text = presentation.table(format === 'wide');
      if (text !== '') output.result(text);
    }
  }
}
