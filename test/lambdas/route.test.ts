import { describe, expect, test } from 'vitest';
import type { ApiRequest, ApiResponse } from '../../core/api/request.ts';
import { maximumBody } from '../../core/api/request-body.ts';
import { PetraError } from '../../core/errors.ts';
import { type HttpApiEvent, route } from '../../lambdas/route.ts';

const arn = 'arn:aws:sts::123456789012:assumed-role/operator/ada';

function event(parts: Partial<HttpApiEvent> = {}): HttpApiEvent {
  return {
    routeKey: 'POST /clusters/{name}',
    rawQueryString: '',
    isBase64Encoded: false,
    requestContext: { authorizer: { iam: { userArn: arn } } },
    ...parts,
  };
}

/** Asks a route that shows what it was asked, or answers as given. */
async function ask(parts: Partial<HttpApiEvent>, answer?: (request: ApiRequest) => Promise<ApiResponse>) {
  const lines: string[] = [];
  const requests: ApiRequest[] = [];
  const handler = route(
    async (_ports: object, request) => {
      requests.push(request);
      return answer ? answer(request) : { status: 202, body: { fine: true } };
    },
    {},
    { write: (line) => lines.push(line) },
  );
  const { statusCode, headers, body } = await handler(event(parts), {
    functionName: 'petra-api',
    awsRequestId: 'r',
  });
  const log = lines.map((line) => JSON.parse(line));
  return {
    status: statusCode,
    headers,
    body: JSON.parse(body),
    request: requests[0],
    log,
    text: lines.join('\n'),
  };
}

describe('a request', () => {
  test('comes with its path, query, body and caller', async () => {
    const { request, status, headers, body } = await ask({
      pathParameters: { name: 'dev' },
      rawQueryString: 'cascade=true&after=a%2Bb',
      body: '{"spec":1}',
    });
    expect(request).toEqual({
      path: { name: 'dev' },
      query: { cascade: 'true', after: 'a+b' },
      body: { spec: 1 },
      caller: arn,
    });
    expect({ status, body }).toEqual({ status: 202, body: { fine: true } });
    expect(headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  });

  test('may have a body in base64, as API Gateway sends what it takes for binary', async () => {
    const body = Buffer.from('{"name":"größer"}').toString('base64');
    expect((await ask({ body, isBase64Encoded: true })).request?.body).toEqual({ name: 'größer' });
  });

  test('without a body has none', async () => {
    expect((await ask({})).request?.body).toBeUndefined();
  });

  test.each([
    ['is not JSON', { body: '{' }, 400, 'InvalidRequest'],
    ['is too long', { body: JSON.stringify('x'.repeat(maximumBody)) }, 400, 'InvalidRequest'],
    ['has no IAM identity', { requestContext: {} }, 401, 'Unauthorized'],
  ])('that %s is refused before the route', async (_what, parts, status, code) => {
    const answer = await ask(parts);
    expect(answer.request).toBeUndefined();
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });
});

describe('an error of a route', () => {
  test('is a problem with its status, and a line in the log', async () => {
    const { status, body, log } = await ask({ pathParameters: { name: 'dev' } }, async () => {
      throw new PetraError('ClusterNotFound', 'there is no cluster "dev"');
    });
    expect(status).toBe(404);
    expect(body).toMatchObject({
      code: 'ClusterNotFound',
      message: 'there is no cluster "dev"',
      retryable: false,
    });
    expect(log).toEqual([
      expect.objectContaining({
        level: 'WARN',
        route: 'POST /clusters/{name}',
        cluster: 'dev',
        caller: arn,
        outcome: 'failed',
        status: 404,
        code: 'ClusterNotFound',
      }),
    ]);
  });

  test('that nobody foresaw shows no insides to the caller, and all to the log', async () => {
    const { status, body, log } = await ask({}, async () => {
      throw new Error('the password is hunter2');
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(log[0]).toMatchObject({ level: 'ERROR', code: 'InternalError', stack: expect.any(String) });
  });
});

test('neither a request nor an answer is logged whole', async () => {
  const { text, log } = await ask({ body: '{"spec":"mine"}' }, async () => ({
    status: 200,
    body: { kubeconfig: 'secret' },
  }));
  expect(text).not.toMatch(/mine|secret/);
  expect(log[0]).toMatchObject({ outcome: 'succeeded', status: 200 });
});
