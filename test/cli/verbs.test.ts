import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { petra, startPetra } from './run-petra.ts';
import {
  cleanResidue,
  failureScript,
  StubApi,
  stubCluster,
  stubOperation,
  successScript,
} from './stub-api.ts';

let api: StubApi;

beforeEach(async () => {
  api = await new StubApi().open();
});

afterEach(() => api.close());

const create = ['capi', 'create', '-f', 'examples/workload-dev.yaml'];

describe('create', () => {
  it('sends the spec, shows each step once as a plain line, and prints one sentence as its result', async () => {
    api.accept('started', successScript());
    const run = await petra(create, { env: api.env });
    expect(run.stdout).toBe('cluster workload-dev is ready (40s)\n');
    expect(run.stderr).toContain('create workload-dev: started (create-workload-dev-1a2b3c4d-1)');
    for (const title of [
      'check names, versions and quotas',
      'launch the control plane',
      'wait for the nodes',
    ]) {
      expect(run.stderr.split('\n').filter((line) => line.endsWith(`s  ${title}`))).toHaveLength(1);
    }
    expect(run.stderr).toMatch(/^ +\d+s {4}1 of 3 nodes are ready$/m);
    expect(run.stderr).not.toContain('\u001b');
    expect(api.writes).toMatchObject([
      { method: 'POST', path: '/clusters', body: { spec: { metadata: { name: 'workload-dev' } } } },
    ]);
  });

  it('names the management cluster it is told to use', async () => {
    api.accept('started', successScript());
    await petra([...create, '--management', 'petra-mgmt', '--no-wait'], { env: api.env });
    expect(api.writes[0]?.body).toMatchObject({ management: 'petra-mgmt' });
  });

  it('reads the spec from stdin', async () => {
    api.accept('unchanged', []);
    const { readFileSync } = await import('node:fs');
    const stdin = readFileSync('examples/workload-dev.yaml', 'utf8');
    const run = await petra(['capi', 'create', '-f', '-'], { env: api.env, stdin });
    expect(run).toMatchObject({ code: 0, stdout: 'cluster workload-dev is already ready with this spec\n' });
  });

  it('says that it attached, to what and whose', async () => {
    api.accept('attached', successScript());
    const run = await petra(create, { env: api.env });
    expect(run.stderr).toContain(
      'attached to the running operation create-workload-dev-1a2b3c4d-1, started by local:tester',
    );
    // The clock is the record's, which began before this command.
    expect(run.stderr).toMatch(/^ +30s {2}record that it is ready$/m);
  });

  it('says that it resumes, and with which attempt', async () => {
    api.accept('resumed', successScript({ attempt: 2 }));
    const run = await petra(create, { env: api.env });
    expect(run.stderr).toContain('resuming after a failure, attempt 2 (create-workload-dev-1a2b3c4d-2)');
  });

  it('says that only settings were updated', async () => {
    api.accept('updated', []);
    const run = await petra(create, { env: api.env });
    expect(run.stdout).toBe('cluster workload-dev is ready; its settings were updated\n');
  });

  it('shows the warnings of the API', async () => {
    api.accept('unchanged', []);
    if (api.reply) api.reply = { ...api.reply, warnings: ['CAPI v1.9.5 is out of support'] };
    const run = await petra(create, { env: api.env });
    expect(run.stderr).toContain('warning: CAPI v1.9.5 is out of support');
  });

  it('explains a failure with its causes, its evidence and the next step', async () => {
    api.accept('started', failureScript());
    const run = await petra(create, { env: api.env });
    expect(run.stderr).toMatch(/launch the control plane: failed \[BootTimedOut\]$/m);
    expect(run.stderr).toContain(
      [
        'error: server-0 did not bring up its API within 15m [BootTimedOut]',
        '  because: connect ECONNREFUSED 10.0.0.1:6443',
        '  console: k3s.service: Failed',
        '  operation: create-workload-dev-1a2b3c4d-1',
        '  step: LaunchControlPlane',
        'fix: Read the console output, then repeat the command.',
      ].join('\n'),
    );
  });

  it('prints the ended operation with -o json', async () => {
    api.accept('started', successScript());
    const run = await petra([...create, '-o', 'json'], { env: api.env });
    expect(JSON.parse(run.stdout)).toMatchObject({
      outcome: 'started',
      cluster: { name: 'workload-dev', phase: 'Ready' },
      operation: { status: 'Succeeded' },
    });
  });

  it('returns at once with --no-wait, with the operation as its result', async () => {
    api.accept('started', [stubOperation()]);
    const run = await petra([...create, '--no-wait'], { env: api.env });
    expect(run).toMatchObject({ code: 0, stdout: 'create-workload-dev-1a2b3c4d-1\n' });
    expect(run.stderr).toContain('petra capi operations create-workload-dev-1a2b3c4d-1 --follow');
  });

  it('stops waiting after --timeout and says that the operation goes on', async () => {
    api.accept('started', [stubOperation()]);
    const run = await petra([...create, '--timeout', '1s'], { env: api.env });
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('has not ended within 1s; it goes on [WaitTimedOut]');
  });

  it('waits for a server that restarts, and says so', async () => {
    api.accept('started', [stubOperation({}, 1)]);
    const running = startPetra(create, { env: api.env });
    await running.says('launch the control plane');
    await api.close();
    await running.says('the Petra API does not answer; waiting for it to come back');
    api.accept('started', successScript());
    await api.open();
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'cluster workload-dev is ready (40s)\n' });
    expect(running.stderr).toContain('the Petra API answers again');
  });

  it('detaches on a signal and says how to come back', async () => {
    api.accept('started', [stubOperation()]);
    const running = startPetra(create, { env: api.env });
    await running.says('check names, versions and quotas');
    running.process.kill('SIGINT');
    const run = await running.ended;
    expect(run.code).toBe(130);
    expect(run.stderr).toContain('create-workload-dev-1a2b3c4d-1 goes on without this command');
    expect(run.stderr).toContain('the same command attaches again');
    expect(api.writes).toHaveLength(1);
  });
});

