import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalServer, serveApi } from '../../local/server.ts';
import { type TestPorts, testPorts } from '../core/test-ports.ts';

const token = 'the-token-of-this-test';
let ports: TestPorts;
let server: LocalServer;
const logged: string[] = [];

beforeAll(async () => {
  ports = await testPorts();
  server = await serveApi(ports, { token, port: 0, log: (message) => void logged.push(message) });
});
afterAll(async () => {
  await server.close();
  await ports.close();
});

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: { readonly code?: string; readonly message?: string; readonly status?: string };
}

function call(
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  const { port } = new URL(server.url);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      path,
      method: options.method ?? 'GET',
      headers: { authorization: `Bearer ${token}`, ...options.headers },
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          body: JSON.parse(text),
        }),
      );
    },
  );
  sent.on('error', reject);
  sent.end(options.body);
  return promise;
}

test('it listens on the loopback interface', () => {
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('it answers whoever has the token', async () => {
  expect(await call('/health')).toMatchObject({
    status: 200,
    type: 'application/json',
    body: { status: 'ok' },
  });
});

describe('it refuses', () => {
  test.each([
    ['no token', { authorization: '' }],
    ['a wrong token', { authorization: `Bearer ${token.slice(0, -1)}x` }],
    ['a token of another length', { authorization: `Bearer ${token}x` }],
    ['the token without its scheme', { authorization: token }],
  ])('%s', async (_title, headers) => {
    expect(await call('/health', { headers })).toMatchObject({ status: 401, body: { code: 'Unauthorized' } });
  });

  test('a foreign Host, as a rebound name sends it', async () => {
    expect(await call('/health', { headers: { host: 'evil.example' } })).toMatchObject({
      status: 403,
      body: { code: 'Forbidden', message: expect.stringContaining('evil.example') },
    });
  });

  test('the right Host with another port', async () => {
    expect(await call('/health', { headers: { host: '127.0.0.1:1' } })).toMatchObject({ status: 403 });
  });

  test('requests that a page in a browser makes', async () => {
    const origin = `http://127.0.0.1:${new URL(server.url).port}`;
    expect(await call('/health', { headers: { origin } })).toMatchObject({ status: 403 });
  });

  test('a port that is taken, by name', async () => {
    const taken = Number(new URL(server.url).port);
    const second = serveApi(ports, { token, port: taken, log: () => {} });
    await expect(second).rejects.toMatchObject({
      code: 'LocalStartFailed',
      message: expect.stringContaining(`${taken}`),
    });
  });

  test.each([
    ['an unknown route', '/nothing', {}],
    ['an address that is none', 'http://[', {}],
    ['an unknown method', '/clusters', { method: 'PATCH' }],
    ['a body that is not JSON', '/clusters', { method: 'POST', body: '{' }],
    ['a body that is no object', '/clusters', { method: 'POST', body: '[]' }],
    ['no body', '/clusters', { method: 'POST' }],
    ['a wrong escape in the path', '/clusters/%zz', {}],
    ['a body of a megabyte', '/clusters', { method: 'POST', body: ' '.repeat(1024 * 1024) }],
  ])('%s', async (_title, path, options) => {
    expect(await call(path, options)).toMatchObject({
      status: 400,
      type: 'application/problem+json',
      body: { code: 'InvalidRequest' },
    });
  });
});

test('a failure that nobody foresaw shows no insides, and is logged', async () => {
  const broken = await serveApi(
    { ...ports, fleet: { ...ports.fleet, find: () => Promise.reject(new Error('password=hunter2')) } },
    { token, port: 0, log: (message) => void logged.push(message) },
  );
  const response = await fetch(`${broken.url}/clusters/dev`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: 'InternalError' });
  expect(text).not.toContain('hunter2');
  expect(logged).toContain('request failed');
  await broken.close();
});
