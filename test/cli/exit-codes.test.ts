import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../core/errors.ts';
import { petra } from './run-petra.ts';
import { failureScript, StubApi, stubCluster, stubOperation, successScript } from './stub-api.ts';

let api: StubApi;

beforeEach(async () => {
  api = await new StubApi().open();
  api.clusters.set('workload-dev', stubCluster());
});

afterEach(() => api.close());

const workload = 'examples/workload-dev.yaml';

interface Case {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly error?: ErrorCode;
  readonly given?: () => void;
  readonly env?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { what: 'a list', args: ['capi', 'list'], code: 0 },
  { what: 'help', args: ['capi', 'list', '--help'], code: 0 },
  { what: 'an unknown command', args: ['capi', 'crate'], code: 2, error: 'InvalidUsage' },
  { what: 'an unknown option', args: ['capi', 'list', '--wide'], code: 2, error: 'InvalidUsage' },
  { what: 'an unknown format', args: ['capi', 'list', '-o', 'xml'], code: 2, error: 'InvalidUsage' },
  { what: 'a missing file option', args: ['capi', 'create'], code: 2, error: 'InvalidUsage' },
  { what: 'a missing name', args: ['capi', 'describe'], code: 2, error: 'InvalidUsage' },
  {
    what: 'a name and a file',
    args: ['capi', 'describe', 'x', '-f', workload],
    code: 2,
    error: 'InvalidUsage',
  },
  { what: 'too many names', args: ['capi', 'describe', 'x', 'y'], code: 2, error: 'InvalidUsage' },
  {
    what: 'a wrong duration',
    args: ['capi', 'create', '-f', workload, '--timeout', '5'],
    code: 2,
    error: 'InvalidUsage',
  },
  { what: 'a wrong number', args: ['capi', 'list', '--limit', '0'], code: 2, error: 'InvalidUsage' },
  {
    what: 'a file that is not there',
    args: ['capi', 'create', '-f', 'no.yaml'],
    code: 2,
    error: 'FileUnreadable',
  },
  { what: 'a folder as file', args: ['capi', 'create', '-f', 'examples'], code: 2, error: 'FileUnreadable' },
  {
    what: 'the spec of the other kind',
    args: ['capi', 'init', '-f', workload],
    code: 2,
    error: 'InvalidSpec',
  },
  {
    what: 'a cluster that is not there',
    args: ['capi', 'describe', 'nobody'],
    code: 3,
    error: 'ClusterNotFound',
  },
  {
    what: 'an operation that is not there',
    args: ['capi', 'operations', 'x-1'],
    code: 3,
    error: 'OperationNotFound',
  },
  {
    what: 'another spec',
    args: ['capi', 'create', '-f', workload],
    code: 4,
    error: 'SpecDiffers',
    given: () => api.refuse('POST /clusters', 'SpecDiffers', '"workload-dev" exists with another spec'),
  },
  {
    what: 'an operation that holds the lock',
    args: ['capi', 'delete', 'workload-dev', '--yes'],
    code: 4,
    error: 'OperationInProgress',
    given: () => api.refuse('DELETE /clusters/workload-dev', 'OperationInProgress', 'create runs'),
  },
  { what: 'an unlock without a lock', args: ['capi', 'unlock', 'workload-dev'], code: 4, error: 'NotLocked' },
  {
    what: 'a removal nobody confirmed',
    args: ['capi', 'delete', 'workload-dev'],
    code: 5,
    error: 'ConfirmationRequired',
  },
  {
    what: 'a protected cluster',
    args: ['capi', 'delete', 'workload-dev', '--yes'],
    code: 5,
    error: 'DeletionProtected',
    given: () => api.refuse('DELETE /clusters/workload-dev', 'DeletionProtected', 'protected'),
  },
  {
    what: 'a wrong token',
    args: ['capi', 'list'],
    code: 5,
    error: 'Unauthorized',
    env: { PETRA_TOKEN: 'wrong' },
  },
  {
    what: 'a wait that was too short',
    args: ['capi', 'create', '-f', workload, '--timeout', '1s'],
    code: 6,
    error: 'WaitTimedOut',
    given: () => api.accept('started', [stubOperation()]),
  },
  {
    what: 'an operation that ran out of time',
    args: ['capi', 'create', '-f', workload],
    code: 6,
    error: 'BootTimedOut',
    given: () => api.accept('started', failureScript()),
  },
  {
    what: 'an operation that failed',
    args: ['capi', 'create', '-f', workload],
    code: 1,
    error: 'QuotaExceeded',
    given: () => api.accept('started', failureScript({ code: 'QuotaExceeded' })),
  },
  {
    what: 'nobody at the address',
    args: ['capi', 'list'],
    code: 7,
    error: 'PetraUnreachable',
    env: { PETRA_ENDPOINT: 'http://127.0.0.1:9' },
  },
  {
    what: 'an address that is none',
    args: ['capi', 'list', '--endpoint', 'here'],
    code: 2,
    error: 'InvalidUsage',
  },
  {
    what: 'a token on its way in clear text',
    args: ['capi', 'list', '--endpoint', 'http://petra.example'],
    code: 2,
    error: 'InvalidUsage',
  },
  {
    what: 'a kubeconfig on its way in clear text',
    args: ['capi', 'list', '--endpoint', 'http://petra.example'],
    code: 2,
    error: 'InvalidUsage',
    env: { PETRA_TOKEN: '' },
  },
  {
    what: 'an AWS profile for the Petra on this machine',
    args: ['capi', 'list', '--profile', 'x', '--local'],
    code: 2,
    error: 'InvalidUsage',
  },
  {
    what: 'a success',
    args: ['capi', 'create', '-f', workload],
    code: 0,
    given: () => api.accept('started', successScript()),
  },
  {
    what: 'a removal of what is gone',
    args: ['capi', 'delete', 'gone', '--yes', '--ignore-not-found'],
    code: 0,
  },
  {
    what: 'a removal of what never was',
    args: ['capi', 'delete', 'gone', '--yes'],
    code: 3,
    error: 'ClusterNotFound',
  },
];

