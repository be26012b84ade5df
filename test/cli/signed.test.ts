// Commands against a Petra on AWS: signatures, where credentials come from, and what is said when they do not do.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { petra, type Run, startPetra } from './run-petra.ts';
import { StubApi, stubCluster, stubOperation, successScript } from './stub-api.ts';
import { account, answeredAt, goodKey, region, StubAws, ssoToken } from './stub-aws.ts';
import { temporaryFolder } from './temporary-folder.ts';

let aws: StubAws;
let api: StubApi;

beforeEach(async () => {
  aws = await new StubAws().open();
  api = await new StubApi().open();
  api.gate = aws.gate;
  api.clusters.set('workload-dev', stubCluster());
});

afterEach(() => Promise.all([aws.close(), api.close()]));

const list = ['capi', 'list', '-o', 'name'] as const;

/** Runs a command against the stub with the key in the environment. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return petra(args, { env: { PETRA_ENDPOINT: api.url, ...aws.envWithKey, ...env } });
}

/** Runs a command with credentials from an AWS configuration of its own. */
function runWithFiles(
  args: readonly string[],
  files: { readonly config?: string; readonly credentials?: string },
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return petra(args, { env: { PETRA_ENDPOINT: api.url, ...aws.env, ...configuration(files), ...env } });
}

function configuration({ config = '', credentials = '' }): Record<string, string> {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'config'), config);
  writeFileSync(path.join(folder, 'credentials'), credentials);
  return {
    AWS_CONFIG_FILE: path.join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'credentials'),
  };
}

const profileOps = `[ops]\naws_access_key_id = ${goodKey.id}\naws_secret_access_key = ${goodKey.secretAccessKey}\n`;

