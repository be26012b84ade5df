import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenOnLoopback, stopServer } from '../virtual-account/loopback.ts';
import { type AwsHosts, startAwsHosts } from './aws-hosts.ts';

describe('the hosts of AWS in the sandbox', () => {
  let edge: Server;
  let hosts: AwsHosts;
  beforeAll(async () => {
    edge = createServer((incoming, response) => {
      if (incoming.url === '/cut') return void response.destroy();
      incoming.setEncoding('utf8').on('data', (body: string) => {
        response.writeHead(418, { 'x-edge': 'asked' });
        response.end(`${incoming.method} ${incoming.url} ${incoming.headers.authorization}: ${body}`);
      });
    });
    const edgeUrl = `http://127.0.0.1:${await listenOnLoopback(edge)}`;
    hosts = await startAwsHosts(edgeUrl, 'eu-west-1', { address: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await hosts?.stop();
    await stopServer(edge);
  });

  function ask(name: string, path = '/'): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: hosts.address,
          port: hosts.port,
          servername: name,
          path,
          method: 'POST',
          ca: hosts.authority,
          headers: { authorization: 'signed' },
        },
        (answer) => {
          answer
            .setEncoding('utf8')
            .on('data', (body: string) =>
              resolve(`${answer.statusCode} ${answer.headers['x-edge']} ${body}`),
            );
        },
      );
      outgoing.on('error', reject);
      outgoing.end('Action=DescribeVpcs');
    });
  }

  test.each(['ec2.eu-west-1.amazonaws.com', 'sts.eu-west-1.amazonaws.com', 'iam.amazonaws.com'])(
    'answer what %s is asked, as the edge does',
    async (name) => {
      expect(hosts.names).toContain(name);
      expect(await ask(name)).toBe('418 asked POST / signed: Action=DescribeVpcs');
    },
  );

  test('are no others', async () => {
    await expect(ask('ec2.eu-west-2.amazonaws.com')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('end a connection when the edge does', async () => {
    await expect(ask('iam.amazonaws.com', '/cut')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
