// Stands in for local/main.ts where a test is about starting and stopping it: keeps the contract of the state
// folder, serves nothing but /health, and fails as STUB_LOCAL says.

import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const folder = process.argv[process.argv.indexOf('--state') + 1];
const inside = (name) => path.join(folder, name);
appendFileSync(inside('starts'), `${process.argv.slice(2).join(' ')}\n`);

if (process.env.STUB_LOCAL === 'fails') {
  process.stderr.write('{"msg":"start failed","code":"StorageUnavailable"}\n');
  process.exit(1);
}
if (/[A-Z]/.test(process.env.STUB_LOCAL ?? '')) {
  const code = process.env.STUB_LOCAL;
  const said = { message: 'start failed', code, error: `because of ${code}`, fix: 'Do better.' };
  process.stderr.write(`${JSON.stringify(said)}\n`);
  process.exit(1);
}
if (process.env.STUB_LOCAL === 'hangs') setInterval(() => {}, 1000);
else {
  if (!existsSync(inside('token')))
    writeFileSync(inside('token'), randomBytes(8).toString('hex'), { mode: 0o600 });
  const token = readFileSync(inside('token'), 'utf8');
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(isKnown ? { status: 'ok', version: '0.1.0', mode: 'local' } : { code: 'Unauthorized' }),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    const url = `http://127.0.0.1:${server.address().port}`;
    const endpoint = {
      url,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      version: '0.1.0',
      speed: 60,
    };
    writeFileSync(inside('endpoint.new'), JSON.stringify(endpoint));
    renameSync(inside('endpoint.new'), inside('endpoint.json'));
  });
  process.on('SIGTERM', () => {
    rmSync(inside('endpoint.json'), { force: true });
    process.exit(0);
  });
}
