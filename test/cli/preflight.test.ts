import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PreflightFinding } from '../../core/preflight/finding.ts';
import { petra } from './run-petra.ts';
import { StubApi, successScript } from './stub-api.ts';

let api: StubApi;
beforeEach(async () => {
  api = await new StubApi().open();
});
afterEach(() => api.close());

const preflight = ['capi', 'preflight', '-f', 'examples/workload-dev.yaml'];

const tooSmall: PreflightFinding = {
  code: 'QuotaTooSmall',
  severity: 'error',
  message: 'EC2-VPC Elastic IPs in us-west-1: 5 of 5 are used, and this cluster takes 1 more',
  fix: 'Ask for at least 6.',
  numbers: { needed: 1, used: 5, limit: 5, quotaCode: 'L-0263D0A3' },
  acceptable: true,
};
const missing: PreflightFinding = {
  code: 'CapaPermissionMissing',
  severity: 'error',
  message: 'denied',
  fix: 'Allow.',
  acceptable: true,
  evidence: ['to make the VPC: ec2:CreateVpc'],
};
const old: PreflightFinding = {
  code: 'VersionsUnsupported',
  severity: 'warning',
  message: 'CAPA v2.7.2 is end of life',
  fix: 'Use another.',
  acceptable: false,
};

function find(...findings: PreflightFinding[]): void {
  api.preflight = {
    ...api.preflight,
    findings,
    plan: {
      zones: ['us-west-1a'],
      items: [
        { what: 'm5a.large instances', count: 3, existing: 1, surge: 1, because: 'workers' },
        {
          what: 'Elastic IPs',
          count: 1,
          existing: 0,
          surge: 0,
          because: 'one for each NAT gateway',
          quota: { code: 'L-0263D0A3', used: 5, limit: 5 },
        },
      ],
      unchecked: ['whether the region has the images'],
    },
  };
}

describe('preflight', () => {
  it('shows what would be made, with quotas, and that nothing speaks against it', async () => {
    find();
    const run = await petra(preflight, { env: api.env });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toBe(
      [
        'TO BE MADE            COUNT   EXIST   SURGE   USED     QUOTA        BECAUSE',
        'm5a.large instances   3       1       1       -        -            workers',
        'Elastic IPs           1       0       0       5 of 5   L-0263D0A3   one for each NAT gateway',
        '',
        'not looked at: whether the region has the images',
        'nothing speaks against it (1.2s)',
        '',
      ].join('\n'),
    );
    expect(api.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: '/preflights',
      body: { spec: { metadata: { name: 'workload-dev' } } },
    });
  });

  it('shows findings with remedies first, and ends with the exit code of the first error', async () => {
    find(tooSmall, missing, old);
    const run = await petra(preflight, { env: api.env });
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(
      /^error QuotaTooSmall: .* takes 1 more\n {2}fix: Ask for at least 6\.\nerror CapaPermissionMissing: denied\n {2}to make the VPC: ec2:CreateVpc\n {2}fix: Allow\.$/m,
    );
    const wide = await petra([...preflight, '-o', 'wide'], { env: api.env });
    expect(wide.stdout).toMatch(/^SEVERITY {3}CODE {20}WHAT/);
    expect(wide.stdout).toMatch(/^error {6}QuotaTooSmall .* takes 1 more {3}Ask for at least 6\.$/m);
    expect(run.stdout).toContain('2 errors, 1 warning (1.2s)');
    expect(run.stderr).toContain(
      'error: "workload-dev" cannot be made so: EC2-VPC Elastic IPs in us-west-1: 5 of 5 are used, and this cluster takes 1 more (the first of 2) [QuotaTooSmall]',
    );
    find(missing);
    const denied = await petra(preflight, { env: api.env });
    expect(denied.code).toBe(5);
    expect(denied.stderr).toContain('to make the VPC: ec2:CreateVpc');
  });

  it('lets warnings pass, unless it is to be strict', async () => {
    find(old);
    expect(await petra(preflight, { env: api.env })).toMatchObject({ code: 0, stderr: '' });
    const strict = await petra([...preflight, '--strict'], { env: api.env });
    expect(strict.code).toBe(2);
    expect(strict.stderr).toContain('[VersionsUnsupported]');
  });

  it('prints the whole answer as JSON, and codes as names', async () => {
    find(tooSmall, old);
    const json = await petra([...preflight, '-o', 'json'], { env: api.env });
    expect(JSON.parse(json.stdout)).toEqual(api.preflight);
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'QuotaTooSmall', exitCode: 1 });
    const names = await petra([...preflight, '-o', 'name'], { env: api.env });
    expect(names.stdout).toBe('QuotaTooSmall\nVersionsUnsupported\n');
  });

  it('takes a spec of either kind, and names the management cluster', async () => {
    await petra(['capi', 'preflight', '-f', 'examples/management.yaml'], { env: api.env });
    await petra([...preflight, '--management', 'petra-mgmt'], { env: api.env });
    expect(api.seen.filter(({ path }) => path === '/preflights')).toMatchObject([
      { body: { spec: { spec: { management: expect.anything() } } } },
      { body: { management: 'petra-mgmt' } },
    ]);
  });
});

describe('--accept', () => {
  it('sends the codes of init and create, repeated or as a list', async () => {
    api.accept('started', successScript());
    await petra(
      [
        'capi',
        'create',
        '-f',
        'examples/workload-dev.yaml',
        '--no-wait',
        '--accept',
        'QuotaTooSmall,CapaPermissionMissing',
      ],
      { env: api.env },
    );
    await petra(
      [
        'capi',
        'init',
        '-f',
        'examples/management.yaml',
        '--no-wait',
        '--accept',
        'QuotaTooSmall',
        '--accept',
        'CapaPermissionMissing',
      ],
      { env: api.env },
    );
    expect(api.writes.map(({ body }) => body)).toMatchObject([
      { accept: ['QuotaTooSmall', 'CapaPermissionMissing'] },
      { accept: ['QuotaTooSmall', 'CapaPermissionMissing'] },
    ]);
  });

  it.each(['NameTaken', 'QuotaTooSmall,Nonsense', ','])('refuses %s, and says what can be', async (codes) => {
    const run = await petra(['capi', 'init', '-f', 'examples/management.yaml', '--accept', codes], {
      env: api.env,
    });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('These can be: CapaPermissionMissing, QuotaTooSmall.');
    expect(api.writes).toEqual([]);
  });
});
