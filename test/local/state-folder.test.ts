import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStateFolder } from '../../local/state-folder.ts';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'petra-state-'));
  folder = path.join(parent, 'state');
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('everything in it is for its owner alone', async () => {
  const state = await openStateFolder(folder);
  await state.inside('database');
  await state.speed(600);
  await state.publish({ url: 'http://127.0.0.1:1', pid: 1, startedAt: '', version: '', speed: 1 });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) {
    expect([name, statSync(path.join(folder, name)).mode & 0o077]).toEqual([name, 0]);
  }
});

test('a folder that others could enter is closed to them', async () => {
  await openStateFolder(folder);
  chmodSync(folder, 0o755);
  await openStateFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('the token is made once, and hard to guess', async () => {
  const { token } = await openStateFolder(folder);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect((await openStateFolder(folder)).token).toBe(token);
});

test('the speed is remembered', async () => {
  expect(await (await openStateFolder(folder)).speed(undefined)).toBeUndefined();
  await (await openStateFolder(folder)).speed(600);
  expect(await (await openStateFolder(folder)).speed(undefined)).toBe(600);
});

test('a folder of something else is left as it is', async () => {
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(path.join(folder, 'thesis.txt'), 'x');
  await expect(openStateFolder(folder)).rejects.toMatchObject({ code: 'LocalStartFailed' });
  expect(readdirSync(folder)).toEqual(['thesis.txt']);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
});

test('a process that was killed while it made the folder leaves it usable', async () => {
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'petra-state.json.4711'), '');
  await expect(openStateFolder(folder)).resolves.toMatchObject({ folder });
});
