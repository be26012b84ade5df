import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../local/eventually.ts';
import { Processes } from './processes.ts';

function inFolder() {
  const logs = mkdtempSync(path.join(tmpdir(), 'petra-processes-'));
  const processes = new Processes({ logs });
  onTestFinished(async () => {
    await processes.stopAll();
    rmSync(logs, { recursive: true });
  });
  return { logs, processes, logOf: (name: string) => readFileSync(path.join(logs, `${name}.log`), 'utf8') };
}

test('a process writes into a log that only its owner can read, behind what was there', async () => {
  const { processes, logs, logOf } = inFolder();
  await processes.start('one', 'sh', ['-c', 'echo first; echo error >&2']).ended;
  const { code } = await processes.start('one', 'sh', ['-c', 'echo second; exit 3']).ended;
  expect(code).toBe(3);
  expect(logOf('one')).toBe('first\nerror\nsecond\n');
  expect(statSync(path.join(logs, 'one.log')).mode & 0o777).toBe(0o600);
});

test('a process has the environment that it is given, not the one of the script', async () => {
  const { processes, logOf } = inFolder();
  await processes.start('one', 'env', [], { env: { GIVEN: 'yes' } }).ended;
  expect(logOf('one').trim().split('\n').sort()).toEqual([
    'GIVEN=yes',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ]);
});

test('what was started last is stopped first', async () => {
  const { processes } = inFolder();
  const ended: string[] = [];
  for (const name of ['first', 'second']) {
    void processes.start(name, 'sleep', ['600']).ended.then(() => ended.push(name));
  }
  await processes.stopAll();
  expect(ended).toEqual(['second', 'first']);
});

test('a process that does not listen is killed after its patience', async () => {
  const { processes, logOf } = inFolder();
  const deaf = processes.start(
    'deaf',
    'sh',
    ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'],
    { patienceMilliseconds: 100 },
  );
  await eventually(() => logOf('deaf')).toBe('ready\n');
  expect(await deaf.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(deaf.isRunning()).toBe(false);
  expect(await deaf.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a program that does not exist is an error that names it', () => {
  const { processes } = inFolder();
  expect(() => processes.start('one', '/no/such/program', [])).toThrow(
    'one cannot be started: no program /no/such/program',
  );
});
