// The first file of every command: it answers `--version` before anything else is loaded, because the time to
// start is felt at each use.

import { writeSync } from 'node:fs';
import { version } from './version.ts';

const [first, ...rest] = process.argv.slice(2);
if ((first === '--version' || first === '-V') && rest.length === 0) {
  writeSync(1, `petra ${version}\n`);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(process.argv.slice(2));
}
