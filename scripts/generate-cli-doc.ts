// Writes docs/cli.md from the definitions of the commands. `--check` only compares; a test does the same.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cliDoc } from './cli-doc.ts';

const file = path.resolve(import.meta.dirname, '../docs/cli.md');
const text = await cliDoc();
if (process.argv.includes('--check')) {
  if ((await readFile(file, 'utf8')) !== text) {
    console.error('docs/cli.md is out of date; run `node scripts/generate-cli-doc.ts`');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, text);
}
