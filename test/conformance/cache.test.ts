import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached, inWorkFolder, offer } from './cache.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'petra-cache-'));
  vi.stubEnv('PETRA_CACHE', root);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

async function make(work: string, text: string): Promise<string> {
  const folder = path.join(work, 'made');
  await mkdir(folder);
  await writeFile(path.join(folder, 'program'), text);
  return folder;
}

test('what is offered appears whole, and nothing else stays', async () => {
  await inWorkFolder(async (work) => offer(await make(work, 'first'), cached('tool')));
  expect(await readdir(path.dirname(cached('tool')))).toEqual(['tool']);
  expect(await readFile(path.join(cached('tool'), 'program'), 'utf8')).toBe('first');
});

test('the first of two that make the same is used', async () => {
  await Promise.all(
    ['one', 'other'].map((text) =>
      inWorkFolder(async (work) => offer(await make(work, text), cached('tool'))),
    ),
  );
  const used = await readFile(path.join(cached('tool'), 'program'), 'utf8');
  await inWorkFolder(async (work) => offer(await make(work, 'late'), cached('tool')));
  expect(await readFile(path.join(cached('tool'), 'program'), 'utf8')).toBe(used);
});

test('a folder from which something was removed is named', async () => {
  await inWorkFolder(async (work) => offer(await make(work, 'first'), cached('tool')));
  await rm(path.join(cached('tool'), 'program'));
  await writeFile(path.join(cached('tool'), 'other'), '');
  await expect(
    inWorkFolder(async (work) => offer(await make(work, 'again'), cached('tool'))),
  ).rejects.toThrow(`remove what is there`);
});

test('a failure leaves no work behind', async () => {
  const failing = inWorkFolder(async (work) => {
    await make(work, 'half');
    throw new Error('the compiler says no');
  });
  await expect(failing).rejects.toThrow('the compiler says no');
  expect(await readdir(path.dirname(cached('tool')))).toEqual([]);
});

test('what killed processes left is removed after a day', async () => {
  const [abandoned, young] = [cached('building-abandoned'), cached('building-young')];
  await mkdir(abandoned, { recursive: true });
  await mkdir(young);
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  await utimes(abandoned, twoDaysAgo, twoDaysAgo);
  await inWorkFolder(async () => undefined);
  expect([abandoned, young].map((folder) => existsSync(folder))).toEqual([false, true]);
});
