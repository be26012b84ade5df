import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'dynalite/db/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DynamoDbFleetStore } from '../../adapters/dynamodb-fleet-store.ts';
import { type LocalDatabase, openDatabase } from '../../local/database.ts';
import { clusterRecord, freshName } from '../adapters/fleet-records.ts';
import { everyPage } from '../adapters/fleet-store.contract.ts';

const writer = join(import.meta.dirname, 'database-writer.ts');
const isRoot = process.getuid?.() === 0;

describe('the database of a local Petra', () => {
  let parent: string;
  let folder: string;
  const open: LocalDatabase[] = [];
  const processes: ChildProcess[] = [];

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'petra-database-'));
    folder = join(parent, 'state', 'fleet');
  });
  afterEach(async () => {
    for (const process of processes.splice(0)) {
      if (process.exitCode === null && process.signalCode === null) {
        process.kill('SIGKILL');
        await once(process, 'exit');
      }
    }
    for (const database of open.splice(0)) await database.close();
    await rm(parent, { recursive: true });
  });

  const opened = async () => {
    const database = await openDatabase(folder);
    open.push(database);
    return { database, store: new DynamoDbFleetStore(database.client, database.tableName) };
  };
  /** Starts the writer and resolves when it has printed this many lines, or ended. */
  const writing = async (lines: number, limit: number, wrap: (command: string[]) => string[] = (c) => c) => {
    const [command = '', ...args] = wrap([process.execPath, writer, folder, String(limit)]);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    processes.push(child);
    let text = '';
    child.stdout.setEncoding('utf8');
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: string) => {
        text += chunk;
        if (text.split('\n').length > lines) resolve();
      });
      child.once('close', () => resolve());
    });
    return { child, printed: () => text.split('\n').slice(0, -1) };
  };
  const table = async (change: (store: ReturnType<typeof create>) => void) => {
    const store = create({ path: folder });
    await store.db.open();
    change(store);
    await store.db.close();
  };

  it('is there again after a restart, in a folder for this user only', async () => {
    const record = clusterRecord();
    const first = await openDatabase(folder);
    await new DynamoDbFleetStore(first.client, first.tableName).add(record);
    await first.close();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const { store } = await opened();
    expect(await store.find(record.name)).toEqual(record);
    expect((await store.list({ limit: 1 })).items).toEqual([record]);
  });

  it('keeps every acknowledged write when the process is killed in the middle of writing', async () => {
    for (let round = 1; round <= 2; round++) {
      const { child, printed } = await writing(40 * round, 1e9);
      child.kill('SIGKILL');
      await once(child, 'close');
      const acknowledged = printed().slice(1);
      const { database, store } = await opened();
      const names = (await everyPage(store, {})).map(({ name }) => name);
      expect(acknowledged.length).toBeGreaterThanOrEqual(40 * round - 1);
      expect(names).toEqual(expect.arrayContaining(acknowledged));
      await database.close();
      open.pop();
    }
  });

  it('is refused while another process has it, and given when that process is gone', async () => {
    const { child } = await writing(1, 1e9);
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: `cannot open the database in ${folder}: another process has it open`,
      fix: expect.stringContaining('petra local down'),
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    await opened();
  });

  it('is refused a second time in one process', async () => {
    await opened();
    await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'LocalStartFailed' });
  });

  it('goes on after a full disk, and loses nothing it acknowledged', async () => {
    // A limit on the size of a file makes writes fail as a full disk does.
    const limited = (command: string[]) => ['sh', '-c', 'ulimit -f 128; exec "$@"', 'sh', ...command];
    const { printed } = await writing(1e9, 5_000, limited);
    const [first, ...rest] = printed();
    const last = rest.pop();
    expect(first).toBe('open');
    expect(last).toMatch(/^StorageUnavailable: cannot write CLUSTER#.*File too large/);
    expect(rest.length).toBeGreaterThan(10);
    const { store } = await opened();
    const names = (await everyPage(store, {})).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(rest));
    const record = clusterRecord();
    await store.add(record);
    expect(await store.find(record.name)).toEqual(record);
  });

  it('is not made where a file is in the way', async () => {
    await writeFile(join(parent, 'state'), '');
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: expect.stringContaining(folder),
      fix: expect.stringContaining('another state folder'),
    });
  });

  it.runIf(!isRoot)('is not opened without permission', async () => {
    await (await openDatabase(folder)).close();
    await chmod(folder, 0o500);
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: expect.stringContaining('cannot be read or written'),
      fix: expect.stringContaining('permission'),
    });
    await chmod(folder, 0o700);
  });

  it('says when its files are damaged', async () => {
    await (await openDatabase(folder)).close();
    await writeFile(join(folder, 'CURRENT'), 'nonsense');
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: expect.stringContaining('damaged'),
      fix: expect.stringContaining('petra local reset'),
    });
  });

  it('is not used when its table was made by another version of Petra', async () => {
    await (await openDatabase(folder)).close();
    await table((store) =>
      store.tableDb.put(
        'petra',
        { TableName: 'petra', TableStatus: 'ACTIVE', KeySchema: [] },
        () => undefined,
      ),
    );
    await expect(openDatabase(folder)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: expect.stringContaining('another version of Petra'),
      fix: expect.stringContaining('petra local reset'),
    });
  });

  it('finishes a table whose maker was killed', async () => {
    await (await openDatabase(folder)).close();
    await table((store) =>
      store.tableDb.put('petra', { TableName: 'petra', TableStatus: 'CREATING' }, () => undefined),
    );
    const { store } = await opened();
    await store.add(clusterRecord());
  });

  it('does not answer any more after it was closed', async () => {
    const { database, store } = await opened();
    await database.close();
    await expect(store.find(freshName())).rejects.toMatchObject({ code: 'StorageUnavailable' });
  });

  it("does not mind the user's AWS settings", async () => {
    const settings = {
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_PROFILE: 'nobody',
      AWS_ENDPOINT_URL: 'http://localhost:1',
      AWS_MAX_ATTEMPTS: '1',
    };
    const before = Object.keys(settings).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, settings);
    try {
      const { store } = await opened();
      expect(await store.find(freshName())).toBeUndefined();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});
