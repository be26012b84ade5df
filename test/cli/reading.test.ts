// The commands that only read: list, describe, operations, events, cluster-kubeconfig, version.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ClusterView, ObjectTree } from '../../core/api/contract.ts';
import type { Failure, LedgerEvent } from '../../core/fleet.ts';
import { petra, startPetra } from './run-petra.ts';
import { at, failureScript, StubApi, stubCluster, stubKubeconfig, successScript } from './stub-api.ts';

let api: StubApi;

beforeEach(async () => {
  api = await new StubApi().open();
});

afterEach(() => api.close());

const run = (...args: string[]) => petra(args, { env: api.env });

describe('list', () => {
  it('shows workload clusters as a table, and only them', async () => {
    api.clusters.set('petra-mgmt', stubCluster({ name: 'petra-mgmt', kind: 'management' }));
    api.clusters.set('workload-dev', stubCluster());
    const { stdout, stderr } = await run('capi', 'list');
    const [titles, row, ...rest] = stdout.trimEnd().split('\n');
    expect(titles?.split(/ {3,}/)).toEqual([
      'NAME',
      'PHASE',
      'VERSION',
      'CONTROL PLANE',
      'WORKERS',
      'REGION',
      'MANAGEMENT',
      'AGE',
    ]);
    expect(row).toMatch(/^workload-dev +Ready +v1\.35\.3\+k3s1 +1\/1 +2\/2 +us-west-1 +petra-mgmt +\d+d$/);
    expect(rest).toEqual([]);
    expect(stderr).toBe('');
  });

  it('shows the uid, the last operation and the endpoint with -o wide', async () => {
    api.clusters.set('workload-dev', stubCluster());
    const { stdout } = await run('capi', 'list', '-o', 'wide');
    expect(stdout).toContain(
      '1a2b3c4d-0000-4000-8000-000000000000   create-workload-dev-1a2b3c4d-1   https://10.0.0.1:6443',
    );
  });

  it('shows what has not been seen yet as a question mark', async () => {
    const { observed: _, ...unseen } = stubCluster({ phase: 'Creating' });
    api.clusters.set('workload-dev', unseen);
    expect((await run('capi', 'list')).stdout).toContain('?/1');
  });

  it('shows both kinds with --all, and says which is which', async () => {
    api.clusters.set('petra-mgmt', stubCluster({ name: 'petra-mgmt', kind: 'management' }));
    api.clusters.set('workload-dev', stubCluster());
    const { stdout } = await run('capi', 'list', '--all');
    expect(stdout).toMatch(/^petra-mgmt +management /m);
    expect(stdout).toMatch(/^workload-dev +workload /m);
  });

  it('asks for every page, and for no more than --limit', async () => {
    api.pageSize = 10;
    for (let number = 0; number < 25; number++) {
      const name = `c${String(number).padStart(2, '0')}`;
      api.clusters.set(name, stubCluster({ name }));
    }
    const all = await run('capi', 'list', '-o', 'name');
    expect(all.stdout.split('\n')).toHaveLength(26);
    api.seen.length = 0;
    const some = await run('capi', 'list', '-o', 'name', '--limit', '12');
    expect(some.stdout.trimEnd().split('\n')).toHaveLength(12);
    expect(api.seen.map((request) => request.path)).toEqual([
      '/clusters?kind=workload&limit=12',
      '/clusters?kind=workload&limit=2&cursor=10',
    ]);
  });

  it('prints an empty list as such for scripts, and a hint for people', async () => {
    expect(JSON.parse((await run('capi', 'list', '-o', 'json')).stdout)).toEqual({ items: [] });
    expect(parse((await run('capi', 'list', '-o', 'yaml')).stdout)).toEqual({ items: [] });
    const { stdout, stderr } = await run('capi', 'list');
    expect(stdout).toBe('');
    expect(stderr).toContain('no workload clusters; make one with `petra capi create -f workload.yaml`');
  });

  it('is not empty but wrong for a management cluster that is not there', async () => {
    expect(await run('capi', 'list', '--management', 'nobody')).toMatchObject({ code: 3, stdout: '' });
    api.clusters.set('petra-mgmt', stubCluster({ name: 'petra-mgmt', kind: 'management' }));
    expect(await run('capi', 'list', '--management', 'petra-mgmt')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no clusters on petra-mgmt\n',
    });
  });

  it('ends quietly when its reader goes away', async () => {
    for (let number = 0; number < 4000; number++)
      api.clusters.set(`c${number}`, stubCluster({ name: `c${number}` }));
    api.pageSize = 5000;
    const running = startPetra(['capi', 'list', '-o', 'json'], { env: api.env });
    running.process.stdout?.destroy();
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
  });
});

