// Errors as AWS puts them on the wire, for each protocol, with the names that each service uses.

import { randomUUID } from 'node:crypto';
import type { AwsRequest, Protocol } from './aws-request.ts';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An error of this name, as the request's protocol carries it. */
export function refusal(
  { protocol }: Pick<AwsRequest, 'protocol'>,
  status: number,
  name: string,
  message: string,
): WireAnswer {
  const requestId = randomUUID();
  if (protocol === 'json') {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId },
      body: JSON.stringify({ __type: name, message, Message: message }),
    };
  }
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>${xmlError(protocol, status, name, xmlText(message), requestId)}`,
  };
}

function xmlError(
  protocol: Exclude<Protocol, 'json'>,
  status: number,
  name: string,
  message: string,
  requestId: string,
): string {
  const error = `<Code>${name}</Code><Message>${message}</Message>`;
  switch (protocol) {
    case 'ec2':
      return `<Response><Errors><Error>${error}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
    case 's3':
      return `<Error>${error}<RequestId>${requestId}</RequestId></Error>`;
    case 'query': {
      const type = status < 500 ? 'Sender' : 'Receiver';
      return `<ErrorResponse><Error><Type>${type}</Type>${error}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
    }
  }
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** "Slow down", in the words of each service. */
const throttling: Readonly<Record<string, readonly [status: number, name: string]>> = {
  ec2: [503, 'RequestLimitExceeded'],
  s3: [503, 'SlowDown'],
  tag: [400, 'ThrottledException'],
  servicequotas: [400, 'TooManyRequestsException'],
  iam: [400, 'Throttling'],
  elasticloadbalancing: [400, 'Throttling'],
};

/** A fault of the service's own, in its words. */
const internal: Readonly<Record<string, string>> = {
  ec2: 'InternalError',
  s3: 'InternalError',
  dynamodb: 'InternalServerError',
  secretsmanager: 'InternalServiceError',
  ssm: 'InternalServerError',
  servicequotas: 'ServiceException',
  tag: 'InternalServiceException',
  events: 'InternalException',
  states: 'InternalFailure',
  iam: 'ServiceFailure',
  elasticloadbalancing: 'InternalFailure',
};

export function throttled(request: AwsRequest): WireAnswer {
  const [status, name] = throttling[request.service] ?? [400, 'ThrottlingException'];
  return refusal(request, status, name, 'Rate exceeded (asked for by the virtual account).');
}

export function failed(request: AwsRequest): WireAnswer {
  const name = internal[request.service] ?? 'InternalFailure';
  return refusal(request, 500, name, 'An internal error occurred (asked for by the virtual account).');
}

export function unavailable(request: AwsRequest): WireAnswer {
  const name = request.protocol === 'ec2' ? 'Unavailable' : 'ServiceUnavailable';
  return refusal(request, 503, name, 'The service is unavailable (asked for by the virtual account).');
}

export function withoutCapacity(request: AwsRequest): WireAnswer {
  const message = 'We currently do not have sufficient capacity (asked for by the virtual account).';
  return refusal(request, 500, 'InsufficientInstanceCapacity', message);
}

/** What IAM makes a service answer. */
export function denied(request: AwsRequest, principal: string): WireAnswer {
  const action = `${request.service}:${request.action}`;
  const message = `User: ${principal} is not authorized to perform: ${action}`;
  switch (request.protocol) {
    case 'json':
      return refusal(request, 400, 'AccessDeniedException', message);
    case 'ec2':
      return refusal(request, 403, 'UnauthorizedOperation', message);
    default:
      return refusal(request, 403, 'AccessDenied', message);
  }
}
