import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDiagnosisScript } from '../../adapters/node-diagnosis-script.ts';

const token = '6f1ed002ab5595859014ebf0951522d9';
const hidden = '(a line that may hold a secret is left out)';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'petra-diagnosis-'));
  await mkdir(path.join(folder, 'bin'));
  await standIn('systemctl', 'echo "Id=k3s.service"; echo "ActiveState=activating"');
  await standIn('journalctl', `cat "${folder}/journal"`);
  await standIn('df', 'echo "/dev/xvda1 40G 38G 2G 95% /"');
  await standIn('free', 'echo "Mem: 7800 7100 700"');
  await writeFile(path.join(folder, 'token'), `${token}\n`, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function standIn(name: string, text: string): Promise<void> {
  return writeFile(path.join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** What Systems Manager would hear from a node with this journal. */
async function heard(journal: string, tokenFile = path.join(folder, 'token')): Promise<string[]> {
  await writeFile(path.join(folder, 'journal'), `${journal}\n`);
  const { stdout } = await promisify(execFile)('sh', ['-c', nodeDiagnosisScript(tokenFile)], {
    env: { PATH: `${folder}/bin:${process.env.PATH}` },
  });
  return stdout.split('\n');
}

describe('what a node is asked', () => {
  it('is about its services, their journals, its disk and its memory', async () => {
    const lines = await heard('petra: cannot read the secret petra/0f1e/join-token: AccessDeniedException');
    expect(lines).toEqual([
      'Id=k3s.service',
      'ActiveState=activating',
      'end of the journal of petra-node.service:',
      'petra: cannot read the secret petra/0f1e/join-token: AccessDeniedException',
      'end of the journal of k3s.service:',
      'petra: cannot read the secret petra/0f1e/join-token: AccessDeniedException',
      '/dev/xvda1 40G 38G 2G 95% /',
      'Mem: 7800 7100 700',
      '',
    ]);
  });

  it.each([
    `joining with ${token}`,
    'k3s server --token=abc',
    'K10e3b0c44298fc1c149::server:whatever',
    '{"Token":"abc"}',
    'Authorization: Bearer eyJhbGciOiJSUzI1NiJ9',
    '-----BEGIN EC PRIVATE KEY-----',
    'AWS_SECRET=abc',
  ])('does not bring out what may be a secret: %s', async (line) => {
    const lines = await heard(`before\n${line}\nafter`);
    expect(lines.slice(3, 6)).toEqual(['before', hidden, 'after']);
  });

  it('is answered before there is a token, too', async () => {
    expect(await heard('petra: starts', path.join(folder, 'absent'))).toContain('petra: starts');
  });

  it('is answered in lines of limited length', async () => {
    expect((await heard('x'.repeat(5_000)))[3]).toBe('x'.repeat(300));
  });
});
