// What an HTTP request asks of AWS: which service, which action by its IAM name, on whose behalf, about what.

import type { IncomingHttpHeaders } from 'node:http';

/** How a service puts requests and errors on the wire. */
export type Protocol = 'json' | 'ec2' | 'query' | 's3';

export interface AwsRequest {
  /** As IAM writes it: `ec2`, `tag`, `states` … */
  readonly service: string;
  /** As IAM writes it: a ListObjectsV2 is `ListBucket`. */
  readonly action: string;
  readonly protocol: Protocol;
  readonly accessKeyId: string;
  readonly region: string;
  /** The members of a JSON request, or the parameters of a query. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What it is about, where the request says so: an ARN. Absent: IAM's resources cannot be told from the request. */
  readonly resource?: string;
}

export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The name in a signature's scope, where IAM has another one. */
const iamNames: Readonly<Record<string, string>> = { tagging: 'tag', monitoring: 'cloudwatch' };

const jsonServices = new Set([
  'dynamodb',
  'secretsmanager',
  'states',
  'ssm',
  'servicequotas',
  'tag',
  'events',
  'kms',
]);

/** @throws Error for a request that nobody signed, or that asks a service of an unknown protocol */
export function readAwsRequest(wire: WireRequest, account: string): AwsRequest {
  const scope = /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/([^/,\s]+)\/aws4_request/.exec(
    wire.headers.authorization ?? '',
  );
  const [, accessKeyId = '', region = '', signed = ''] = scope ?? [];
  const service = iamNames[signed] ?? signed;
  const common = { service, accessKeyId, region };
  if (service === 's3') return { ...common, protocol: 's3', parameters: {}, ...s3Call(wire) };
  const arn = { account, region };
  if (jsonServices.has(service)) {
    const target = String(wire.headers['x-amz-target'] ?? '');
    const parameters = jsonMembers(wire.body);
    const action = target.slice(target.lastIndexOf('.') + 1);
    const resource = jsonResource(service, parameters, arn);
    return { ...common, protocol: 'json', action, parameters, ...(resource ? { resource } : {}) };
  }
  const parameters = Object.fromEntries(new URLSearchParams(wire.body.toString('utf8')));
  const action = parameters.Action;
  if (action === undefined) throw new Error(`cannot read a request of the service "${signed}"`);
  const resource = service === 'iam' ? parameters.PolicySourceArn : undefined;
  return {
    ...common,
    protocol: service === 'ec2' ? 'ec2' : 'query',
    action,
    parameters,
    ...(resource === undefined ? {} : { resource }),
  };
}

function jsonMembers(body: Buffer): Readonly<Record<string, unknown>> {
  const parsed: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  // The JSON protocol sends an object.
  return parsed as Readonly<Record<string, unknown>>;
}

/** Only what the request names outright, which is what least privilege can be tried on. */
function jsonResource(
  service: string,
  parameters: Readonly<Record<string, unknown>>,
  { account, region }: { readonly account: string; readonly region: string },
): string | undefined {
  const text = (name: string) => {
    const value = parameters[name];
    return typeof value === 'string' ? value : undefined;
  };
  const own = (name: string | undefined, prefix: string) =>
    name === undefined || name.startsWith('arn:') ? name : `arn:aws:${prefix}${name}`;
  switch (service) {
    case 'dynamodb': {
      const table = own(text('TableName'), `dynamodb:${region}:${account}:table/`);
      const index = text('IndexName');
      return table === undefined || index === undefined ? table : `${table}/index/${index}`;
    }
    case 'secretsmanager':
      // A secret's ARN ends in a hyphen and six random characters.
      return own(
        text('SecretId') === undefined && text('Name') === undefined
          ? undefined
          : `${text('SecretId') ?? text('Name')}-AbCdEf`,
        `secretsmanager:${region}:${account}:secret:`,
      );
    case 'states':
      return text('stateMachineArn') ?? text('executionArn');
    case 'ssm': {
      const name = text('Name');
      return name === undefined
        ? undefined
        : `arn:aws:ssm:${region}:${name.startsWith('/aws/') ? '' : account}:parameter${name}`;
    }
    default:
      return undefined;
  }
}

function s3Call({ method, url }: WireRequest): { readonly action: string; readonly resource?: string } {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [bucket = '', ...rest] = pathname.slice(1).split('/');
  const key = decodeURIComponent(rest.join('/'));
  if (bucket === '') return { action: 'ListAllMyBuckets' };
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  if (key === '') return { action: method === 'PUT' ? 'CreateBucket' : 'ListBucket', resource };
  const version = searchParams.has('versionId') ? 'Version' : '';
  const verb = { GET: 'Get', HEAD: 'Get', PUT: 'Put', POST: 'Put', DELETE: 'Delete' }[method] ?? method;
  return { action: `${verb}Object${version}`, resource };
}
