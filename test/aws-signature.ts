// Checks signatures of AWS requests (Signature Version 4, in the Authorization header), as AWS describes the algorithm:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Shares nothing with the
// library that signs, so that a mistake in how it is used shows.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** As on the request line, without the query. */
  readonly path: string;
  /** As on the request line, without the question mark. */
  readonly query: string;
  /** By lower-case name, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array;
}

export interface Verifier {
  readonly service: string;
  readonly region: string;
  readonly now: Date;
  /** The secret key of an access key id; undefined for an unknown id, or a session token that is not its own. */
  secretOf(accessKeyId: string, sessionToken: string | undefined): string | undefined;
}

/** Why a signature does not count. */
export type Refusal =
  | 'unsigned'
  | 'malformed'
  | 'wrong-service'
  | 'wrong-region'
  | 'clock-skew'
  | 'unsigned-header'
  | 'unknown-key'
  | 'body-differs'
  | 'signature-differs';

export type Verdict =
  | { readonly valid: true; readonly accessKeyId: string }
  | { readonly valid: false; readonly reason: Refusal; readonly message: string };

/** AWS allows a request to be this old, or this far ahead. */
const allowedSkewMilliseconds = 5 * 60_000;

const algorithm = 'AWS4-HMAC-SHA256';

function refuse(reason: Refusal, message: string): Verdict {
  return { valid: false, reason, message };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Everything but letters, digits and `-._~` as percent and two upper-case digits. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path without empty and dot segments, encoded once more than it travels: so for every service but S3. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  const end = path.endsWith('/') && segments.length > 0 ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

/** Sorted by encoded name, then value. A plus sign is itself: only percents are decoded. */
function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=');
      return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join('=')))] as const;
    });
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return pairs
    .toSorted((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function headerValue(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  const values = typeof value === 'string' ? [value] : value;
  return values.map((one) => one.trim().replace(/ +/g, ' ')).join(',');
}

/** `20261125T103000Z` as a time. */
function parseStamp(stamp: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

interface Authorization {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function parseAuthorization(header: string): Authorization | undefined {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (parts === null) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = parts;
  return { accessKeyId, day, region, service, signedHeaders: names.split(';'), signature };
}

/** Whether a request is signed with the key that it names, for this service and region, and now. */
export function verifySignature(request: SignedRequest, verifier: Verifier): Verdict {
  const header = headerValue(request, 'authorization');
  if (header === undefined) return refuse('unsigned', 'there is no Authorization header');
  const authorization = parseAuthorization(header);
  if (!authorization)
    return refuse('malformed', 'the Authorization header is not one of Signature Version 4');
  const { accessKeyId, day, region, service, signedHeaders, signature } = authorization;

  if (service !== verifier.service)
    return refuse('wrong-service', `signed for ${service}, this is ${verifier.service}`);
  if (region !== verifier.region)
    return refuse('wrong-region', `signed for ${region}, this is ${verifier.region}`);

  const stamp = headerValue(request, 'x-amz-date') ?? '';
  const time = parseStamp(stamp);
  if (Number.isNaN(time) || !stamp.startsWith(day))
    return refuse('malformed', `x-amz-date "${stamp}" is no time of the day ${day}`);
  const skew = time - verifier.now.getTime();
  if (Math.abs(skew) > allowedSkewMilliseconds) {
    return refuse('clock-skew', `signed ${Math.abs(skew) / 1000} s ${skew < 0 ? 'ago' : 'ahead'}`);
  }

  const mustBeSigned = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  const unsigned = mustBeSigned.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) return refuse('unsigned-header', `not signed: ${unsigned.join(', ')}`);
  const absent = signedHeaders.filter((name) => request.headers[name] === undefined);
  if (absent.length > 0 || signedHeaders.join() !== signedHeaders.toSorted().join())
    return refuse('malformed', `signed headers are absent or not sorted: ${signedHeaders.join(';')}`);

  const secret = verifier.secretOf(accessKeyId, headerValue(request, 'x-amz-security-token'));
  if (secret === undefined) return refuse('unknown-key', `no such key or session: ${accessKeyId}`);

  const bodyHash = sha256(request.body);
  const statedHash = headerValue(request, 'x-amz-content-sha256');
  if (statedHash !== undefined && statedHash !== bodyHash)
    return refuse('body-differs', 'x-amz-content-sha256 is that of another body');

  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${headerValue(request, name) ?? ''}`),
    '',
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = [algorithm, stamp, scope, sha256(canonicalRequest)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Uint8Array>(hmac, `AWS4${secret}`);
  const expected = hmac(key, toSign);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
    ? { valid: true, accessKeyId }
    : refuse('signature-differs', `the signature is not that of this request:\n${canonicalRequest}`);
}
