// What every route's function is wrapped in: API Gateway's event in, an answer or a problem out, one line of log.
// Events are those of an HTTP API with payload format 2.0:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

import middy from '@middy/core';
import { toProblem } from '../core/api/problem.ts';
import type { ApiRequest, ApiResponse } from '../core/api/request.ts';
import { parseBody } from '../core/api/request-body.ts';
import { PetraError } from '../core/errors.ts';
import { type LogFields, logging } from './logging.ts';
import type { LambdaHandler, Middleware } from './runtime.ts';
import type { WriteLine } from './write-line.ts';

export interface HttpApiEvent {
  readonly routeKey: string;
  readonly rawQueryString: string;
  /** Decoded by API Gateway. */
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly authorizer?: { readonly iam?: { readonly userArn?: string } };
  };
}

export interface HttpApiResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type RouteHandler = LambdaHandler<HttpApiEvent, HttpApiResult>;

/** The function of a route. Leaving out a port that the route names, or adding one, does not compile. */
export function route<P>(
  answer: (ports: P, request: ApiRequest) => Promise<ApiResponse>,
  ports: NoInfer<P>,
  options: { readonly write?: WriteLine } = {},
): RouteHandler {
  return middy<HttpApiEvent, HttpApiResult>({ timeoutEarlyInMillis: 0 })
    .use(problems)
    .use(logging({ about: aboutRequest, outcome: outcomeOfAnswer, refusal: outcomeOfError }, options))
    .handler(async (event: HttpApiEvent) => {
      const { status, body } = await answer(ports, toRequest(event));
      return toResult(status, 'application/json', body);
    }) as RouteHandler;
}

/** @throws Unauthorized, InvalidRequest */
function toRequest(event: HttpApiEvent): ApiRequest {
  const caller = callerOf(event);
  if (caller === undefined) {
    throw new PetraError('Unauthorized', 'the request came without an IAM identity');
  }
  return {
    path: event.pathParameters ?? {},
    // Not `queryStringParameters`, which joins what was given twice with commas.
    query: Object.fromEntries(new URLSearchParams(event.rawQueryString)),
    body: parseBody(Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')),
    caller,
  };
}

function callerOf({ requestContext }: HttpApiEvent): string | undefined {
  return requestContext.authorizer?.iam?.userArn;
}

/** An error as `application/problem+json`. */
const problems: Middleware<HttpApiEvent, HttpApiResult> = {
  onError: (invocation) => {
    const problem = toProblem(invocation.error);
    invocation.response = toResult(problem.status, 'application/problem+json', problem);
  },
};

function toResult(statusCode: number, contentType: string, body: unknown): HttpApiResult {
  return {
    statusCode,
    headers: { 'content-type': contentType, 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  };
}

function aboutRequest(event: HttpApiEvent): LogFields {
  return {
    route: event.routeKey,
    cluster: event.pathParameters?.name,
    operation: event.pathParameters?.id,
    caller: callerOf(event),
  };
}

function outcomeOfAnswer({ statusCode }: HttpApiResult): LogFields {
  return { status: statusCode };
}

function outcomeOfError(error: unknown): LogFields {
  return { status: toProblem(error).status };
}
