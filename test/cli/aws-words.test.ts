// Host names, refusals and failures to connect, as AWS and the system put them.

import { createServer } from 'node:https';
import { describe, expect, it } from 'vitest';
import { apiOfHost, domainOf, partitionOf, regionOfHost } from '../../cli/aws-hosts.ts';
import type { CallerIdentity } from '../../cli/caller-identity.ts';
import { refusal } from '../../cli/refusal.ts';
import type { GatewayAnswer } from '../../cli/signer.ts';
import { unreachable } from '../../cli/unreachable.ts';
import { PetraError } from '../../core/errors.ts';
import { Certificates } from '../../local/kubernetes/certificates.ts';
import { petra } from './run-petra.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the host of an API tells its region and id', () => {
  it.for([
    ['abc123.execute-api.eu-west-1.amazonaws.com', 'eu-west-1', 'abc123'],
    ['ABC123.Execute-API.us-gov-west-1.amazonaws.com', 'us-gov-west-1', 'abc123'],
    ['abc123.execute-api-fips.us-gov-east-1.amazonaws.com', 'us-gov-east-1', 'abc123'],
    ['abc123.execute-api.cn-north-1.amazonaws.com.cn', 'cn-north-1', 'abc123'],
    ['abc123.execute-api.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1', 'abc123'],
    ['abc123-vpce-0123abcd.execute-api.us-east-1.amazonaws.com', 'us-east-1', 'abc123'],
    ['vpce-0123abcd-x1y2.execute-api.us-east-1.vpce.amazonaws.com', 'us-east-1', undefined],
    ['petra.example.com', undefined, undefined],
    ['execute-api.eu-west-1.example.com', undefined, undefined],
    ['127.0.0.1', undefined, undefined],
  ] as const)('%s: %s, %s', ([host, region, api]) => {
    expect([regionOfHost(host), apiOfHost(host)]).toEqual([region, api]);
  });

  it.for([
    ['eu-west-1', 'aws', 'amazonaws.com'],
    ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
    ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
    ['us-iso-east-1', 'aws-iso', 'c2s.ic.gov'],
    ['us-isob-east-1', 'aws-iso-b', 'sc2s.sgov.gov'],
  ] as const)('%s is in %s, under %s', ([region, partition, domain]) => {
    expect([partitionOf(region), domainOf(region)]).toEqual([partition, domain]);
  });
});

describe('a refusal of API Gateway', () => {
  const host = 'abc123.execute-api.us-gov-west-1.amazonaws.com';

  function explain(
    answer: Partial<GatewayAnswer>,
    { caller = { kind: 'unanswered' } as CallerIdentity, url = `https://${host}/clusters/x` } = {},
  ): Promise<PetraError> {
    return refusal(
      { method: 'DELETE', url: new URL(url), headers: {}, body: '' },
      { status: 403, headers: {}, body: '{"message":"Forbidden"}', ...answer },
      {
        region: 'us-gov-west-1',
        basePath: url.includes('/prod/') ? '/prod' : '',
        now: new Date('2026-11-25T12:00:00Z'),
        whoAmI: async () => caller,
        expired: async () => new PetraError('CredentialsExpired', 'expired'),
      },
    );
  }

  it('names what a policy has to allow, in the partition, account and stage', async () => {
    const caller: CallerIdentity = { kind: 'known', arn: 'arn:aws-us-gov:iam::1:user/a', account: '1' };
    const resource = async (url?: string) =>
      (await explain({}, url === undefined ? { caller } : { caller, url })).details;
    expect(await resource()).toEqual({
      action: 'execute-api:Invoke',
      resource: 'arn:aws-us-gov:execute-api:us-gov-west-1:1:abc123/$default/DELETE/clusters/x',
    });
    expect(await resource(`https://${host}/prod/clusters/x`)).toMatchObject({
      resource: 'arn:aws-us-gov:execute-api:us-gov-west-1:1:abc123/prod/DELETE/clusters/x',
    });
    expect(await resource('https://petra.example/clusters/x')).toMatchObject({
      resource: 'arn:aws-us-gov:execute-api:us-gov-west-1:1:*/*/DELETE/clusters/x',
    });
  });

  it('says that it may be the credentials when AWS cannot be asked', async () => {
    const error = await explain({});
    expect(error.code).toBe('PermissionMissing');
    expect(error.evidence.join()).toContain('the credentials may also be expired or wrong');
  });

  it.for([
    ['The security token included in the request is expired', 'CredentialsExpired'],
    ["Credential should be scoped to a valid region, not 'eu-west-1'.", 'WrongRegion'],
    ['User: arn:aws:iam::1:user/a is not authorized to perform: execute-api:Invoke', 'PermissionMissing'],
  ] as const)('in the words of a REST API, %s: %s', async ([message, code]) => {
    const error = await explain({ body: JSON.stringify({ message }) });
    expect(error.code).toBe(code);
  });

  it('is one of the clock from five minutes on', async () => {
    const at = (date: string) => explain({ headers: { date } });
    expect((await at('Wed, 25 Nov 2026 12:04:59 GMT')).code).toBe('PermissionMissing');
    expect((await at('Wed, 25 Nov 2026 12:05:01 GMT')).code).toBe('ClockSkewed');
    expect((await at('Wed, 25 Nov 2026 11:54:59 GMT')).message).toContain('ahead of');
    expect((await at('no date')).code).toBe('PermissionMissing');
  });
});

describe('an API that cannot be reached', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });

  it.for([
    ['ENOTFOUND', 'https://petra.example', 'the name petra.example is not known', 'Check the address'],
    ['ENOTFOUND', 'https://a1.execute-api.eu-west-1.amazonaws.com', 'is not known', 'this API was removed'],
    ['EAI_AGAIN', 'https://a1.execute-api.eu-west-1.amazonaws.com', 'is not known', 'Check the address'],
    ['ECONNREFUSED', 'http://127.0.0.1:9', 'nothing listens at 127.0.0.1:9', 'petra local up'],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'https://petra.example',
      'authority that is not trusted',
      'NODE_EXTRA_CA_CERTS',
    ],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'https://petra.example', 'no encrypted connection', 'Check the address'],
    ['EPROTO', 'https://petra.example', 'no encrypted connection', 'https or http'],
    ['ETIMEDOUT', 'https://petra.example', 'https://petra.example does not answer', 'PETRA_ENDPOINT'],
  ] as const)('by %s of %s', ([code, url, reason, fix]) => {
    const error = unreachable(url, failure(code), {});
    expect(error.message).toContain(reason);
    expect(error.fix).toContain(fix);
  });

  it('by both of its addresses', () => {
    const both = new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]);
    expect(unreachable('http://localhost:9', both, {}).message).toContain('nothing listens');
  });

  it('is told about a proxy that is not used', () => {
    const env = { HTTPS_PROXY: 'http://proxy:3128' };
    expect(unreachable('https://petra.example', failure('ETIMEDOUT'), env).fix).toContain(
      'HTTPS_PROXY is set',
    );
  });

  it('shows a certificate that nobody vouches for', async () => {
    const { certificate, key } = await new Certificates(temporaryFolder()).server();
    const server = createServer({ cert: certificate, key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const endpoint = `https://127.0.0.1:${port}`;
    const run = await petra(['capi', 'list', '--endpoint', endpoint], { env: { PETRA_TOKEN: 'x' } });
    server.close();
    expect(run.code).toBe(7);
    expect(run.stderr).toContain('fix: Name the file with the certificate of your authority');
  });
});
