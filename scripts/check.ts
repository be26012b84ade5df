// Everything that can be checked without running Petra: format and lint, types, state machines.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import aslValidator from 'asl-validator';

const root = path.join(import.meta.dirname, '..');
const bin = (name: string) => path.join(root, 'node_modules', '.bin', name);
let failed = false;

function run(title: string, command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  report(title, status === 0);
}

function report(title: string, good: boolean): void {
  console.log(`${good ? 'ok    ' : 'FAILED'} ${title}`);
  failed ||= !good;
}

run('biome: format, lint, imports', bin('biome'), 'ci', '--error-on-warnings', '.');
// By its path: the older compiler with an API, which the call graph is read with, has a `tsc` as well.
run('tsc: types', path.join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
for (const file of readdirSync(path.join(root, 'state-machines')).filter((name) =>
  name.endsWith('.asl.json'),
)) {
  const definition = JSON.parse(readFileSync(path.join(root, 'state-machines', file), 'utf8'));
  const { isValid, errorsText } = aslValidator(definition, { checkArn: true, checkPaths: true });
  if (!isValid) console.log(errorsText('\n'));
  report(`asl-validator: state-machines/${file}`, isValid);
}
process.exit(failed ? 1 : 0);
