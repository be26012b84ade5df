// The HTTP API: one route and one function for each operation of docs/openapi.json, and who may call which.
//
// Every route asks for a signature of IAM (SigV4) and for `execute-api:Invoke` on the route. The managed policies here
// give that by what a caller is; how they are attached is up to the account.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Effect, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgePatterns } from './acknowledge.ts';
import type { FunctionActions } from './function-actions.ts';
import { type FunctionSurroundings, pascalCase, petraFunction } from './petra-function.ts';
import { type Permission, statement } from './statements.ts';

const openApiFile = path.join(import.meta.dirname, '..', 'docs', 'openapi.json');

/** API Gateway waits 30 seconds at most for a function; a function that ends before can still say why. */
const timeout = Duration.seconds(29);

/** Requests a second, and at once: far above what people and their automation send, below what would hurt the table. */
const throttle = { rateLimit: 50, burstLimit: 100 };

/** Set to `true` on the user or role that may read kubeconfigs. */
export const kubeconfigTag = 'petra.sh/kubeconfig';

/** A route as the OpenAPI document has it. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Its operationId, and the name of its function. */
  readonly name: string;
  readonly summary: string;
}

/** Who may do what; each policy contains the one before. */
const callers = {
  Reader: ['GET'],
  Operator: ['GET', 'POST'],
  Admin: ['GET', 'POST', 'DELETE'],
} as const;

/**
 * All that API Gateway might take for the route of kubeconfigs, whatever of a path IAM gets to see. It decodes paths for
 * functions; whether it does so before it asks IAM is not documented. No path of a request by Petra has a `%`.
 */
const waysToKubeconfig = ['GET/*/*/kubeconfig*', 'GET/*%*'];

export class Api extends Construct {
  readonly httpApi: HttpApi;
  readonly functions: readonly LambdaFunction[];
  readonly policies: Readonly<Record<string, ManagedPolicy>>;

  constructor(scope: Construct, facts: FunctionActions, surroundings: FunctionSurroundings) {
    super(scope, 'Api');
    this.httpApi = new HttpApi(this, 'HttpApi', {
      apiName: Stack.of(this).stackName,
      description: 'Petra',
      createDefaultStage: false,
      // No browser has business here.
    });
    const routes = readRoutes();
    this.functions = routes.map((route) => addRoute(this, this.httpApi, route, facts, surroundings));
    const log = new LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/vendedlogs/apis/${Stack.of(this).stackName}`,
      retention: surroundings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.httpApi,
      stageName: '$default',
      autoDeploy: true,
      throttle,
      accessLogSettings: { destination: new LogGroupLogDestination(log), format: accessLogFormat },
    });
    this.policies = callerPolicies(this, this.httpApi.apiId, routes);
  }
}

function addRoute(
  scope: Construct,
  httpApi: HttpApi,
  route: ApiRoute,
  facts: FunctionActions,
  surroundings: FunctionSurroundings,
): LambdaFunction {
  const key = `api/${route.name}`;
  const known = facts[key];
  if (!known) throw new Error(`cdk/function-actions.json does not have ${key}: generate it anew`);
  const options = { description: route.summary, timeout };
  const made = petraFunction(scope, key, known, options, surroundings);
  httpApi.addRoutes({
    path: route.path,
    methods: [HttpMethod[route.method]],
    integration: new HttpLambdaIntegration(pascalCase(route.name), made),
    authorizer: new HttpIamAuthorizer(),
  });
  return made;
}

/** Where the CLI looks for the API of a stack. */
export function apiParameterName(stackName: string): string {
  return `/petra/${stackName}/api`;
}

export function readRoutes(): readonly ApiRoute[] {
  const { paths } = JSON.parse(readFileSync(openApiFile, 'utf8')) as {
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly operationId: string; readonly summary: string }>>>
    >;
  };
  return Object.entries(paths).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary }]) => ({
      // The document's own test allows no other methods.
      method: method.toUpperCase() as ApiRoute['method'],
      path: at,
      name: operationId,
      summary,
    })),
  );
}

/** Who asked what, when, and how it ended; no query and no body. */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    time: AccessLogField.contextRequestTime(),
    requestId: AccessLogField.contextRequestId(),
    caller: '$context.identity.userArn',
    address: AccessLogField.contextIdentitySourceIp(),
    route: '$context.routeKey',
    path: '$context.path',
    status: AccessLogField.contextStatus(),
    milliseconds: AccessLogField.contextResponseLatency(),
    error: AccessLogField.contextErrorMessage(),
    integrationError: '$context.integrationErrorMessage',
  }),
);

function callerPolicies(scope: Construct, apiId: string, routes: readonly ApiRoute[]) {
  const arn = (call: string) =>
    Stack.of(scope).formatArn({
      service: 'execute-api',
      resource: apiId,
      resourceName: `$default/${call}`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  const arnOf = ({ method, path: at }: ApiRoute) => arn(`${method}${at.replace(/\{\w+\}/g, '*')}`);
  const invoke = (resources: readonly string[]): Permission => ({
    actions: ['execute-api:Invoke'],
    resources,
    why: 'Parts of a path are names of clusters and operations.',
  });
  const { stackName } = Stack.of(scope);
  // So that `petra config use-stack` finds the API with nothing but one of these policies.
  const find: Permission = {
    actions: ['ssm:GetParameter'],
    resources: [
      Stack.of(scope).formatArn({
        service: 'ssm',
        resource: 'parameter',
        resourceName: apiParameterName(stackName).slice(1),
      }),
    ],
  };
  const kubeconfig = routes.filter(({ name }) => name === 'get-kubeconfig').map(arnOf);
  const others = routes.filter(({ name }) => name !== 'get-kubeconfig');
  const managedPolicy = (who: string, description: string, permissions: readonly Permission[]) => {
    const policy = new ManagedPolicy(scope, who, {
      description,
      statements: [find, ...permissions].map(statement),
    });
    acknowledgePatterns(policy, permissions);
    return [who, policy] as const;
  };
  return Object.fromEntries([
    ...Object.entries(callers).map(([who, methods]) =>
      managedPolicy(who, `The API of Petra: ${methods.join(', ')}, without kubeconfigs.`, [
        invoke(others.filter(({ method }) => methods.some((one) => one === method)).map(arnOf)),
        // `GET /clusters/*` would match what is below a cluster too. Kubeconfigs are for those with the tag.
        {
          ...invoke(waysToKubeconfig.map(arn)),
          effect: Effect.DENY,
          conditions: { StringNotEquals: { [`aws:PrincipalTag/${kubeconfigTag}`]: 'true' } },
        },
      ]),
    ),
    managedPolicy(
      'Kubeconfig',
      'The API of Petra: kubeconfigs, which make their reader an administrator of a cluster.',
      [invoke(kubeconfig)],
    ),
  ]);
}
