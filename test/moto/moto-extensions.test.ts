// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of definitions
import {
  CreateNatGatewayCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeNatGatewaysCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
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
            States: {
              Wait: { Type: 'Wait', Seconds: 60, Next: 'Say' },
              Say: { Type: 'Pass', Result: { bus: '${Bus}' }, End: true },
            },
          }),
          DefinitionSubstitutions: { Bus: { Ref: 'Bus' } },
        },
      },
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'events' } },
      Alarm: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmRule: 'TRUE' } },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'worker',
          AssumeRolePolicyDocument: {},
          Policies: [{ PolicyName: 'Work', PolicyDocument: { Version: '2012-10-17', Statement: [] } }],
        },
      },
      Parameter: {
        Type: 'AWS::SSM::Parameter',
        Properties: {
          Name: '/petra/facts',
          Type: 'String',
          Tags: { 'petra.sh/stack': 'petra' },
          Value: {
            'Fn::Join': [
              ' ',
              [{ 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, { 'Fn::GetAtt': ['Alarm', 'Arn'] }],
            ],
          },
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

  it.each([
    [100, 600],
    [40, 1500],
  ])(
    'runs state machines made by CloudFormation, and waits %d times shorter',
    async (speed, milliseconds) => {
      await moto.setSpeed(speed);
      const client = new SFNClient(moto.config);
      const begun = Date.now();
      const { executionArn } = await client.send(
        new StartExecutionCommand({
          stateMachineArn: `arn:aws:states:${region}:${motoAccount}:stateMachine:waiting`,
        }),
      );
      let output: string | undefined;
      let status: string | undefined = 'RUNNING';
      while (status === 'RUNNING') {
        await new Promise((resolve) => setTimeout(resolve, 50));
        ({ status, output } = await client.send(new DescribeExecutionCommand({ executionArn })));
      }
      client.destroy();
      expect(status).toBe('SUCCEEDED');
      expect(JSON.parse(output ?? '')).toEqual({ bus: 'events' });
      const waited = Date.now() - begun;
      expect(waited).toBeGreaterThanOrEqual(milliseconds);
      expect(waited).toBeLessThan(30_000);
    },
  );

  it("fills in the stack's own zones, and an ARN for what it does not know", async () => {
    const client = new SSMClient(moto.config);
    const { Parameter } = await client.send(new GetParameterCommand({ Name: '/petra/facts' }));
    client.destroy();
    expect(Parameter?.Value).toMatch(/^eu-central-1a arn:aws:cloudwatch:eu-central-1:123456789012:\S+$/);
  });

  it("keeps a role's own policies as documents", async () => {
    const client = new IAMClient(moto.config);
    const request = new GetRolePolicyCommand({ RoleName: 'worker', PolicyName: 'Work' });
    const { PolicyDocument = '' } = await client.send(request);
    client.destroy();
    expect(JSON.parse(decodeURIComponent(PolicyDocument))).toEqual({ Version: '2012-10-17', Statement: [] });
  });

  it('finds NAT gateways by their tags', async () => {
    const client = new EC2Client(moto.config);
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    const subnet = await client.send(
      new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: '10.0.0.0/24' }),
    );
    const make = async (Value: string) => {
      const request = new CreateNatGatewayCommand({
        SubnetId: subnet.Subnet?.SubnetId,
        ConnectivityType: 'private',
        TagSpecifications: [{ ResourceType: 'natgateway', Tags: [{ Key: 'cluster', Value }] }],
      });
      return (await client.send(request)).NatGateway?.NatGatewayId;
    };
    const [one] = [await make('one'), await make('other')];
    const { NatGateways } = await client.send(
      new DescribeNatGatewaysCommand({ Filter: [{ Name: 'tag:cluster', Values: ['one'] }] }),
    );
    client.destroy();
    expect(NatGateways?.map(({ NatGatewayId }) => NatGatewayId)).toEqual([one]);
  });
});