describe('init', () => {
  it('sends a management spec', async () => {
    const cluster = stubCluster({ name: 'petra-mgmt', kind: 'management' });
    api.accept('started', successScript({ verb: 'init', cluster: 'petra-mgmt' }), cluster);
    const { readFileSync } = await import('node:fs');
    // The example names a CAPA version that was never released, which only a look at the releases can tell.
    const stdin = readFileSync('examples/management.yaml', 'utf8');
    const run = await petra(['capi', 'init', '-f', '-'], { env: api.env, stdin });
    expect(run.stdout).toBe('cluster petra-mgmt is ready (40s)\n');
    expect(api.writes).toMatchObject([{ method: 'POST', path: '/management-clusters' }]);
  });
});

describe('delete', () => {
  it('takes --yes for the typed name, and ends with what was looked for', async () => {
    const ended = successScript({ verb: 'delete' }).map((operation) => ({
      ...operation,
      ...(operation.status === 'Succeeded' ? { residue: cleanResidue } : {}),
    }));
    api.accept('started', ended);
    const run = await petra(['capi', 'delete', 'workload-dev', '--yes'], { env: api.env });
    expect(run.stdout).toBe(
      [
        'cluster workload-dev is deleted (40s)',
        '',
        'LOOKED FOR      HOW                         FOUND',
        'EC2 instances   tag petra.sh/uid=1a2b3c4d   none',
        'secrets         prefix petra/1a2b3c4d       none',
        'nothing is left',
        '',
      ].join('\n'),
    );
    expect(api.writes).toMatchObject([{ method: 'DELETE', path: '/clusters/workload-dev' }]);
  });

  it('takes the name from a spec', async () => {
    api.accept('started', successScript({ verb: 'delete' }));
    await petra(['capi', 'delete', '-f', 'examples/workload-dev.yaml', '--yes'], { env: api.env });
    expect(api.writes).toMatchObject([{ method: 'DELETE', path: '/clusters/workload-dev' }]);
  });

  it('sends a management cluster to destroy', async () => {
    api.clusters.set('petra-mgmt', stubCluster({ name: 'petra-mgmt', kind: 'management' }));
    const run = await petra(['capi', 'delete', 'petra-mgmt', '--yes'], { env: api.env });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('fix: `petra capi destroy petra-mgmt` removes it.');
    expect(api.writes).toEqual([]);
  });

  it('comes back to a removal that is under way without asking again', async () => {
    const lock = {
      operationId: 'delete-workload-dev-1a2b3c4d-1',
      fence: 2,
      holder: 'x',
      acquiredAt: '',
      expiresAt: '',
    };
    const operation = { id: lock.operationId, verb: 'delete', attempt: 1, options: {} } as const;
    api.accept(
      'attached',
      successScript({ verb: 'delete' }),
      stubCluster({ phase: 'Deleting', lock, operation }),
    );
    const run = await petra(['capi', 'delete', 'workload-dev'], { env: api.env });
    expect(run).toMatchObject({ code: 0, stdout: 'cluster workload-dev is deleted (40s)\n' });
  });
});

describe('destroy', () => {
  beforeEach(() => {
    api.accept(
      'started',
      successScript({ verb: 'destroy', cluster: 'petra-mgmt' }),
      stubCluster({ name: 'petra-mgmt', kind: 'management' }),
    );
    api.clusters.set('workload-dev', stubCluster());
  });

  it('refuses while workload clusters exist, and lists them', async () => {
    const run = await petra(['capi', 'destroy', 'petra-mgmt'], { env: api.env });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('clusters: workload-dev');
    expect(api.writes).toEqual([]);
  });

  it('passes --cascade on', async () => {
    const run = await petra(['capi', 'destroy', 'petra-mgmt', '--cascade', '--yes'], { env: api.env });
    expect(run.stdout).toBe('cluster petra-mgmt is destroyed (40s)\n');
    expect(api.writes).toMatchObject([
      { method: 'DELETE', path: '/management-clusters/petra-mgmt?cascade=true' },
    ]);
  });
});

describe('unlock', () => {
  it('says which operation it gave up', async () => {
    const lock = { operationId: 'create-x-1', fence: 1, holder: 'x', acquiredAt: '', expiresAt: '' };
    api.clusters.set('workload-dev', stubCluster({ lock }));
    const run = await petra(['capi', 'unlock', 'workload-dev', '--yes'], { env: api.env });
    expect(run.stdout).toBe('cluster workload-dev is unlocked; create-x-1 was given up\n');
  });
});
