// Which Petra commands talk to: `petra config`, and what comes before what.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { petra, type Run } from './run-petra.ts';
import { StubApi, stubCluster } from './stub-api.ts';
import { account, goodKey, region, StubAws } from './stub-aws.ts';
import { temporaryFolder } from './temporary-folder.ts';

let aws: StubAws;
let api: StubApi;
let file: string;

beforeEach(async () => {
  aws = await new StubAws().open();
  api = await new StubApi().open();
  api.gate = aws.gate;
  api.clusters.set('workload-dev', stubCluster());
  file = path.join(temporaryFolder(), 'new', 'config.json');
  aws.parameters.set('/petra/petra/api', parameter(api.url));
});

afterEach(() => Promise.all([aws.close(), api.close()]));

function parameter(endpoint: string): string {
  return JSON.stringify({ endpoint, region, version: '0.1.0', partition: 'aws' });
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return petra(args, { env: { PETRA_STATE: '', PETRA_CONFIG: file, ...aws.envWithKey, ...env } });
}

const useStack = ['config', 'use-stack'] as const;

/** What `petra config show` says a command would talk to. */
async function shown(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr } = await run(['config', 'show', '-o', 'json', ...args], env);
  return JSON.parse(stdout || stderr);
}

describe('use-stack', () => {
  it('finds the stack, asks its Petra, and commands talk to it from then on', async () => {
    const done = await run([...useStack]);
    expect(done).toEqual({
      code: 0,
      stdout: `commands now talk to Petra 0.1.0 (local) in ${region}, at ${api.url}\n`,
      stderr: '',
    });
    expect(api.seen).toMatchObject([{ method: 'GET', path: '/health' }]);
    expect((await run(['capi', 'list', '-o', 'name'])).stdout).toBe('workload-dev\n');
  });

  it('says so when it is run again and nothing is new', async () => {
    await run([...useStack]);
    expect((await run([...useStack])).stdout).toContain('commands already talk to Petra');
  });

  it('keeps address, region, stack and profile in a file of the owner, and no credential', async () => {
    const folder = temporaryFolder();
    const credentials = path.join(folder, 'credentials');
    writeFileSync(
      credentials,
      `[ops]\naws_access_key_id = ${goodKey.id}\naws_secret_access_key = ${goodKey.secretAccessKey}\n`,
    );
    const env = { AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_ACCESS_KEY_ID: '' };
    const done = await run([...useStack, '--profile', 'ops', '-o', 'json'], env);
    expect(JSON.parse(done.stdout)).toMatchObject({ stack: 'petra', profile: 'ops', version: '0.1.0', file });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      endpoint: api.url,
      region,
      stack: 'petra',
      profile: 'ops',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(readdirSync(path.dirname(file))).toEqual(['config.json']);
    expect((await run(['capi', 'list', '-o', 'name'], env)).code).toBe(0);
    const removal = await run(['capi', 'delete', 'gone', '--yes'], env);
    expect(removal.stderr).toContain(`on the Petra at ${api.url} (stack petra, ${region}, profile ops)\n`);
  });

  it('names what it looked for, where, and the nearest stack when there is no such one', async () => {
    const none = await run([...useStack, 'petar']);
    expect(none.code).toBe(3);
    expect(none.stderr).toContain(
      `there is no stack of Petra named "petar" in account ${account}, ${region} [StackNotFound]`,
    );
    expect(none.stderr).toContain('looked for the parameter /petra/petar/api\n');
    expect(none.stderr).toContain('there are the stacks petra\n');
    expect(none.stderr).toContain(`fix: Did you mean \`petra config use-stack petra --region ${region}\`?`);
  });

  it('names the action when the caller may not read the parameter', async () => {
    aws.mayRead = false;
    const denied = await run([...useStack, '-o', 'json']);
    expect(denied.code).toBe(5);
    expect(JSON.parse(denied.stderr)).toMatchObject({
      code: 'PermissionMissing',
      details: {
        action: 'ssm:GetParameter',
        resource: `arn:aws:ssm:${region}:${account}:parameter/petra/petra/api`,
      },
    });
  });

  it('changes nothing when the Petra of the stack does not let the caller in, or is gone', async () => {
    await run([...useStack]);
    const before = readFileSync(file, 'utf8');
    api.gate = () => ({ status: 403, body: { message: 'Forbidden' } });
    expect((await run([...useStack])).stderr).toContain('[PermissionMissing]');
    aws.parameters.set('/petra/Other/api', parameter('https://gone.invalid'));
    const gone = await run([...useStack, 'Other']);
    expect(gone).toMatchObject({ code: 7, stdout: '' });
    expect(gone.stderr).toContain('the name gone.invalid is not known [PetraUnreachable]');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.for([
    { what: 'expired', key: { ...goodKey, isExpired: true }, code: 'CredentialsExpired' },
    { what: 'wrong', key: { secretAccessKey: 'other' }, code: 'CredentialsRefused' },
  ])('says that the credentials are $what', async ({ key, code }) => {
    aws.keys.set(goodKey.id, key);
    const refused = await run([...useStack]);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain(`[${code}]`);
  });

  it('says when nobody answers for the region, or it is not told', async () => {
    const away = await run([...useStack, '--region', 'eu-nowhere-9'], {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    });
    expect(away.code).toBe(7);
    expect(away.stderr).toContain('Systems Manager in eu-nowhere-9 does not answer [PetraUnreachable]');
    const untold = await run([...useStack], { AWS_REGION: '' });
    expect(untold.code).toBe(2);
    expect(untold.stderr).toContain('fix: Give the region of the stack with --region.');
  });

  it.for([['a/b'], ['-x-'], [''], ['Petra', '--region', ''], ['Petra', 'twice']])(
    'refuses %j before it asks anybody',
    async (args) => {
      const refused = await run([...useStack, ...args]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('[InvalidUsage]');
    },
  );

  it('does not take what another program wrote into the parameter', async () => {
    aws.parameters.set('/petra/petra/api', 'https://example.com');
    const strange = await run([...useStack]);
    expect(strange.stderr).toContain('is not one that a stack of Petra writes [StackNotFound]');
    expect(strange.stderr).toContain('it holds: https://example.com');
  });

  it('warns of what comes before it', async () => {
    const done = await run([...useStack], { PETRA_STATE: '/tmp/x' });
    expect(done.code).toBe(0);
    expect(done.stderr).toContain('warning: PETRA_STATE is set and comes first');
  });

  it('says what is wrong with a place it cannot write to', async () => {
    mkdirSync(file, { recursive: true });
    const failed = await run([...useStack]);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain(`cannot write ${file} [FileUnreadable]`);
    expect(readdirSync(path.dirname(file))).toEqual(['config.json']);
  });
});

describe('what is nearer to the command decides', () => {
  beforeEach(() => {
    mkdirSync(path.dirname(file));
    writeFileSync(file, JSON.stringify({ endpoint: 'https://file.example', region, stack: 'petra' }));
  });

  it.for<{ args?: string[]; env?: Record<string, string>; decidedBy: string }>([
    {
      args: ['--endpoint', 'https://a.example'],
      env: { PETRA_ENDPOINT: 'https://b.example' },
      decidedBy: '--endpoint',
    },
    { args: ['--local'], env: { PETRA_ENDPOINT: 'https://b.example' }, decidedBy: '--local' },
    { args: ['--state', '/tmp/x'], env: { PETRA_ENDPOINT: 'https://b.example' }, decidedBy: '--state' },
    { env: { PETRA_ENDPOINT: 'https://b.example', PETRA_STATE: '/tmp/x' }, decidedBy: 'PETRA_ENDPOINT' },
    { env: { PETRA_STATE: '/tmp/x' }, decidedBy: 'PETRA_STATE' },
    { decidedBy: 'configuration' },
    { env: { PETRA_CONFIG: '/tmp/no-such-petra-configuration' }, decidedBy: 'default' },
  ])('$decidedBy', async ({ args, env, decidedBy }) => {
    expect(await shown(args, env)).toMatchObject({ decidedBy });
  });

  it('and a token for one address is not sent to a stack', async () => {
    const token = { PETRA_TOKEN: 'secret' };
    expect(await shown([], token)).toMatchObject({ authorization: 'signature' });
    expect(await shown(['--endpoint', 'https://a.example'], token)).toMatchObject({ authorization: 'token' });
  });

  it('and the options for AWS change the configuration for one command', async () => {
    expect(await shown(['--profile', 'p', '--region', 'us-east-1'])).toMatchObject({
      endpoint: 'https://file.example',
      profile: 'p',
      region: 'us-east-1',
    });
  });

  it('and options for AWS are refused when that Petra is the local one', async () => {
    const none = { PETRA_CONFIG: '/tmp/no-such-petra-configuration' };
    expect(await shown(['--profile', 'p'], none)).toMatchObject({ code: 'InvalidUsage' });
    expect(await shown(['--profile', 'p', '--local'])).toMatchObject({ code: 'InvalidUsage' });
    expect(await shown(['--region', ''])).toMatchObject({ code: 'InvalidUsage' });
  });

  it('as `config show` also tells people', async () => {
    const { stdout } = await run(['config', 'show']);
    expect(stdout).toBe(
      `the Petra at https://file.example, as configured in ${file}\nstack:    petra\nregion:   ${region}\nrequests: signed with AWS credentials\n`,
    );
    expect((await run(['config', 'show', '--local'])).stdout).toContain(
      'the Petra on this machine, by --local\n',
    );
  });
});

describe('a configuration', () => {
  it('is forgotten by reset, also twice', async () => {
    await run([...useStack]);
    expect(await run(['config', 'reset'])).toEqual({ code: 0, stdout: `removed ${file}\n`, stderr: '' });
    expect((await run(['config', 'reset'])).stdout).toBe(`there is no configuration at ${file}\n`);
    expect(await shown()).toMatchObject({ kind: 'local', decidedBy: 'default' });
  });

  it.for([
    ['{', 'is not JSON'],
    ['[]', 'is not an object'],
    ['{"endpoint":"here"}', 'has no address at "endpoint": "here"'],
    ['{"endpoint":"https://a.example","stack":"x"}', 'has no "region"'],
    ['{"endpoint":"https://a.example","region":"x"}', 'has no "stack"'],
    [
      '{"endpoint":"https://a.example","region":"x","stack":"x","profile":7}',
      'has something else than a name at "profile": 7',
    ],
  ] as const)('that is %s is not passed over: another Petra could be meant', async ([text, what]) => {
    mkdirSync(path.dirname(file));
    writeFileSync(file, text);
    const refused = await run(['capi', 'list']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`${what} [FileUnreadable]`);
    expect(refused.stderr).toContain('petra config reset');
    expect((await run(['config', 'show', '--local'])).code).toBe(0);
    expect((await run(['local', 'status'])).code).toBe(0);
    expect((await run([...useStack])).code).toBe(0);
  });
});