/** A program that prints credentials as `credential_process` wants them; `count` is how often it was asked. */
function credentialProcess(script: string): string {
  const folder = temporaryFolder();
  const file = path.join(folder, 'credentials.mjs');
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync } from 'node:fs';
const log = ${JSON.stringify(path.join(folder, 'log'))};
appendFileSync(log, '.');
const count = readFileSync(log, 'utf8').length;
const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
console.log(JSON.stringify({ Version: 1, ...(${script}) }));
`,
  );
  return `[profile made]\ncredential_process = ${process.execPath} ${file}\n`;
}

describe('a request to a Petra on AWS is signed', () => {
  it('with keys of the environment', async () => {
    expect(await run(list)).toEqual({ code: 0, stdout: 'workload-dev\n', stderr: '' });
    expect(aws).toMatchObject({ accepted: [goodKey.id], refused: [] });
  });

  it('with a session token', async () => {
    aws.keys.set('ASIATEMP', { secretAccessKey: 's', sessionToken: 'to/ken+==' });
    const env = { AWS_ACCESS_KEY_ID: 'ASIATEMP', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 'to/ken+==' };
    expect((await run(list, env)).code).toBe(0);
    expect(aws.accepted).toEqual(['ASIATEMP']);
  });

  it('with the body, and with names that have to be encoded', async () => {
    api.accept('started', successScript());
    expect((await run(['capi', 'create', '-f', 'examples/workload-dev.yaml'])).code).toBe(0);
    expect((await run(['capi', 'describe', "a b'(c)*/ü"])).code).toBe(3);
    expect((await run(['capi', 'operations', '--cluster', 'a b+c*=&ü', '-o', 'name'])).code).toBe(0);
    expect(aws.refused).toEqual([]);
    expect(api.seen.map((seen) => seen.method)).toContain('POST');
    expect(api.seen.at(-1)?.path).toContain('cluster=a%20b%2Bc*%3D%26%C3%BC');
  });

  it('with the profile of --profile, of AWS_PROFILE, or the default one', async () => {
    const credentials = profileOps;
    expect((await runWithFiles([...list, '--profile', 'ops'], { credentials })).code).toBe(0);
    expect((await runWithFiles(list, { credentials }, { AWS_PROFILE: 'ops' })).code).toBe(0);
    expect((await runWithFiles(list, { credentials: profileOps.replace('ops', 'default') })).code).toBe(0);
    expect(aws.accepted).toEqual([goodKey.id, goodKey.id, goodKey.id]);
  });

  it('with the profile of --profile rather than keys of the environment, in silence', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDOTHER', AWS_SECRET_ACCESS_KEY: 'x' };
    const done = await runWithFiles([...list, '--profile', 'ops'], { credentials: profileOps }, keys);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const both = await runWithFiles(list, { credentials: profileOps }, { ...keys, AWS_PROFILE: 'ops' });
    expect(both.stderr).toBe(
      'warning: AWS_PROFILE and AWS_ACCESS_KEY_ID are both set; the profile is used\n',
    );
  });

  it('with what a credential_process prints', async () => {
    const config = credentialProcess(
      `{ AccessKeyId: '${goodKey.id}', SecretAccessKey: '${goodKey.secretAccessKey}', Expiration: inSeconds(3600) }`,
    );
    expect((await runWithFiles([...list, '--profile', 'made'], { config })).code).toBe(0);
  });

  it('with a role that a profile takes', async () => {
    aws.keys.set('ASIAROLE', { secretAccessKey: 'r', sessionToken: 'role' });
    aws.roles.set('arn:aws:iam::1:role/x', 'ASIAROLE');
    const config =
      '[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = ops\n[profile other]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = ops\n';
    const files = { config, credentials: profileOps };
    expect((await runWithFiles([...list, '--profile', 'role'], files)).code).toBe(0);
    expect(aws.accepted).toEqual(['ASIAROLE']);
    const denied = await runWithFiles([...list, '--profile', 'other'], files);
    expect(denied.code).toBe(5);
    expect(denied.stderr).toContain('of profile "other" [PermissionMissing]');
    expect(denied.stderr).toContain('because: not authorized to perform: sts:AssumeRole');
  });

  it('with a role of SSO', async () => {
    aws.keys.set('ASIASSO', { secretAccessKey: 's', sessionToken: 'sso' });
    aws.roles.set('operator', 'ASIASSO');
    const home = temporaryFolder();
    const cache = path.join(home, '.aws', 'sso', 'cache');
    mkdirSync(cache, { recursive: true });
    const login = (accessToken: string) =>
      writeFileSync(
        path.join(cache, `${createHash('sha1').update('corp').digest('hex')}.json`),
        JSON.stringify({ accessToken, expiresAt: new Date(Date.now() + 3_600_000).toISOString() }),
      );
    const session = '[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n';
    const profile = (name: string) =>
      `[profile ${name}]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = ${name}\n`;
    const config = session + profile('operator') + profile('admin');
    const as = (name: string) => runWithFiles([...list, '--profile', name], { config }, { HOME: home });
    login(ssoToken);
    expect((await as('operator')).code).toBe(0);
    expect(aws.accepted).toEqual(['ASIASSO']);
    expect((await as('admin')).stderr).toContain('of profile "admin" [PermissionMissing]');
    login('revoked');
    expect((await as('operator')).stderr).toContain('fix: Run `aws sso login --profile operator`');
  });

  it('for the region of --region, else of AWS_DEFAULT_REGION, else of the profile', async () => {
    const nowhere = { AWS_REGION: '' };
    expect((await run([...list, '--region', region], { AWS_REGION: 'us-east-1' })).code).toBe(0);
    expect((await run(list, { ...nowhere, AWS_DEFAULT_REGION: region })).code).toBe(0);
    const files = { config: `[profile ops]\nregion = ${region}\n`, credentials: profileOps };
    expect((await runWithFiles([...list, '--profile', 'ops'], files, nowhere)).code).toBe(0);
    const lost = await run(list, nowhere);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain('it is not known which region 127.0.0.1 is in [InvalidUsage]');
  });

  it('but not when there is a token', async () => {
    api.gate = undefined;
    expect((await run(list, { PETRA_TOKEN: 'stub-token' })).code).toBe(0);
    expect(aws.accepted).toEqual([]);
  });

  it('and what would make or remove something says where', async () => {
    api.accept('started', successScript());
    const done = await run(['capi', 'create', '-f', 'examples/workload-dev.yaml', '--region', region]);
    expect(done.stderr).toContain(`on the Petra at ${api.url} (${region})\n`);
    expect((await run(['capi', 'delete', 'gone', '--yes'])).stderr).toContain(`on the Petra at ${api.url}\n`);
  });
});

describe('credentials that do not do', () => {
  it('are none: what was looked for, and how to log in', async () => {
    const none = await runWithFiles(list, {});
    expect(none.code).toBe(5);
    expect(none.stderr).toContain('[CredentialsMissing]');
    // A metadata service that nobody answers for is no reason to speak of the network.
    const asked = await runWithFiles(
      list,
      {},
      { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9' },
    );
    expect(asked.stderr).toContain('[CredentialsMissing]');
    expect(none.stderr).toContain('looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
    expect(none.stderr).toContain('aws sso login');
    expect(api.seen).toEqual([]);
  });

  it('are of a profile that does not exist: the nearest is named', async () => {
    const none = await runWithFiles([...list, '--profile', 'opps'], { credentials: profileOps });
    expect(none.code).toBe(5);
    expect(none.stderr).toContain('there is no profile "opps" in the AWS configuration [CredentialsMissing]');
    expect(none.stderr).toContain('Did you mean "ops"?');
  });

  it('are of an SSO session nobody logged in to, or that is over: the very command to log in', async () => {
    const config =
      '[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = sso\n';
    for (const profile of ['sso', 'role']) {
      const over = await runWithFiles([...list, '--profile', profile], { config });
      expect(over.code).toBe(5);
      expect(over.stderr).toContain('[CredentialsExpired]');
      expect(over.stderr).toContain(
        `Run \`aws sso login --profile ${profile}\`, then run the same command again.`,
      );
    }
  });

  it('have expired, as a credential_process or the environment says itself', async () => {
    const config = credentialProcess(
      "{ AccessKeyId: 'a', SecretAccessKey: 'b', SessionToken: 'c', Expiration: inSeconds(-5) }",
    );
    const made = await runWithFiles([...list, '--profile', 'made'], { config });
    expect(made.code).toBe(5);
    expect(made.stderr).toContain('the AWS credentials of profile "made" have expired [CredentialsExpired]');
    const exported = await run(list, { AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z' });
    expect(exported.code).toBe(5);
    expect(exported.stderr).toContain('expired at 2020-01-01T00:00:00Z [CredentialsExpired]');
    expect(api.seen).toEqual([]);
  });

  it('are none because the credential_process fails: what it said', async () => {
    const config = '[profile made]\ncredential_process = echo >&2 no such vault; false\n';
    const failed = await runWithFiles([...list, '--profile', 'made'], { config });
    expect(failed.code).toBe(5);
    expect(failed.stderr).toContain('the credential_process of profile "made" gave no AWS credentials');
    expect(failed.stderr).toContain('no such vault');
  });

  it('are of `aws login`, and nobody logged in', async () => {
    const config = '[profile console]\nlogin_session = arn:aws:iam::1:user/x\n';
    const failed = await runWithFiles([...list, '--profile', 'console'], { config });
    expect(failed.stderr).toContain('Run `aws login --profile console`, then run the same command again.');
  });

  it('have expired, as only AWS knows', async () => {
    aws.keys.set(goodKey.id, { ...goodKey, isExpired: true });
    const over = await run(list);
    expect(over.code).toBe(5);
    expect(over.stderr).toContain('the AWS credentials have expired [CredentialsExpired]');
    expect(over.stderr).toContain('fix: Set AWS_ACCESS_KEY_ID');
  });

  it.for([
    { what: 'an unknown key', env: { AWS_ACCESS_KEY_ID: 'AKIDOTHER' }, code: 'UnrecognizedClientException' },
    { what: 'a wrong secret', env: { AWS_SECRET_ACCESS_KEY: 'other' }, code: 'SignatureDoesNotMatch' },
  ])('have $what', async ({ env, code }) => {
    const wrong = await run(list, env);
    expect(wrong.code).toBe(5);
    expect(wrong.stderr).toContain(`AWS does not accept the credentials (${code}) [CredentialsRefused]`);
  });

  it('are of a caller without the permission: which action, on what', async () => {
    api.gate = () => ({ status: 403, body: { message: 'Forbidden' } });
    const denied = await run(['capi', 'describe', 'workload-dev', '-o', 'json']);
    expect(denied.code).toBe(5);
    expect(JSON.parse(denied.stderr)).toMatchObject({
      code: 'PermissionMissing',
      message: `arn:aws:iam::${account}:user/ada may not call GET /clusters/workload-dev/objects of this Petra`,
      details: {
        action: 'execute-api:Invoke',
        resource: `arn:aws:execute-api:${region}:${account}:*/*/GET/clusters/workload-dev/objects`,
      },
    });
  });

  it('are new at each look, and of a caller without the permission', async () => {
    for (let count = 1; count < 9; count++) aws.keys.set(`AKID${count}`, { secretAccessKey: 's' });
    api.gate = () => ({ status: 403, body: { message: 'Forbidden' } });
    const config = credentialProcess("{ AccessKeyId: 'AKID' + count, SecretAccessKey: 's' }");
    const denied = await runWithFiles([...list, '--profile', 'made'], { config });
    expect(denied.code).toBe(5);
    expect(denied.stderr).toContain('[PermissionMissing]');
    expect(api.seen).toHaveLength(2);
  });

  it('are signed for another region than the API is in', async () => {
    const lost = await run([...list, '--region', 'us-east-1']);
    expect(lost.code).toBe(5);
    expect(aws.refused).toMatchObject([{ reason: 'wrong-region' }]);
    expect(lost.stderr).toContain('the request was signed for us-east-1');
    const host = 'https://abc123.execute-api.eu-west-1.amazonaws.com';
    const told = await run([...list, '--endpoint', host, '--region', 'us-east-1']);
    expect(told.code).toBe(2);
    expect(told.stderr).toContain('is in eu-west-1, and --region says us-east-1 [WrongRegion]');
  });

  it('come from a machine whose clock is off: by how much, and in which direction', async () => {
    api.gate = () => answeredAt(20 * 60);
    const late = await run(list);
    expect(late.code).toBe(5);
    expect(late.stderr).toMatch(/this machine's clock is (20m00s|19m59s) behind that of 127\.0\.0\.1/);
    expect(late.stderr).toContain('[ClockSkewed]');
    api.gate = () => answeredAt(-20 * 60);
    expect((await run(list)).stderr).toMatch(/clock is 20m0[01]s ahead of that/);
  });
});

describe('what API Gateway says in the place of Petra', () => {
  it.for([
    {
      status: 404,
      message: 'Not Found',
      code: 7,
      error: 'PetraUnreachable',
      hint: 'may not have this route yet',
    },
    { status: 429, message: 'Too Many Requests', code: 1, error: 'Throttled', hint: 'Repeat the command' },
    {
      status: 500,
      message: 'Internal Server Error',
      code: 1,
      error: 'AwsUnavailable',
      hint: 'log of the function',
    },
    {
      status: 503,
      message: 'Service Unavailable',
      code: 1,
      error: 'AwsUnavailable',
      hint: 'log of the function',
    },
  ])('is understood: $status', async ({ status, message, code, error, hint }) => {
    api.gate = () => ({ status, body: { message } });
    const failed = await run(list);
    expect(failed.code).toBe(code);
    expect(failed.stderr).toContain(`[${error}]`);
    expect(failed.stderr).toContain(`it said: {"message":"${message}"}`);
    expect(failed.stderr).toContain(hint);
  });

  it('does not end the following of an operation', async () => {
    api.accept('started', successScript());
    let looks = 0;
    api.gate = (request) =>
      ++looks % 3 === 0 ? { status: 503, body: { message: 'Service Unavailable' } } : aws.gate(request);
    expect((await run(['capi', 'create', '-f', 'examples/workload-dev.yaml'])).code).toBe(0);
  });
});

describe('an operation of many minutes is followed', () => {
  const create = ['capi', 'create', '-f', 'examples/workload-dev.yaml'] as const;

  it('while short-lived credentials are made anew', async () => {
    for (let count = 1; count < 100; count++) {
      aws.keys.set(`ASIA${count}`, { secretAccessKey: 's', sessionToken: `${count}` });
    }
    const config = credentialProcess(
      "{ AccessKeyId: 'ASIA' + count, SecretAccessKey: 's', SessionToken: String(count), Expiration: inSeconds(1) }",
    );
    api.accept('started', [stubOperation(), ...Array(4).fill(stubOperation()), ...successScript()]);
    const done = await runWithFiles([...create, '--profile', 'made'], { config });
    expect(done).toMatchObject({ code: 0 });
    expect(new Set(aws.accepted).size).toBeGreaterThan(1);
    expect(aws.refused).toEqual([]);
  });

  it('after another program has written new keys into a file', async () => {
    const files = configuration({ credentials: profileOps });
    api.accept('started', Array(400).fill(stubOperation()));
    const running = startPetra([...create, '--profile', 'ops'], {
      env: { PETRA_ENDPOINT: api.url, ...aws.env, ...files },
    });
    await running.says('check names');
    aws.keys.set('AKIDNEW', { secretAccessKey: 'new' });
    writeFileSync(
      files.AWS_SHARED_CREDENTIALS_FILE ?? '',
      '[ops]\naws_access_key_id = AKIDNEW\naws_secret_access_key = new\n',
    );
    aws.keys.delete(goodKey.id);
    await expect.poll(() => aws.accepted, { timeout: 10_000 }).toContain('AKIDNEW');
    running.process.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
  });

  it('until the credentials end for good: it goes on, and the same command attaches', async () => {
    api.accept('started', Array(400).fill(stubOperation()));
    const running = startPetra(create, { env: { PETRA_ENDPOINT: api.url, ...aws.envWithKey } });
    await running.says('check names');
    aws.keys.set(goodKey.id, { ...goodKey, isExpired: true });
    const { code, stderr } = await running.ended;
    expect(code).toBe(5);
    expect(stderr).toContain('have expired; create-workload-dev-1a2b3c4d-1 goes on without this command');
    expect(stderr).toContain('then run the same command again. It attaches to the operation.');
  });
});
