import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findServer, startServer, stopServer } from '../../cli/local-server.ts';
import { isAlive } from '../../cli/local-state.ts';
import { petra } from './run-petra.ts';

const program = path.join(import.meta.dirname, 'stub-local-server.mjs');
let folder: string;

const start = (limitMilliseconds = 10_000) =>
  startServer(folder, { faults: [] }, { program, limitMilliseconds });
const starts = () => readFileSync(path.join(folder, 'starts'), 'utf8').trimEnd().split('\n');

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'petra-local-')), 'state');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await stopServer(folder);
  rmSync(path.dirname(folder), { recursive: true, force: true });
});

const local = (...args: string[]) => petra(['local', ...args, '--state', folder]);

describe('starting a local Petra', () => {
  it('makes a private folder with a marker and a private log', async () => {
    await start();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(folder, 'petra.log')).mode & 0o777).toBe(0o600);
    expect(existsSync(path.join(folder, 'petra-state.json'))).toBe(true);
  });

  it('hands its options to the server', async () => {
    await startServer(folder, { faults: ['ec2:Throttled:2', 'x'], speed: 600 }, { program });
    expect(starts()).toEqual([`--state ${folder} --speed 600 --fault ec2:Throttled:2 --fault x`]);
  });

  it('starts one server when several commands need it at once', async () => {
    const servers = await Promise.all([start(), start(), start(), start()]);
    expect(new Set(servers.map((server) => server.endpoint.pid)).size).toBe(1);
    expect(starts()).toHaveLength(1);
    expect(existsSync(path.join(folder, 'start.lock'))).toBe(false);
  });

  it('takes over from a command that died while it started the server', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'petra-state.json'), '{}');
    // No process has this id: Linux ends at 4194304.
    writeFileSync(path.join(folder, 'start.lock'), '99999999');
    await start();
    expect(starts()).toHaveLength(1);
  });

  it('starts anew where a killed server left its address', async () => {
    const { endpoint } = await start();
    process.kill(endpoint.pid, 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(endpoint.pid)).toBe(false));
    expect(await findServer(folder)).toBeUndefined();
    const again = await start();
    expect(again.endpoint.pid).not.toBe(endpoint.pid);
  });

  it('does not take a process that has the recorded id or port for the server', async () => {
    await start();
    const file = path.join(folder, 'endpoint.json');
    const endpoint = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...endpoint, url: 'http://127.0.0.1:9' }));
    expect(await findServer(folder)).toBeUndefined();
    expect(await stopServer(folder)).toBe(false);
    expect(isAlive(endpoint.pid)).toBe(true);
    writeFileSync(file, JSON.stringify(endpoint));
  });

  it('fails with the end of the log when the server ends', async () => {
    vi.stubEnv('STUB_LOCAL', 'fails');
    await expect(start()).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: 'the local Petra ended while it started (exit code 1)',
      evidence: ['{"msg":"start failed","code":"StorageUnavailable"}'],
    });
    expect(existsSync(path.join(folder, 'start.lock'))).toBe(false);
  });

  it("tells the server's own reason, and takes a wrong setting for the caller's mistake", async () => {
    vi.stubEnv('STUB_LOCAL', 'StorageUnavailable');
    await expect(start()).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: 'the local Petra did not start: because of StorageUnavailable',
      fix: 'Do better.',
      evidence: [],
    });
    vi.stubEnv('STUB_LOCAL', 'InvalidUsage');
    await expect(start()).rejects.toMatchObject({
      code: 'InvalidUsage',
      message: 'because of InvalidUsage',
      fix: 'Do better.',
    });
  });

  it('fails when the server does not answer in time, and leaves none behind', async () => {
    vi.stubEnv('STUB_LOCAL', 'hangs');
    await expect(start(500)).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: 'the local Petra did not answer within 0.5 s',
    });
  });

  it('closes a folder that others could enter', async () => {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
    await start();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('refuses a folder that holds something else', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'thesis.txt'), 'x');
    const mode = statSync(folder).mode;
    await expect(start()).rejects.toMatchObject({ code: 'InvalidUsage' });
    expect(statSync(folder).mode).toBe(mode);
  });
});

describe('a state folder', () => {
  // The kernel answers that /proc/x is missing to whoever makes it.
  it.runIf(existsSync('/proc/self'))('that cannot be made is refused, not tried for ever', async () => {
    const run = await petra(['capi', 'list', '--state', '/proc/x/y']);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain('[StorageUnavailable]');
  });

  it.skipIf(process.getuid?.() === 0)('of another user is no folder without a Petra', async () => {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o000);
    for (const args of [['status'], ['down'], ['reset', '--yes']]) {
      expect((await local(...args)).stderr).toContain('you may not read the state folder');
    }
    chmodSync(folder, 0o700);
  });
});

describe('petra local', () => {
  it('tells whether a server runs', async () => {
    const idle = await local('status', '-o', 'json');
    expect(JSON.parse(idle.stdout)).toMatchObject({ running: false, state: folder });
    const { endpoint } = await start();
    const running = await local('status', '-o', 'json');
    expect(JSON.parse(running.stdout)).toMatchObject({ running: true, url: endpoint.url, pid: endpoint.pid });
    expect((await local('status')).stdout).toContain(`running at ${endpoint.url} (pid ${endpoint.pid}`);
  });

  it('says that it already runs, and refuses other settings for it', async () => {
    const { endpoint } = await start();
    expect((await local('up')).stdout).toBe(
      `the local Petra already runs at ${endpoint.url} (pid ${endpoint.pid})\n`,
    );
    const other = await local('up', '--speed', '10');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('petra local down');
  });

  it('stops the server, and says when there is none', async () => {
    const { endpoint } = await start();
    expect((await local('down')).stdout).toBe('the local Petra is stopped\n');
    expect(isAlive(endpoint.pid)).toBe(false);
    expect((await local('down')).stdout).toBe('no local Petra runs\n');
  });

  it('shows the end of the log', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'petra.log'), 'one\ntwo\nthree\n');
    expect((await local('logs', '-n', '2')).stdout).toBe('two\nthree\n');
  });

  it('removes the state, after a confirmation, and stops the server before', async () => {
    const { endpoint } = await start();
    expect((await local('reset')).code).toBe(5);
    expect(existsSync(folder)).toBe(true);
    expect(await local('reset', '--yes')).toMatchObject({ code: 0, stdout: `removed ${folder}\n` });
    expect(existsSync(folder)).toBe(false);
    expect(isAlive(endpoint.pid)).toBe(false);
  });

  it('never removes a folder that Petra did not make', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'thesis.txt'), 'x');
    const run = await local('reset', '--yes');
    expect(run.code).toBe(2);
    expect(existsSync(path.join(folder, 'thesis.txt'))).toBe(true);
  });
});
