import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { settleOn } from './api-server-settings.ts';

test('arguments lead to the files that the user data writes, and to where logs go', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'petra-settings-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const args = [
    'tls-min-version=VersionTLS12',
    'audit-policy-file=/etc/audit.yaml',
    'audit-log-path=/var/log/a/b.log',
    'profiling=false',
  ];
  const files = new Map([
    ['/etc/audit.yaml', 'kind: Policy\n'],
    ['/etc/other.yaml', 'other'],
  ]);
  expect(await settleOn(root, { args, files })).toEqual([
    '--tls-min-version=VersionTLS12',
    `--audit-policy-file=${root}/etc/audit.yaml`,
    `--audit-log-path=${root}/var/log/a/b.log`,
    '--profiling=false',
  ]);
  expect(await readFile(path.join(root, 'etc/audit.yaml'), 'utf8')).toBe('kind: Policy\n');
  expect(existsSync(path.join(root, 'var/log/a'))).toBe(true);
  expect(existsSync(path.join(root, 'etc/other.yaml'))).toBe(false);
});
