import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { readRoutes } from '../../cdk/api.ts';
import { allDocuments, type Statement } from './policies.ts';
import { ofType, resource, synthesise } from './synthesise.ts';

const petra = synthesise();
const routes = readRoutes();

describe('the API', () => {
  test('has exactly the routes of the OpenAPI document', () => {
    const made = [...ofType(petra, 'AWS::ApiGatewayV2::Route').values()].map(
      ({ Properties }) => Properties.RouteKey,
    );
    expect(made.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });

  test('asks every caller for a signature', () => {
    petra.template.allResourcesProperties('AWS::ApiGatewayV2::Route', { AuthorizationType: 'AWS_IAM' });
  });

  test('hands each route to its function, which the route alone may call', () => {
    petra.template.allResourcesProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
    });
    const permissions = [...ofType(petra, 'AWS::Lambda::Permission').values()];
    expect(permissions).toHaveLength(routes.length);
    for (const { Properties } of permissions) {
      expect(Properties.Principal).toBe('apigateway.amazonaws.com');
      expect(JSON.stringify(Properties.SourceArn)).toMatch(/execute-api.*\/\*\/\*\/\w+/);
    }
  });

  test('is throttled, keeps an access log, and is for no browser', () => {
    petra.template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('userArn') },
    });
    expect(resource(petra, 'AWS::ApiGatewayV2::Api').Properties.CorsConfiguration).toBeUndefined();
  });
});

/** What IAM answers to a call of `GET/clusters`, for one or more of the managed policies. */
function mayCall(
  policies: readonly string[],
  call: string,
  tags: Readonly<Record<string, string>> = {},
): boolean {
  const statements = policies.flatMap((who) =>
    [...allDocuments(petra)].filter(([at]) => at.startsWith(`Api${who}`)).flatMap(([, found]) => found),
  );
  const applies = ({ Resource, Condition }: Statement) =>
    Resource.some((arn) => matches(arn, call)) && conditionHolds(Condition, tags);
  const found = statements.filter(applies);
  return found.some(({ Effect }) => Effect === 'Allow') && !found.some(({ Effect }) => Effect === 'Deny');
}

/** An asterisk of IAM matches slashes too. */
function matches(arn: string, call: string): boolean {
  const pattern = /\$default\/([^"]*)/.exec(arn)?.[1] ?? '';
  return new RegExp(`^${pattern.split('*').join('.*')}$`).test(call);
}

function conditionHolds(condition: unknown, tags: Readonly<Record<string, string>>): boolean {
  if (condition === undefined) return true;
  const { StringNotEquals } = condition as { readonly StringNotEquals: Readonly<Record<string, string>> };
  return Object.entries(StringNotEquals).every(
    ([key, value]) => tags[key.replace('aws:PrincipalTag/', '')] !== value,
  );
}

describe('callers', () => {
  const calls = (method: string, but = 'get-kubeconfig') =>
    routes
      .filter((route) => route.method === method && route.name !== but)
      .map(({ path }) => `${method}${path.replace(/\{\w+\}/g, 'dev')}`);

  test('a reader reads everything but kubeconfigs, and changes nothing', () => {
    for (const call of calls('GET')) expect([call, mayCall(['Reader'], call)]).toEqual([call, true]);
    for (const call of [...calls('POST'), ...calls('DELETE')])
      expect([call, mayCall(['Reader'], call)]).toEqual([call, false]);
  });

  test('an operator makes as well, and deletes nothing', () => {
    for (const call of [...calls('GET'), ...calls('POST')])
      expect([call, mayCall(['Operator'], call)]).toEqual([call, true]);
    for (const call of calls('DELETE')) expect([call, mayCall(['Operator'], call)]).toEqual([call, false]);
  });

  test('an admin deletes as well', () => {
    for (const call of [...calls('GET'), ...calls('POST'), ...calls('DELETE')])
      expect([call, mayCall(['Admin'], call)]).toEqual([call, true]);
  });

  test.each([
    ['Reader', {}, false],
    ['Operator', {}, false],
    ['Admin', {}, false],
    ['Admin', { 'petra.sh/kubeconfig': 'false' }, false],
    ['Reader', { 'petra.sh/kubeconfig': 'true' }, true],
    ['Admin', { 'petra.sh/kubeconfig': 'true' }, true],
  ])('%s with tags %o may read kubeconfigs: %s', (who, tags, may) => {
    expect(mayCall([who, 'Kubeconfig'], 'GET/clusters/dev/kubeconfig', tags)).toBe(may);
  });

  test.each([
    'GET/clusters/dev/%6bubeconfig',
    'GET/clusters%2Fdev%2Fkubeconfig',
    'GET/clusters/dev/kubeconfig/',
    'GET/clusters//dev/kubeconfig',
    'GET/operations/../clusters/dev/kubeconfig',
    'GET/operations/%2e%2e/clusters/dev/kubeconfig',
  ])('no other spelling gets one: %s', (call) => {
    for (const who of ['Reader', 'Operator', 'Admin'])
      expect([who, mayCall([who], call)]).toEqual([who, false]);
  });

  test('a cluster may have the name of the route', () => {
    for (const call of ['GET/clusters/kubeconfig', 'GET/clusters/kubeconfig/events'])
      expect(mayCall(['Reader'], call)).toBe(true);
  });

  test('who has the policy for kubeconfigs alone reads kubeconfigs alone', () => {
    expect(mayCall(['Kubeconfig'], 'GET/clusters/dev/kubeconfig')).toBe(true);
    for (const call of [...calls('GET'), ...calls('POST'), ...calls('DELETE')])
      expect([call, mayCall(['Kubeconfig'], call)]).toEqual([call, false]);
  });

  test('all may find the API, by its one parameter', () => {
    for (const who of ['Reader', 'Operator', 'Admin', 'Kubeconfig']) {
      const [[, [find] = []] = []] = [...allDocuments(petra)].filter(([at]) => at.startsWith(`Api${who}`));
      expect(find?.Action).toEqual(['ssm:GetParameter']);
      expect(find?.Resource).toEqual([expect.stringContaining(':parameter/petra/petra/api"')]);
    }
  });

  test('all policies are among the outputs', () => {
    for (const who of ['Reader', 'Operator', 'Admin', 'Kubeconfig'])
      petra.template.hasOutput(`Petra${who}`, { Value: { Ref: Match.stringLikeRegexp(`^Api${who}`) } });
  });
});
