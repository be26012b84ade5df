import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Moto, motoAccount, startMoto } from './start-moto.ts';

const region = 'eu-central-1';

describe('what moto learns from Petra', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto({ region, environment: { STEP_FUNCTIONS_SPEED: '100' } });
    await createStack({
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'petra', ProtocolType: 'HTTP' } },
      Integration: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: {
          ApiId: { Ref: 'Api' },
          IntegrationType: 'AWS_PROXY',
          IntegrationUri: 'arn:aws:lambda:eu-central-1:123456789012:function:health',
          PayloadFormatVersion: '2.0',
        },
      },
      Route: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ApiId: { Ref: 'Api' },
          RouteKey: 'GET /health',
          AuthorizationType: 'AWS_IAM',
          Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
        },
      },
      Stage: {
        Type: 'AWS::ApiGatewayV2::Stage',
        Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
      },
      Waiting: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          StateMachineName: 'waiting',
          RoleArn: `arn:aws:iam::${motoAccount}:role/any`,
          DefinitionString: JSON.stringify({
            StartAt: 'Wait',
            States: { Wait: { Type: 'Wait', Seconds: 60, End: true } },
          }),
        },
      },
    });
  });
  afterAll(() => moto?.stop());

  /** moto asks for no signature, only for the service's name. */
  function call(service: string, path: string, body?: URLSearchParams): Promise<Response> {
    return fetch(`${moto.endpoint}${path}`, {
      method: body ? 'POST' : 'GET',
      ...(body ? { body } : {}),
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      },
    });
  }

  async function createStack(resources: object): Promise<void> {
    const template = JSON.stringify({ Resources: resources });
    const body = new URLSearchParams({
      Action: 'CreateStack',
      StackName: 'petra',
      TemplateBody: template,
      Version: '2010-05-15',
    });
    const response = await call('cloudformation', '/', body);
    if (!response.ok) throw new Error(await response.text());
  }

  async function items(path: string): Promise<readonly Record<string, unknown>[]> {
    const answer: unknown = await (await call('apigateway', path)).json();
    if (typeof answer === 'object' && answer && 'items' in answer && Array.isArray(answer.items))
      return answer.items;
    throw new Error(`no items at ${path}`);
  }

  it('makes HTTP APIs by CloudFormation, with their routes and integrations', async () => {
    const [api] = await items('/v2/apis');
    const [integration] = await items(`/v2/apis/${api?.apiId}/integrations`);
    expect(await items(`/v2/apis/${api?.apiId}/routes`)).toMatchObject([
      {
        routeKey: 'GET /health',
        authorizationType: 'AWS_IAM',
        target: `integrations/${integration?.integrationId}`,
      },
    ]);
    expect(await items(`/v2/apis/${api?.apiId}/stages`)).toMatchObject([{ stageName: '$default' }]);
  });

  it('runs state machines made by CloudFormation, and waits as much shorter as asked', async () => {
    const client = new SFNClient(moto.config);
    const begun = Date.now();
    const { executionArn } = await client.send(
      new StartExecutionCommand({
        stateMachineArn: `arn:aws:states:${region}:${motoAccount}:stateMachine:waiting`,
      }),
    );
    let status: string | undefined = 'RUNNING';
    while (status === 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      status = (await client.send(new DescribeExecutionCommand({ executionArn }))).status;
    }
    client.destroy();
    expect(status).toBe('SUCCEEDED');
    const waited = Date.now() - begun;
    expect(waited).toBeGreaterThanOrEqual(600);
    expect(waited).toBeLessThan(30_000);
  });
});
