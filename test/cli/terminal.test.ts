// On a terminal: progress moves, and questions are asked. Each command gets a pseudo terminal from util-linux.

import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { petra, petraOnTerminal } from './run-petra.ts';
import { StubApi, stubCluster, stubOperation, successScript } from './stub-api.ts';

const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;

let api: StubApi;

beforeEach(async () => {
  api = await new StubApi().open();
});

afterEach(() => api.close());

const create = ['capi', 'create', '-f', 'examples/workload-dev.yaml'];

describe.runIf(hasScript)('a terminal', () => {
  it('sees progress by phases, redrawn in place, with an estimate', async () => {
    api.accept('started', successScript({ estimateSeconds: 400 }));
    const run = await petraOnTerminal(create, { env: api.env }).ended;
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('\u001b[?25l');
    expect(run.stdout).toContain('\u001b[?25h');
    const text = stripVTControlCharacters(run.stdout);
    expect(text).toMatch(/create workload-dev {2}\d+s, about \dm left/);
    expect(text).toContain('✔ machines  20s');
    expect(text).toMatch(/ {4}\S wait for the nodes {2}1 of 3 nodes are ready/);
    expect(text).toContain('cluster workload-dev is ready');
  });

  it('gets no colours with NO_COLOR', async () => {
    api.accept('started', successScript());
    const run = await petraOnTerminal(create, { env: { ...api.env, NO_COLOR: '1' } }).ended;
    expect(run.stdout).not.toMatch(/\p{Cc}\[\d+m/u);
  });

  it('gets plain lines when it cannot move the cursor, or is a build system', async () => {
    for (const env of [{ TERM: 'dumb' }, { CI: 'true' }]) {
      api.accept('started', successScript({ attempt: 'TERM' in env ? 1 : 2 }));
      const run = await petraOnTerminal(create, { env: { ...api.env, ...env } }).ended;
      expect(run.stdout).not.toContain('\u001b[?25l');
      expect(run.stdout).toContain('launch the control plane');
    }
  });

  it('is given back by Ctrl-C, with the cursor, while the operation goes on', async () => {
    api.accept('started', [stubOperation()]);
    const running = petraOnTerminal(create, { env: api.env });
    await running.says('check names, versions and quotas');
    running.process.stdin?.write('\u0003');
    const run = await running.ended;
    expect(run.code).toBe(130);
    expect(run.stdout).toContain('goes on without this command');
    expect(run.stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(run.stdout.lastIndexOf('\u001b[?25l'));
  });

  it('is asked for the name before a deletion, and shown what it removes', async () => {
    api.accept('started', successScript({ verb: 'delete' }));
    const running = petraOnTerminal(['capi', 'delete', 'workload-dev'], { env: api.env });
    await running.says('to delete the cluster:');
    expect(stripVTControlCharacters(running.stdout)).toContain(
      'workload cluster workload-dev: Ready, v1.35.3+k3s1, us-west-1, 3 machines and their disks',
    );
    expect(api.writes).toEqual([]);
    running.process.stdin?.write('workload-dev\r');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(api.writes).toHaveLength(1);
  });

  it.for([
    { typed: 'workload-prod\r', what: 'another name', code: 5 },
    { typed: '\r', what: 'nothing', code: 5 },
    { typed: '\u0003', what: 'Ctrl-C', code: 130 },
    { typed: '\u0004', what: 'Ctrl-D', code: 5 },
  ])('takes $what for a no', async ({ typed, code }) => {
    api.clusters.set('workload-dev', stubCluster());
    const running = petraOnTerminal(['capi', 'delete', 'workload-dev'], { env: api.env });
    await running.says('to delete the cluster:');
    running.process.stdin?.write(typed);
    const run = await running.ended;
    expect(run.code).toBe(code);
    expect(run.stdout).toContain('nothing was done');
    expect(api.writes).toEqual([]);
  });
});

describe('a pipe', () => {
  it('gets colours only with FORCE_COLOR', async () => {
    const plain = await petra(['capi', 'describe', 'nobody'], { env: api.env });
    const forced = await petra(['capi', 'describe', 'nobody'], { env: { ...api.env, FORCE_COLOR: '1' } });
    expect(plain.stderr).not.toContain('\u001b[');
    expect(forced.stderr).toContain('\u001b[31merror:\u001b[0m');
  });
});
