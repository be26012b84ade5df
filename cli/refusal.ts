// Why API Gateway refused a signed request. An HTTP API says "Forbidden" to everything: missing permission, expired
// token, wrong signature. REST APIs, and proxies that look like them, say more; both are understood.
// https://repost.aws/knowledge-center/api-gateway-iam-sigv4-mismatch has the words of REST APIs.

import { PetraError } from '../core/errors.ts';
import { isObject } from '../core/json-fields.ts';
import { apiOfHost, partitionOf, regionOfHost } from './aws-hosts.ts';
import type { CallerIdentity } from './caller-identity.ts';
import { formatDuration } from './durations.ts';
import type { GatewayAnswer, UnsignedRequest } from './signer.ts';

export interface Signature {
  readonly region: string;
  /** What the API's address has before the routes, without a slash at its end. */
  readonly basePath: string;
  readonly now: Date;
  whoAmI(): Promise<CallerIdentity>;
  expired(): Promise<PetraError>;
}

/** AWS takes signatures from five minutes before its own time to five minutes after. */
const allowedSkewSeconds = 300;

/** How far this machine's clock is ahead of the answer's, in seconds. */
function clockSkewSeconds(answer: GatewayAnswer, now: Date): number {
  const there = Date.parse(String(answer.headers.date ?? ''));
  return Number.isNaN(there) ? 0 : Math.round((now.getTime() - there) / 1000);
}

function whatWasSaid(answer: GatewayAnswer): string {
  let message: unknown;
  try {
    const body: unknown = JSON.parse(answer.body);
    if (isObject(body)) message = body.message ?? body.Message;
  } catch {
    message = answer.body.slice(0, 200);
  }
  return [answer.headers['x-amzn-errortype'], message].filter((part) => part !== undefined).join(': ');
}

/**
 * What a policy has to allow. A stage is the first part of the path, and `$default` when there is none.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
 */
function invokeArn(
  { method, url }: UnsignedRequest,
  { region, basePath }: Signature,
  account: string,
): string {
  const api = apiOfHost(url.hostname);
  // A domain of one's own tells neither the API nor its stage.
  const stage = api === undefined ? '*' : basePath.replace(/^\//, '') || '$default';
  const route = url.pathname.slice(basePath.length);
  return `arn:${partitionOf(region)}:execute-api:${region}:${account}:${api ?? '*'}/${stage}/${method}${route}`;
}

/** The error for an answer 401 or 403 that is not Petra's own. */
export async function refusal(
  request: UnsignedRequest,
  answer: GatewayAnswer,
  signature: Signature,
): Promise<PetraError> {
  const said = whatWasSaid(answer);
  const evidence = [`${request.url.host} answered ${answer.status}: ${said || 'nothing'}`];
  const { region } = signature;
  const { hostname } = request.url;

  const skew = clockSkewSeconds(answer, signature.now);
  if (Math.abs(skew) > allowedSkewSeconds) {
    return new PetraError(
      'ClockSkewed',
      `this machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} that of ${hostname}; AWS refuses signatures that are 5m off`,
      { evidence },
    );
  }
  if (/should be scoped to a valid region/i.test(said)) {
    return new PetraError(
      'WrongRegion',
      `the request was signed for ${region}, and ${hostname} is in another region`,
      {
        evidence,
      },
    );
  }
  if (/token included in the request is expired|ExpiredToken/i.test(said)) return await signature.expired();

  const caller = await signature.whoAmI();
  if (caller.kind === 'refused') {
    return /Expired/.test(caller.code)
      ? await signature.expired()
      : new PetraError('CredentialsRefused', `AWS does not accept the credentials (${caller.code})`, {
          evidence,
        });
  }
  if (caller.kind === 'unanswered') {
    evidence.push('AWS could not be asked who the caller is: the credentials may also be expired or wrong');
  }
  if (regionOfHost(hostname) === undefined) {
    evidence.push(`the request was signed for ${region}; if ${hostname} is elsewhere, say so with --region`);
  }
  const arn = invokeArn(request, signature, caller.kind === 'known' ? caller.account : '*');
  const who = caller.kind === 'known' ? caller.arn : 'the caller';
  return new PetraError(
    'PermissionMissing',
    `${who} may not call ${request.method} ${request.url.pathname} of this Petra`,
    {
      evidence,
      fix: `Allow the action execute-api:Invoke on ${arn}, or choose other credentials with --profile.`,
      details: { action: 'execute-api:Invoke', resource: arn },
    },
  );
}
