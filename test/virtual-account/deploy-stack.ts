// Puts Petra's stack into moto as people put it into AWS, and finds out what it made.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DescribeVpcEndpointsCommand } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { connectEc2 } from '../../adapters/ec2-client.ts';
import { connectS3 } from '../../adapters/s3-client.ts';
import { connectSsm } from '../../adapters/ssm-client.ts';
import { isObject } from '../../core/json-fields.ts';
import { type Moto, motoAccount } from '../moto/start-moto.ts';
import { startForwarder } from './forwarding.ts';
import { MotoCalls } from './moto-calls.ts';
import { node, region, repository, stackName } from './places.ts';

/** Runs one of the project's programs to its end; what it says goes to a file of the account's folder. */
export async function runLogged(
  folder: string,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const file = path.join(folder, `${name}.log`);
  const output = openSync(file, 'a', 0o600);
  const child = spawn(node, [...args], {
    cwd: repository,
    stdio: ['ignore', output, output],
    env: {
      PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}`,
      HOME: folder,
      ...env,
    },
  });
  closeSync(output);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${name} failed: ${(await readFile(file, 'utf8')).slice(-3_000)}`);
}

/** Past the edge: who deploys is an administrator, under roles of the bootstrap that moto does not check. */
export async function deploy(folder: string, moto: Moto, releasesUrl: string): Promise<void> {
  const { url, server } = await startForwarder(moto.endpoint);
  const cdk = path.join(repository, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const context = ['--context', `releasesUrl=${releasesUrl}`, '--context', `stackName=${stackName}`];
  const args = [
    'deploy',
    stackName,
    '--method=direct',
    '--require-approval',
    'never',
    '--no-notices',
    '--ci',
  ];
  try {
    await runLogged(folder, 'cdk', [cdk, ...args, '--output', path.join(folder, 'cdk.out'), ...context], {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: moto.config.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: moto.config.credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      CI: 'true',
      // The validation has its own place in the checks.
      CDK_VALIDATION: 'false',
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** What `cdk bootstrap` leaves in an account, as far as a deployment looks at it; the name of the assets' bucket. */
export async function prepareBootstrap(moto: Moto): Promise<string> {
  const bucket = `cdk-hnb659fds-assets-${motoAccount}-${region}`;
  const s3 = connectS3({ ...moto.config, forcePathStyle: true });
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand());
  if (!Buckets.some(({ Name }) => Name === bucket)) throw new Error(`moto has no bucket ${bucket}`);
  const ssm = connectSsm(moto.config);
  const parameter = { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: '28' } as const;
  await ssm.send(new PutParameterCommand(parameter));
  return bucket;
}

/** IAM names of the services that the endpoints in the VPC lead to. */
export async function endpointServices(moto: Moto): Promise<ReadonlySet<string>> {
  const ec2 = connectEc2(moto.config);
  const { VpcEndpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand());
  return new Set(
    VpcEndpoints.map(({ ServiceName = '' }) => ServiceName.slice(ServiceName.lastIndexOf('.') + 1)),
  );
}

/** The role of the profile with which the deployed functions launch machines: an output of the stack. */
export async function nodeRoleOf(moto: Moto): Promise<string> {
  const text = await new MotoCalls(moto).query('cloudformation', {
    Action: 'DescribeStacks',
    StackName: stackName,
  });
  const role = /<OutputKey>NodeRole<\/OutputKey>\s*<OutputValue>([^<]+)</.exec(text)?.[1];
  if (role === undefined) throw new Error('the stack has no output NodeRole');
  return role;
}

/** The stack's parameter names API Gateway's own host, which is not there: the front takes its place. */
export async function tellWhereTheApiIs(moto: Moto, endpoint: string): Promise<void> {
  const ssm = connectSsm(moto.config);
  const Name = `/petra/${stackName}/api`;
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  const told: unknown = JSON.parse(Parameter?.Value ?? '');
  if (!isObject(told)) throw new Error(`the parameter ${Name} holds no object`);
  const Value = JSON.stringify({ ...told, endpoint });
  await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
}
