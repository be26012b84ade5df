// Who the caller is to AWS. API Gateway refuses expired credentials and missing permissions with the same word;
// GetCallerIdentity, which needs no permission, tells them apart.

import type { IncomingMessage } from 'node:http';
import { domainOf } from './aws-hosts.ts';
import type { UnsignedRequest } from './signer.ts';

export type CallerIdentity =
  | { readonly kind: 'known'; readonly arn: string; readonly account: string }
  /** AWS does not take the credentials, and says why by this code. */
  | { readonly kind: 'refused'; readonly code: string }
  /** The question itself could not be asked. */
  | { readonly kind: 'unanswered' };

/** The answer only makes a message better, so nobody waits long for it. */
const limitMilliseconds = 4000;

function endpointOf(region: string, env: Readonly<Record<string, string | undefined>>): string {
  return env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL || `https://sts.${region}.${domainOf(region)}`;
}

function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function send(request: UnsignedRequest, headers: Readonly<Record<string, string>>): Promise<string> {
  const { url, method, body } = request;
  const module =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http');
  return new Promise((resolve, reject) => {
    const options = {
      method,
      headers,
      agent: false,
      signal: AbortSignal.timeout(limitMilliseconds),
    } as const;
    const sent = module.request(url, options, (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Who signs with `sign`, which is given a request to STS. Never fails. */
export async function askCallerIdentity(
  region: string,
  env: Readonly<Record<string, string | undefined>>,
  sign: (request: UnsignedRequest) => Promise<Readonly<Record<string, string>>>,
): Promise<CallerIdentity> {
  try {
    const request: UnsignedRequest = {
      method: 'POST',
      url: new URL('/', endpointOf(region, env)),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    };
    const xml = await send(request, { ...request.headers, ...(await sign(request)) });
    const [arn, account, code] = [element(xml, 'Arn'), element(xml, 'Account'), element(xml, 'Code')];
    if (arn !== undefined && account !== undefined) return { kind: 'known', arn, account };
    return code === undefined ? { kind: 'unanswered' } : { kind: 'refused', code };
  } catch {
    return { kind: 'unanswered' };
  }
}
