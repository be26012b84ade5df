import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Disk } from '../../local/disk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'petra-disk-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what was put is there after opening again, and what was deleted is not', async () => {
  const disk = await Disk.open(folder);
  const names = disk.collection<{ n: number }>('names');
  await names.put('a', { n: 1 });
  await names.put('b', { n: 2 });
  await names.delete('a');
  await disk.close();
  const again = await Disk.open(folder);
  expect([...again.collection('names').entries()]).toEqual([['b', { n: 2 }]]);
  expect(again.names()).toEqual(['names']);
  await again.close();
});

test('collections with the same keys are apart', async () => {
  const disk = Disk.inMemory();
  await disk.collection<number>('one').put('k', 1);
  expect(disk.collection<number>('two').get('k')).toBeUndefined();
});

test('writes to one key take effect in the order in which they were asked for', async () => {
  const disk = await Disk.open(folder);
  const values = disk.collection<number>('values');
  const writes: Promise<void>[] = [];
  for (let key = 0; key < 200; key += 1) {
    for (let n = 0; n < 5; n += 1) writes.push(values.put(`k${key}`, n));
    if (key % 2 === 0) writes.push(values.delete(`k${key}`));
  }
  await Promise.all(writes);
  const before = [...values.entries()].toSorted();
  await disk.close();
  const again = await Disk.open(folder);
  expect([...again.collection('values').entries()].toSorted()).toEqual(before);
  expect(before).toHaveLength(100);
  expect(new Set(before.map(([, n]) => n))).toEqual(new Set([4]));
  await again.close();
});

test('a second opening of the same folder is refused', async () => {
  const disk = await Disk.open(folder);
  await expect(Disk.open(folder)).rejects.toThrow();
  await disk.close();
});

test('a write that the disk refuses has not happened, and all that was acknowledged is there afterwards', async () => {
  // A limit on the size of files plays the full disk: a process of its own, since the limit cannot be lifted again.
  const script = `
    import { Disk } from ${JSON.stringify(path.join(import.meta.dirname, '../../local/disk.ts'))};
    const disk = await Disk.open(${JSON.stringify(folder)});
    const values = disk.collection('values');
    const acknowledged = [];
    let refusal;
    for (let n = 0; n < 400; n += 1) {
      try {
        await values.put('k' + n, 'x'.repeat(1000));
        acknowledged.push(n);
      } catch (error) {
        refusal ??= error.code;
        if (values.get('k' + n) !== undefined) throw new Error('a refused value is visible');
      }
    }
    console.log(JSON.stringify({ acknowledged, refusal }));
    process.exit(0);
  `;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const run = spawnSync('sh', ['-c', 'ulimit -f 100; exec "$@"', 'sh', ...node], { encoding: 'utf8' });
  const { acknowledged, refusal } = JSON.parse(run.stdout);
  expect(refusal).toBe('StorageUnavailable');
  const disk = await Disk.open(folder);
  const kept = new Set([...disk.collection('values').entries()].map(([key]) => key));
  expect(acknowledged.filter((n: number) => !kept.has(`k${n}`))).toEqual([]);
  expect(acknowledged.length).toBeLessThan(400);
  await disk.close();
});
