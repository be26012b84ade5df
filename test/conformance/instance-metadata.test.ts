import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InstanceMetadata } from './instance-metadata.ts';

const instance = {
  id: 'i-0123456789abcdef0',
  region: 'us-west-1',
  availabilityZone: 'us-west-1a',
  instanceType: 'm5a.xlarge',
  privateAddress: '10.0.0.10',
  hostName: 'ip-10-0-0-10.us-west-1.compute.internal',
  account: '123456789012',
  role: 'management',
};

describe('the stand-in instance metadata service', () => {
  let base: string;
  let service: InstanceMetadata;
  let now: Date;
  let admitted: number;
  beforeEach(async () => {
    now = new Date('2026-11-25T12:00:00.500Z');
    admitted = 0;
    service = new InstanceMetadata({
      instance,
      admit: () => {
        admitted += 1;
        return { accessKeyId: 'ASIA1', secretAccessKey: 'secret' };
      },
      now: () => now,
    });
    base = await service.start({ address: '127.0.0.1', port: 0 });
  });
  afterEach(() => service.stop());

  function askForToken(headers: Readonly<Record<string, string>>): Promise<Response> {
    return fetch(`${base}/latest/api/token`, { method: 'PUT', headers });
  }

  async function token(): Promise<string> {
    return (await askForToken({ 'x-aws-ec2-metadata-token-ttl-seconds': '60' })).text();
  }

  async function read(path: string, given: string): Promise<Response> {
    return fetch(`${base}${path}`, { headers: { 'x-aws-ec2-metadata-token': given } });
  }

  it('refuses who brings no token', async () => {
    expect((await fetch(`${base}/latest/meta-data/instance-id`)).status).toBe(401);
    expect(service.refused).toContain('/latest/meta-data/instance-id');
  });

  it.each(['0', '21601', 'long', ''])('gives no token for %j seconds', async (lifetime) => {
    expect((await askForToken({ 'x-aws-ec2-metadata-token-ttl-seconds': lifetime })).status).toBe(400);
  });

  it('gives no token to a request that was forwarded', async () => {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60', 'x-forwarded-for': '10.0.0.1' };
    expect((await askForToken(headers)).status).toBe(403);
  });

  it.each([
    ['/latest/meta-data/instance-id', 'i-0123456789abcdef0'],
    ['/latest/meta-data/placement/region', 'us-west-1'],
    ['/latest/meta-data/placement/availability-zone', 'us-west-1a'],
    ['/latest/meta-data/local-hostname', 'ip-10-0-0-10.us-west-1.compute.internal'],
    ['/latest/meta-data/iam/security-credentials/', 'management'],
  ])('answers %s', async (path, expected) => {
    expect(await (await read(path, await token())).text()).toBe(expected);
  });

  it('knows nothing else', async () => {
    expect((await read('/latest/meta-data/public-keys', await token())).status).toBe(404);
    expect((await read('/latest/meta-data/iam/security-credentials/other', await token())).status).toBe(404);
  });

  it('tells who the machine is in one document', async () => {
    const document = await (await read('/latest/dynamic/instance-identity/document', await token())).json();
    expect(document).toMatchObject({ instanceId: 'i-0123456789abcdef0', region: 'us-west-1' });
  });

  it('gives the same keys of the role each time, with dates that are ahead', async () => {
    const path = '/latest/meta-data/iam/security-credentials/management';
    const first: unknown = await (await read(path, await token())).json();
    expect(first).toMatchObject({
      Code: 'Success',
      AccessKeyId: 'ASIA1',
      SecretAccessKey: 'secret',
      LastUpdated: '2026-11-25T12:00:00Z',
      Expiration: '2026-11-25T18:00:00Z',
    });
    await read(path, await token());
    expect(admitted).toBe(1);
  });

  it('takes a token only as long as it lasts', async () => {
    const given = await token();
    now = new Date(now.getTime() + 61_000);
    expect((await read('/latest/meta-data/instance-id', given)).status).toBe(401);
  });
});
