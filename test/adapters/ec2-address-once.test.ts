import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { Ec2Networks } from '../../adapters/ec2-networks.ts';

/** Stands in for an EC2 that has no address yet, and whose answer to an allocation gets lost. */
const actions: string[] = [];
const ec2 = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const action = new URLSearchParams(Buffer.concat(chunks).toString()).get('Action') ?? '';
    actions.push(action);
    if (action === 'AllocateAddress') return request.socket.destroy();
    return response.end(`<${action}Response><addressesSet/></${action}Response>`);
  });
});

beforeAll(() => new Promise<void>((resolve) => ec2.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => ec2.close(resolve)));

it('asks for an address once, since EC2 would give a second one to who asks again', async () => {
  const config = {
    // A server that listens on a port has an address with one.
    endpoint: `http://127.0.0.1:${(ec2.address() as AddressInfo).port}`,
    region: 'us-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const [client, once] = [connectEc2(config), connectEc2({ ...config, maxAttempts: 1 })];
  const settings = { subnetIds: ['subnet-1'], securityGroupId: 'sg-1', publicAddresses: true };
  const networks = new Ec2Networks(
    () => client,
    settings,
    () => once,
  );
  const request = { cluster: 'mgmt', uid: '1', region: 'us-west-1', name: 'server-0', interfaceId: 'eni-1' };
  await expect(networks.attachPublicAddress(request)).rejects.toMatchObject({ code: 'AwsUnavailable' });
  expect(actions).toEqual(['DescribeAddresses', 'AllocateAddress']);
  client.destroy();
  once.destroy();
});
