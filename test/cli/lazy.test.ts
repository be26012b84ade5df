// What a command loads before it does anything: never what signs and finds credentials, which is larger than the rest of
// the command line together.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './run-petra.ts';

/** Statements that load something: not types, and not `import()`. */
const loading = /^(?:import|export)\s(?!type\b)(?:[^'";]*?\bfrom\s*)?'([^']+)'/gm;

/** The packages that a file loads, itself or through others. */
function packagesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [...readFileSync(file, 'utf8').matchAll(loading)].flatMap(([, name = '']) =>
    name.startsWith('.') ? packagesOf(path.resolve(path.dirname(file), name), seen) : [name],
  );
}

const commands = readdirSync(path.join(repository, 'cli/commands'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join('cli/commands', name));

it.for(['cli/main.ts', 'cli/run.ts', ...commands])('%s does not load the AWS SDK', (file) => {
  const packages = packagesOf(path.join(repository, file));
  expect(packages.filter((name) => /^@(?:aws-sdk|smithy)\//.test(name))).toEqual([]);
});

it.for(['cli/aws-signer.ts', 'cli/stack-finder.ts'])('%s does, so that this test could fail', (file) => {
  expect(packagesOf(path.join(repository, file))).toContain('@aws-sdk/credential-provider-node');
});
