import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addExamples } from '../examples.ts';

/** `petra schema`: the JSON Schema of a cluster spec. */
export function registerSchema(parent: Command, context: Context): void {
  const command = parent
    .command('schema')
    .summary('print the JSON Schema of a spec')
    .description('Print the JSON Schema (2020-12) of a cluster spec, for editors and linters.');
  addExamples(
    command,
    'petra schema > petra.schema.json',
    '# then, as the first line of a spec: # yaml-language-server: $schema=petra.schema.json',
  );
  command.action(async () => {
    const { specJsonSchema } = await import('../../core/capi/spec-fields.ts');
    context.output.result(JSON.stringify(specJsonSchema(), null, 2));
  });
}