describe('exit codes', () => {
  it.for(cases)('$what ends with $code', async ({ args, code, error, given, env }) => {
    given?.();
    const run = await petra(args, { env: { ...api.env, ...env } });
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code });
    if (error) {
      expect(run.stderr).toContain(`[${error}]`);
      expect(run.stderr).toMatch(/^fix: .+/m);
      expect(run.stdout).toBe('');
    }
  });

  it('sends nothing for a bad file', async () => {
    const run = await petra(['capi', 'create', '-f', '-'], {
      env: api.env,
      stdin: 'kind: Cluster\nspec: {}\n',
    });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('stdin');
    expect(api.seen).toEqual([]);
  });

  it('prints errors as problem details on stderr with -o json', async () => {
    api.refuse('POST /clusters', 'SpecDiffers', '"workload-dev" exists with another spec', {
      details: { differences: [{ path: 'spec.nodes.workers.count', before: 2, after: 3 }] },
    });
    const run = await petra(['capi', 'create', '-f', workload, '-o', 'json'], { env: api.env });
    expect(run.stdout).toBe('');
    expect(JSON.parse(run.stderr)).toMatchObject({
      type: 'https://petra.sh/errors/SpecDiffers',
      code: 'SpecDiffers',
      status: 409,
      exitCode: 4,
      retryable: false,
      details: { differences: [{ path: 'spec.nodes.workers.count', before: 2, after: 3 }] },
    });
  });

  it('shows what differs as a table', async () => {
    api.refuse('POST /clusters', 'SpecDiffers', '"workload-dev" exists with another spec', {
      details: { differences: [{ path: 'spec.nodes.workers.count', before: 2, after: 3 }] },
    });
    const run = await petra(['capi', 'create', '-f', workload], { env: api.env });
    expect(run.stderr).toMatch(/PATH +BEFORE +AFTER\n +spec\.nodes\.workers\.count +2 +3/);
  });

  it('shows what is nested in the details as words', async () => {
    api.refuse('POST /clusters', 'OperationInProgress', 'create runs', {
      details: { lock: { operationId: 'create-x-1', fence: 3 } },
    });
    const run = await petra(['capi', 'create', '-f', workload], { env: api.env });
    expect(run.stderr).toContain('  lock: operationId create-x-1, fence 3\n');
  });

  it.for([
    { args: ['capi', 'list', '--limit', '0'], fix: 'See `petra capi list --help`.' },
    { args: ['capi', 'list', 'x'], fix: 'See `petra capi list --help`.' },
    { args: ['capi', 'nonsense'], fix: 'See `petra capi --help`.' },
    { args: ['nonsense'], fix: 'See `petra --help`.' },
    { args: ['validate', workload], fix: 'Give a spec: `petra validate -f FILE`.' },
    { args: ['validate', '-f', 'a', '-f', 'b'], fix: 'Run the command once for each file.' },
    { args: ['local', 'status', '--state', ''], fix: 'Give the path of a folder.' },
  ])('sends a wrong call to what helps: $args', async ({ args, fix }) => {
    const run = await petra(args);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`fix: ${fix}\n`);
  });

  it('says in a line what answers where no Petra is', async () => {
    const page = createServer((_, response) =>
      response.writeHead(404).end(`<html>\n<p>Not\nfound</p>${'x'.repeat(999)}`),
    );
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const address = page.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const run = await petra(['capi', 'list'], {
      env: { PETRA_ENDPOINT: `http://127.0.0.1:${port}`, PETRA_TOKEN: 'token' },
    });
    page.close();
    expect(run.code).toBe(7);
    expect(run.stderr).toContain('  it said: <html> <p>Not found</p>xxx');
    expect(run.stderr.split('\n')).toHaveLength(4);
  });

  it('suggests what was meant', async () => {
    const run = await petra(['capi', 'crate'], { env: api.env });
    expect(run.stderr).toContain('Did you mean create?');
  });
});
