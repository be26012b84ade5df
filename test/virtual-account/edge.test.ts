import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectS3 } from '../../adapters/s3-client.ts';
import { connectSecretsManager } from '../../adapters/secrets-manager-client.ts';
import { Edge } from './edge.ts';
import type { FaultForm } from './edge-faults.ts';
import { type Principal, Principals } from './principals.ts';
import { readStatements } from './role-policies.ts';

const region = 'us-west-1';

/** Stands in for moto: has one secret, and counts how often it was asked. */
let asked = 0;
const upstream = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ Name: 'petra/1/kubeconfig', SecretString: 'value' }));
  });
});

describe('the edge of the virtual account', () => {
  let edge: Edge;
  let endpoint: string;
  const principals = new Principals();
  const statements = readStatements({
    Statement: [
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: `arn:aws:secretsmanager:${region}:1:secret:petra/*`,
      },
    ],
  });
  const principal: Principal = {
    name: 'init/make-secrets',
    role: 'arn:aws:iam::1:role/make-secrets',
    statements,
    reaches: new Set(['secretsmanager', 's3']),
    cluster: undefined,
  };
  const outside: Principal = { name: 'init/preflight', role: 'r', statements, cluster: undefined };

  beforeAll(async () => {
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    // A server that listens on a port has an address with one.
    const { port } = upstream.address() as AddressInfo;
    edge = new Edge({
      upstream: `http://localhost:${port}`,
      account: '1',
      principals,
      keysOf: async () => ({}),
      mends: [],
      log: () => undefined,
    });
    endpoint = await edge.start();
  });
  afterAll(async () => {
    await edge.stop();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  });
  beforeEach(() => {
    asked = 0;
    edge.violations.length = 0;
    edge.calls.clear();
    principal.cluster = 'one';
  });

  function secrets(options: { readonly maxAttempts: number; readonly timeout?: number }) {
    const { maxAttempts, timeout = 5_000 } = options;
    return connectSecretsManager({
      endpoint,
      region,
      credentials: principals.admit(principal),
      maxAttempts,
      requestHandler: { requestTimeout: timeout, throwOnRequestTimeout: true },
    });
  }

  function read(name: string, options: { readonly maxAttempts: number; readonly timeout?: number }) {
    return secrets(options).send(new GetSecretValueCommand({ SecretId: name }));
  }

  it('lets through what the role allows, and counts it for the function', async () => {
    expect((await read('petra/1/kubeconfig', { maxAttempts: 1 })).SecretString).toBe('value');
    expect(edge.calls.get('init/make-secrets')?.get('secretsmanager:GetSecretValue')).toBe(1);
    expect(edge.violations).toEqual([]);
  });

  it.each([
    ['a resource', 'others/1', 'AccessDeniedException'],
    ['an action', undefined, 'AccessDenied'],
  ])('refuses %s that the role does not allow, as the service would', async (_, secret, name) => {
    const credentials = principals.admit(principal);
    const s3 = connectS3({ endpoint, region, credentials });
    const call =
      secret === undefined
        ? s3.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }))
        : read(secret, { maxAttempts: 1 });
    await expect(call).rejects.toMatchObject({ name });
    expect(edge.violations).toMatchObject([{ principal: 'init/make-secrets', why: 'no permission' }]);
    expect(asked).toBe(0);
  });

  it('answers no call to a service that the network of the function does not lead to', async () => {
    const ec2 = connectEc2({ endpoint, region, credentials: principals.admit(principal), maxAttempts: 1 });
    await expect(ec2.send(new DescribeInstancesCommand())).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(edge.violations).toMatchObject([{ action: 'ec2:DescribeInstances' }]);
  });

  it('refuses EC2 in its own way', async () => {
    const ec2 = connectEc2({ endpoint, region, credentials: principals.admit(outside), maxAttempts: 1 });
    await expect(ec2.send(new DescribeInstancesCommand())).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
    });
  });

  const forms: readonly [form: FaultForm, error: object, reachesUpstream: boolean][] = [
    ['throttled', { name: 'ThrottlingException' }, false],
    [
      'failed',
      { name: 'InternalServiceError', $metadata: expect.objectContaining({ httpStatusCode: 500 }) },
      false,
    ],
    ['unavailable', { name: 'ServiceUnavailable' }, false],
    ['cut', { code: 'ECONNRESET' }, false],
    ['lost', { code: 'ECONNRESET' }, true],
    ['hung', { name: 'TimeoutError' }, true],
  ];

  it.each(forms)(
    'makes a call %s once, for the cluster and verb asked for',
    async (form, error, carriedOut) => {
      const fault = edge.faults.add({
        cluster: 'one',
        verb: 'init',
        action: 'secretsmanager:GetSecretValue',
        form,
        times: 1,
      });
      principal.cluster = 'other';
      await read('petra/1/kubeconfig', { maxAttempts: 1 });
      principal.cluster = 'one';
      await expect(read('petra/1/kubeconfig', { maxAttempts: 1, timeout: 300 })).rejects.toMatchObject(error);
      expect(asked).toBe(carriedOut ? 2 : 1);
      await read('petra/1/kubeconfig', { maxAttempts: 1 });
      expect(fault.happened).toBe(1);
      edge.faults.clear('one');
    },
  );

  it('makes only those calls fail that ask for what the fault is about', async () => {
    edge.faults.add({
      cluster: 'one',
      verb: 'init',
      action: 'secretsmanager:GetSecretValue',
      form: 'failed',
      times: 2,
      only: { SecretId: 'petra/1/token' },
    });
    expect((await read('petra/1/kubeconfig', { maxAttempts: 1 })).SecretString).toBe('value');
    await expect(read('petra/1/token', { maxAttempts: 1 })).rejects.toThrow();
    edge.faults.clear('one');
  });

  it('lets a retry of the SDK pass', async () => {
    edge.faults.add({
      cluster: 'one',
      verb: 'init',
      action: 'secretsmanager:GetSecretValue',
      form: 'lost',
      times: 1,
    });
    expect((await read('petra/1/kubeconfig', { maxAttempts: 2 })).SecretString).toBe('value');
    edge.faults.clear('one');
  });
});