describe('describe', () => {
  it('shows the root cause before the tree of objects', async () => {
    api.trees.set('workload-dev', {
      cluster: stubCluster({ phase: 'Creating' }),
      causes: [
        {
          object: 'AWSMachine/workload-dev-md-0-x',
          condition: 'InstanceReady',
          message: 'InsufficientInstanceCapacity',
        },
        { object: 'Cluster/workload-dev', condition: 'Ready', message: 'waiting for the control plane' },
      ],
      root: {
        kind: 'Cluster',
        name: 'workload-dev',
        ready: 'False',
        reason: 'WaitingForControlPlane',
        since: at(0),
        deleting: false,
        conditions: [{ type: 'InfrastructureReady', status: 'True' }],
        children: [
          {
            kind: 'AWSCluster',
            name: 'workload-dev',
            ready: 'True',
            deleting: false,
            conditions: [],
            children: [],
          },
          {
            kind: 'KThreesControlPlane',
            name: 'workload-dev-cp',
            ready: 'False',
            message: '0 of 1',
            deleting: true,
            conditions: [],
            children: [],
          },
        ],
      },
    });
    api.clusters.set('workload-dev', stubCluster());
    const { stdout } = await run('capi', 'describe', 'workload-dev');
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('workload-dev: Creating, workload on petra-mgmt, v1.35.3+k3s1, us-west-1');
    expect(stdout.indexOf('root cause: AWSMachine/workload-dev-md-0-x, InstanceReady')).toBeLessThan(
      stdout.indexOf('then: Cluster/workload-dev, Ready'),
    );
    expect(stdout).toMatch(/^Cluster\/workload-dev +False +\d+d +WaitingForControlPlane$/m);
    expect(stdout).toMatch(/^├─AWSCluster\/workload-dev +True/m);
    expect(stdout).toMatch(/^└─KThreesControlPlane\/workload-dev-cp \(deleting\) +False +- +0 of 1$/m);
    expect(stdout).not.toContain('InfrastructureReady');
    const all = await run('capi', 'describe', 'workload-dev', '--show-conditions');
    expect(all.stdout).toMatch(/^│ • InfrastructureReady +True/m);
  });
});

describe('describe without a tree', () => {
  const failure: Failure = {
    code: 'BootTimedOut',
    message: 'no answer in time',
    fix: 'Read the console.',
    retryable: true,
    source: 'aws',
    evidence: ['the end of the console:\n  waiting for the network'],
  };
  const cause = { object: 'last operation', condition: 'BootTimedOut', message: 'no answer in time' };
  const show = async (change: Partial<ClusterView>, causes: ObjectTree['causes']) => {
    api.clusters.set('workload-dev', stubCluster(change));
    api.trees.set('workload-dev', { cluster: stubCluster(change), causes });
    return (await run('capi', 'describe', 'workload-dev')).stdout;
  };

  it('shows a failure once, with what was seen', async () => {
    const text = await show({ phase: 'Failed', failure }, [cause]);
    expect(text.match(/no answer in time/g)).toHaveLength(1);
    expect(text).toContain('\n    waiting for the network\nfix: Read the console.');
  });

  it('leaves out what was seen then where there is something to see now', async () => {
    const text = await show({ phase: 'Failed', failure }, [{ ...cause, message: 'VpcLimitExceeded' }, cause]);
    expect(text).toContain('root cause: last operation, BootTimedOut: VpcLimitExceeded');
    expect(text).not.toContain('waiting for the network');
  });

  it('calls it waiting while an operation runs', async () => {
    const lock = { operationId: 'x-1', fence: 1, holder: 'me', acquiredAt: at(0), expiresAt: at(900) };
    const text = await show({ phase: 'Creating', lock }, [cause]);
    expect(text).toContain('waiting for: last operation');
  });

  it('misses the objects of a ready cluster', async () => {
    expect(await show({}, [])).toContain('no objects: the Cluster is not on petra-mgmt any more');
  });

  it('tells that deletion protection is on', async () => {
    expect(await show({ deletionProtection: true }, [])).toContain('\ndeletion protection is on\n');
  });
});

