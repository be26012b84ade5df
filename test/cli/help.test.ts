import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Output } from '../../cli/output.ts';
import { buildProgram } from '../../cli/program.ts';
import { cliDoc, documentedCommands, fullName, helpText } from '../../scripts/cli-doc.ts';
import { petra } from './run-petra.ts';

const program = await buildProgram({ env: {}, output: new Output({ NO_COLOR: '1' }) });
const commands = documentedCommands(program);

describe('help', () => {
  it.for(commands.map((command) => ({ name: fullName(command), command })))(
    'of `$name` has a summary, a description, examples that call it, and fits 120 columns',
    ({ name, command }) => {
      expect(command.summary()).not.toBe('');
      expect(command.description()).toMatch(/\.$/);
      const text = helpText(command);
      expect(text).toMatch(/\nExamples:\n {2}\$ /);
      expect(text.slice(text.indexOf('Examples:'))).toContain(name);
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
    },
  );

  it('examples use only options that exist', async () => {
    for (const command of commands) {
      const example = helpText(command).split('Examples:')[1] ?? '';
      for (const [, words = ''] of example.matchAll(
        new RegExp(`${fullName(command)}\\b([^|>#\\n)]*)`, 'g'),
      )) {
        for (const [flag] of words.matchAll(/(?<= )--?[a-z][a-z-]*/g)) {
          const known = command.options.flatMap((option) => [
            option.long,
            option.short,
            `--no-${option.name()}`,
          ]);
          expect(known, `${fullName(command)}${words}`).toContain(flag);
        }
      }
    }
  });

  it('is what docs/cli.md says (node scripts/generate-cli-doc.ts writes it)', async () => {
    expect(await readFile('docs/cli.md', 'utf8')).toBe(await cliDoc());
  });

  it('of the program tells the exit codes', async () => {
    const { code, stdout } = await petra(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Exit codes: 0 done, 1 failed');
  });

  it('is the same by `help COMMAND` as by `COMMAND --help`', async () => {
    const [command, option] = await Promise.all([
      petra(['help', 'capi', 'init']),
      petra(['capi', 'init', '--help']),
    ]);
    expect(command).toEqual(option);
    expect(command.stdout).toContain('Usage: petra capi init');
  });

  it('is printed to stderr for a group without a command, which is a mistake', async () => {
    const { code, stdout, stderr } = await petra(['capi']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: petra capi');
  });
});
