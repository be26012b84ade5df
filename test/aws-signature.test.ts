import { describe, expect, it } from 'vitest';
import { type Refusal, type SignedRequest, type Verifier, verifySignature } from './aws-signature.ts';

// Keys, time and signatures are those of AWS's own published examples.
const key = 'AKIDEXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

const verifier: Verifier = {
  service: 'service',
  region: 'us-east-1',
  now: new Date('2015-08-30T12:36:00Z'),
  secretOf: (id, token) => (id === key && token === undefined ? secret : undefined),
};

function signed(
  signature: string,
  change: Partial<SignedRequest> = {},
  { service = 'service', headers = 'host;x-amz-date' } = {},
): SignedRequest {
  return {
    method: 'GET',
    path: '/',
    query: '',
    body: '',
    ...change,
    headers: {
      host: 'example.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20150830/us-east-1/${service}/aws4_request, SignedHeaders=${headers}, Signature=${signature}`,
      ...change.headers,
    },
  };
}

const getVanilla = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';

describe('the signatures of AWS’s own examples count', () => {
  it('GET without anything', () => {
    expect(verifySignature(signed(getVanilla), verifier)).toEqual({ valid: true, accessKeyId: key });
  });

  it('POST without a body', () => {
    const request = signed('5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b', {
      method: 'POST',
    });
    expect(verifySignature(request, verifier).valid).toBe(true);
  });

  it('GET with a query that has to be sorted', () => {
    const request = signed('b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500', {
      query: 'Param2=value2&Param1=value1',
    });
    expect(verifySignature(request, verifier).valid).toBe(true);
  });

  it('ListUsers of IAM', () => {
    const request = signed(
      '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      {
        query: 'Action=ListUsers&Version=2010-05-08',
        headers: {
          host: 'iam.amazonaws.com',
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        },
      },
      { service: 'iam', headers: 'content-type;host;x-amz-date' },
    );
    expect(verifySignature(request, { ...verifier, service: 'iam' }).valid).toBe(true);
  });
});

describe('a signature does not count', () => {
  const good = signed(getVanilla);
  const withHeaders = (headers: SignedRequest['headers']): SignedRequest => ({
    ...good,
    headers: { ...good.headers, ...headers },
  });
  const minutes = (count: number) => new Date(verifier.now.getTime() + count * 60_000);

  it.for<{ what: string; reason: Refusal; request?: SignedRequest; by?: Partial<Verifier> }>([
    { what: 'when there is none', reason: 'unsigned', request: withHeaders({ authorization: undefined }) },
    {
      what: 'when it is a bearer token',
      reason: 'malformed',
      request: withHeaders({ authorization: 'Bearer x' }),
    },
    { what: 'for another service', reason: 'wrong-service', by: { service: 'execute-api' } },
    { what: 'for another region', reason: 'wrong-region', by: { region: 'eu-west-1' } },
    { what: 'six minutes later', reason: 'clock-skew', by: { now: minutes(6) } },
    { what: 'six minutes before', reason: 'clock-skew', by: { now: minutes(-6) } },
    { what: 'with an unknown key', reason: 'unknown-key', by: { secretOf: () => undefined } },
    { what: 'with another secret', reason: 'signature-differs', by: { secretOf: () => 'x' } },
    { what: 'for another method', reason: 'signature-differs', request: { ...good, method: 'PUT' } },
    { what: 'for another path', reason: 'signature-differs', request: { ...good, path: '/a' } },
    { what: 'for another query', reason: 'signature-differs', request: { ...good, query: 'a=1' } },
    { what: 'for another body', reason: 'signature-differs', request: { ...good, body: 'x' } },
    { what: 'for another host', reason: 'signature-differs', request: withHeaders({ host: 'example.org' }) },
    {
      what: 'with an unsigned session token',
      reason: 'unsigned-header',
      request: withHeaders({ 'x-amz-security-token': 'token' }),
    },
    {
      what: 'without the host signed',
      reason: 'unsigned-header',
      request: signed(getVanilla, {}, { headers: 'x-amz-date' }),
    },
  ])('$what', ({ reason, request = good, by = {} }) => {
    expect(verifySignature(request, { ...verifier, ...by })).toMatchObject({ valid: false, reason });
  });

  it('when the hash of the body is stated wrongly', () => {
    const request = signed(
      getVanilla,
      { headers: { 'x-amz-content-sha256': '0'.repeat(64) } },
      { headers: 'host;x-amz-content-sha256;x-amz-date' },
    );
    expect(verifySignature(request, verifier)).toMatchObject({ valid: false, reason: 'body-differs' });
  });
});