describe('operations', () => {
  it('lists where each one is', async () => {
    const [, failed] = failureScript();
    if (failed) api.scripts.set(failed.id, [failed]);
    const { stdout } = await run('capi', 'operations', '-o', 'wide');
    expect(stdout).toMatch(
      /^create-workload-dev-1a2b3c4d-1 +create +workload-dev +Failed +launch the control plane +40s +\d+d +local:tester +BootTimedOut$/m,
    );
  });

  it('shows one with its steps, those to come included, and succeeds even if that one failed', async () => {
    const [, failed] = failureScript();
    if (failed) api.scripts.set(failed.id, [failed]);
    const { code, stdout } = await run('capi', 'operations', 'create-workload-dev-1a2b3c4d-1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^machines +launch the control plane +Failed +30s/m);
    expect(stdout).toMatch(/^machines +wait for the nodes +Pending/m);
    expect(stdout).toContain('error: server-0 did not bring up its API within 15m [BootTimedOut]');
  });

  it('attaches with --follow, and then fails as the operation does', async () => {
    api.scripts.set('create-workload-dev-1a2b3c4d-1', failureScript());
    const followed = await run('capi', 'operations', 'create-workload-dev-1a2b3c4d-1', '--follow');
    expect(followed.code).toBe(6);
    expect(followed.stderr).toContain('[BootTimedOut]');
    api.scripts.set('create-x-1', successScript({ id: 'create-x-1' }));
    expect(await run('capi', 'operations', 'create-x-1', '--follow')).toMatchObject({ code: 0 });
  });
});

describe('events', () => {
  const event = (number: number): LedgerEvent => ({
    cluster: 'workload-dev',
    uid: '1a2b3c4d',
    at: at(number),
    seq: '000001',
    verb: 'create',
    step: `Step${number}`,
    outcome: 'succeeded',
    caller: 'local:tester',
    durationMs: 1500,
  });

  it('shows the whole ledger, page after page', async () => {
    api.pageSize = 2;
    api.events = [0, 1, 2, 3, 4].map(event);
    const { stdout } = await run('capi', 'events', 'workload-dev', '-o', 'json');
    const { items }: { items: LedgerEvent[] } = JSON.parse(stdout);
    expect(items.map((item) => item.step)).toEqual(['Step0', 'Step1', 'Step2', 'Step3', 'Step4']);
    const last = await run('capi', 'events', 'workload-dev', '--limit', '2');
    expect(last.stdout).toMatch(/Step3.*Step4/s);
    expect(last.stdout).not.toContain('Step2');
  });

  it('goes on with new events under --follow, each once', async () => {
    api.events = [event(0)];
    const running = startPetra(['capi', 'events', 'workload-dev', '--follow', '-o', 'json'], {
      env: api.env,
    });
    await running.says('Step0');
    api.events = [event(0), event(1)];
    await running.says('Step1');
    running.process.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const steps = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).step);
    expect(steps).toEqual(['Step0', 'Step1']);
  });
});

describe('cluster-kubeconfig', () => {
  it('prints the kubeconfig and nothing else', async () => {
    api.clusters.set('workload-dev', stubCluster());
    expect(await run('capi', 'cluster-kubeconfig', '-f', 'examples/workload-dev.yaml')).toEqual({
      code: 0,
      stdout: stubKubeconfig,
      stderr: '',
    });
  });
});

describe('version', () => {
  it('is the same by option and by command', async () => {
    const option = await run('--version');
    const command = await run('version', '--client', '-o', 'name');
    expect(option.stdout).toBe(`petra ${command.stdout}`);
  });

  it('tells which Petra answers', async () => {
    const { stdout } = await run('version', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ server: { url: api.url, version: '0.1.0', mode: 'local' } });
  });
});
