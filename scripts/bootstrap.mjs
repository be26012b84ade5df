// Runs with whatever Node (20 or newer) the machine has: installs the locked dependencies when they are
// missing or out of date, then hands over to the Node 24 that comes with them. Plain JavaScript, because
// Node 20 cannot run TypeScript.
//
//   node scripts/bootstrap.mjs                 install only
//   node scripts/bootstrap.mjs FILE [ARGS…]    install, then run FILE with the project's Node

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = path.join(root, 'node_modules', '.petra-lock-hash');
const node = path.join(root, 'node_modules', '.bin', 'node');

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) fail(`Node 20 or newer is needed to set Petra up; this is ${process.version}.`);

const lockHash = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash;
if (!installed) {
  process.stderr.write('Installing the locked dependencies (npm ci, no install scripts) …\n');
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) fail('npm ci failed; see its message above.');
  writeFileSync(stamp, lockHash);
}
if (!existsSync(node)) {
  fail(
    `No Node 24 build for ${process.platform} ${process.arch} comes with Petra; run it on Linux or macOS (arm64).`,
  );
}

const [file, ...args] = process.argv.slice(2);
if (file) {
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
  const result = spawnSync(node, [file, ...args], { cwd: root, stdio: 'inherit', env });
  if (result.error) fail(String(result.error.message));
  process.exit(result.signal ? 1 : (result.status ?? 1));
}
