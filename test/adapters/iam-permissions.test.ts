// moto has no SimulatePrincipalPolicy, so a small server stands in for IAM: it answers in the shape that IAM's
// reference documents, and the real SDK client talks to it. It has not been compared with IAM itself.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectIam } from '../../adapters/iam-client.ts';
import { IamPermissions, type SimulationOptions } from '../../adapters/iam-permissions.ts';

const role = 'arn:aws:iam::123456789012:role/petra-capa';

interface Evaluation {
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
  readonly missing?: string;
}

describe('permissions by simulation', () => {
  let endpoint: string;
  let asked: URLSearchParams[];
  let evaluate: (action: string, resource: string) => Evaluation;
  let refusal: { readonly status: number; readonly code: string } | undefined;
  let pageSize: number;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const query = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push(query);
      response.setHeader('Content-Type', 'text/xml');
      if (refusal) return response.writeHead(refusal.status).end(errorXml(refusal.code));
      return response.end(answerXml(query));
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // A server that listens on TCP has an address with a port.
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    asked = [];
    evaluate = () => ({ decision: 'allowed' });
    refusal = undefined;
    pageSize = 1_000;
  });

  function list(query: URLSearchParams, name: string): string[] {
    return [...query.entries()]
      .filter(([key]) => key.startsWith(`${name}.member.`))
      .map(([, value]) => value);
  }

  function answerXml(query: URLSearchParams): string {
    const resources = list(query, 'ResourceArns');
    const all = list(query, 'ActionNames').flatMap((action) =>
      (resources.length === 0 ? ['*'] : resources).map((resource) => ({ action, resource })),
    );
    const start = Number(query.get('Marker') ?? 0);
    const isTruncated = start + pageSize < all.length;
    const results = all.slice(start, start + pageSize).map(({ action, resource }) => {
      const { decision, missing } = evaluate(action, resource);
      return `<member>
          <MatchedStatements/>
          <MissingContextValues>${missing === undefined ? '' : `<member>${missing}</member>`}</MissingContextValues>
          <EvalResourceName>${resource}</EvalResourceName>
          <EvalDecision>${decision}</EvalDecision>
          <EvalActionName>${action}</EvalActionName>
        </member>`;
    });
    return `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
      <SimulatePrincipalPolicyResult>
        <IsTruncated>${isTruncated}</IsTruncated>
        ${isTruncated ? `<Marker>${start + pageSize}</Marker>` : ''}
        <EvaluationResults>${results.join('')}</EvaluationResults>
      </SimulatePrincipalPolicyResult>
      <ResponseMetadata><RequestId>1cdb5b0a-4c15-11e5-b121-bd8c7EXAMPLE</RequestId></ResponseMetadata>
    </SimulatePrincipalPolicyResponse>`;
  }

  function errorXml(code: string): string {
    return `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
      <Error><Type>Sender</Type><Code>${code}</Code><Message>refused</Message></Error>
      <RequestId>4a8d0bd0</RequestId>
    </ErrorResponse>`;
  }

  function permissions(options?: SimulationOptions): IamPermissions {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = connectIam({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    return new IamPermissions(client, role, options);
  }

  it('are asked of the role, for the region', async () => {
    expect(await permissions().denied('eu-west-1', ['ec2:CreateVpc', 'ec2:RunInstances'])).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      Action: 'SimulatePrincipalPolicy',
      PolicySourceArn: role,
      'ActionNames.member.1': 'ec2:CreateVpc',
      'ActionNames.member.2': 'ec2:RunInstances',
      'ContextEntries.member.1.ContextKeyName': 'aws:RequestedRegion',
      'ContextEntries.member.1.ContextKeyType': 'string',
      'ContextEntries.member.1.ContextKeyValues.member.1': 'eu-west-1',
    });
  });

  it('that are denied are named, in the order of asking', async () => {
    evaluate = (action) => ({
      decision: action.startsWith('iam:')
        ? 'explicitDeny'
        : action.includes('Vpc')
          ? 'implicitDeny'
          : 'allowed',
    });
    const actions = ['ec2:CreateVpc', 'ec2:RunInstances', 'iam:PassRole', 'ec2:DeleteVpc'];
    expect(await permissions().denied('eu-west-1', actions)).toEqual([
      'ec2:CreateVpc',
      'iam:PassRole',
      'ec2:DeleteVpc',
    ]);
  });

  it('that hang on a condition which a simulation cannot know are not called denied', async () => {
    evaluate = (action) => ({
      decision: action === 'ec2:RunInstances' ? 'explicitDeny' : 'implicitDeny',
      missing: 'aws:ResourceTag/petra.sh/uid',
    });
    expect(await permissions().denied('eu-west-1', ['ec2:TerminateInstances', 'ec2:RunInstances'])).toEqual([
      'ec2:RunInstances',
    ]);
  });

  it('under conditions are asked for with the values that calls will have', async () => {
    const context = { 'iam:PassedToService': ['ec2.amazonaws.com'], 'aws:TagKeys': ['a', 'b'] };
    await permissions({ context }).denied('eu-west-1', ['iam:PassRole']);
    const entries = list(asked[0] ?? new URLSearchParams(), 'ContextEntries');
    expect(entries).toEqual([
      ...['iam:PassedToService', 'ec2.amazonaws.com', 'string'],
      ...['aws:TagKeys', 'a', 'b', 'stringList'],
      ...['aws:RequestedRegion', 'eu-west-1', 'string'],
    ]);
  });

  it('on certain resources are asked for those', async () => {
    const nodes = 'arn:aws:iam::123456789012:role/nodes';
    evaluate = (action, resource) => ({
      decision: action !== 'iam:PassRole' || resource === nodes ? 'allowed' : 'implicitDeny',
    });
    const actions = ['ec2:CreateVpc', 'iam:PassRole'];
    expect(await permissions().denied('eu-west-1', actions)).toEqual(['iam:PassRole']);
    expect(
      await permissions({ resources: { 'iam:PassRole': [nodes] } }).denied('eu-west-1', actions),
    ).toEqual([]);
    expect(
      await permissions({ resources: { 'iam:PassRole': [nodes, `${nodes}-2`] } }).denied(
        'eu-west-1',
        actions,
      ),
    ).toEqual(['iam:PassRole']);
  });

  it('are read in pages, and asked for in portions', async () => {
    pageSize = 30;
    evaluate = (action) => ({ decision: action.endsWith('9') ? 'implicitDeny' : 'allowed' });
    const actions = Array.from({ length: 130 }, (_, index) => `ec2:Action${index}`);
    expect(await permissions().denied('eu-west-1', actions)).toEqual(
      actions.filter((action) => action.endsWith('9')),
    );
    expect(asked).toHaveLength(4 + 1);
  });

  it.each([
    [403, 'AccessDenied', 'AwsAccessDenied'],
    [400, 'Throttling', 'Throttled'],
    [500, 'PolicyEvaluation', 'AwsUnavailable'],
    [500, 'ServiceFailure', 'AwsUnavailable'],
    [404, 'NoSuchEntity', 'AwsAccessDenied'],
  ])('that cannot be asked for, with %i %s, fail as %s', async (status, code, expected) => {
    refusal = { status, code };
    const failed = permissions().denied('eu-west-1', ['ec2:CreateVpc']);
    await expect(failed).rejects.toMatchObject({ code: expected });
    await expect(failed).rejects.toThrow(role);
  });
});
