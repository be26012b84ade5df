// AWS as the command line uses it: STS, SSO and Systems Manager, and the signature check of API Gateway. Every request,
// but those for SSO, must be signed with one of the account's keys.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SignedRequest, type Verdict, verifySignature } from '../aws-signature.ts';
import type { Answer } from './stub-api.ts';

export const account = '123456789012';
export const region = 'eu-west-1';

export interface StubKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly isExpired?: boolean;
}

/** The key that tests use when it does not matter which. */
export const goodKey = { id: 'AKIDGOOD', secretAccessKey: 'good/secret+key' } as const;

/** Of a person who has logged in. */
export const ssoToken = 'sso-token';

/** What an HTTP API answers to whatever is not allowed. */
const forbidden: Answer = { status: 403, body: { message: 'Forbidden' } };

export class StubAws {
  readonly keys = new Map<string, StubKey>([[goodKey.id, goodKey]]);
  /** Parameters of Systems Manager. */
  readonly parameters = new Map<string, string>();
  /** Roles that may be taken, and the key that each gives. */
  readonly roles = new Map<string, string>();
  /** Whether the caller may read parameters. */
  mayRead = true;
  /** Signatures that did not count, in the words of the check. */
  readonly refused: Extract<Verdict, { valid: false }>[] = [];
  /** Key ids that let API requests through, in order. */
  readonly accepted: string[] = [];
  #server: Server | undefined;
  #port = 0;

  /** What makes the command line ask this account, and nobody else. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${this.#port}`,
      AWS_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** The same with the good key in the environment. */
  get envWithKey(): Record<string, string> {
    return {
      ...this.env,
      AWS_ACCESS_KEY_ID: goodKey.id,
      AWS_SECRET_ACCESS_KEY: goodKey.secretAccessKey,
    };
  }

  /** The gate of an API in this account: IAM authorization of an HTTP API, where every known caller may do everything. */
  readonly gate = (request: SignedRequest): Answer | undefined => {
    const verdict = this.#verify(request, 'execute-api');
    if (!verdict.valid) {
      this.refused.push(verdict);
      return forbidden;
    }
    this.accepted.push(verdict.accessKeyId);
    return undefined;
  };

  async open(): Promise<this> {
    const server = createServer((request, response) => void this.#respond(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address: AddressInfo | string | null = server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
    return this;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
  }

  #verify(request: SignedRequest, service: string, inRegion = region): Verdict {
    return verifySignature(request, {
      service,
      region: inRegion,
      now: new Date(),
      secretOf: (id, token) => {
        const key = this.keys.get(id);
        return key !== undefined && !key.isExpired && key.sessionToken === token
          ? key.secretAccessKey
          : undefined;
      },
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks).toString('utf8');
    const { headers, method = '' } = request;
    const signed: SignedRequest = { method, path: request.url ?? '/', query: '', headers, body };
    const target = String(headers['x-amz-target'] ?? '');
    if (signed.path.startsWith('/federation/')) this.#singleSignOn(signed, response);
    else if (target.startsWith('AmazonSSM.')) this.#systemsManager(target, signed, response);
    else this.#securityTokens(signed, response);
  }

  /** Why a signature does not count, as services other than API Gateway say it. */
  #errorCode(request: SignedRequest): string {
    const id = /Credential=([^/]+)/.exec(String(request.headers.authorization))?.[1] ?? '';
    if (this.keys.get(id)?.isExpired) return 'ExpiredTokenException';
    return this.keys.has(id) ? 'SignatureDoesNotMatch' : 'UnrecognizedClientException';
  }

  #securityTokens(request: SignedRequest, response: ServerResponse): void {
    // STS is in every region, and the account is the same in all of them.
    const signedFor = /Credential=[^/]+\/\d+\/([^/]+)/.exec(String(request.headers.authorization))?.[1];
    const verdict = this.#verify(request, 'sts', signedFor);
    if (!verdict.valid) {
      const code = this.#errorCode(request).replace('ExpiredTokenException', 'ExpiredToken');
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(`<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code></Error></ErrorResponse>`);
      return;
    }
    const asked = new URLSearchParams(String(request.body));
    if (asked.get('Action') === 'AssumeRole') {
      this.#assumeRole(asked.get('RoleArn') ?? '', response);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(
      `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::${account}:user/ada</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    );
  }

  #assumeRole(role: string, response: ServerResponse): void {
    const id = this.roles.get(role);
    if (id === undefined) {
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(
        '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>',
      );
      return;
    }
    const { secretAccessKey = '', sessionToken = '' }: Partial<StubKey> = this.keys.get(id) ?? {};
    const end = new Date(Date.now() + 3_600_000).toISOString();
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  }

  /** Gives the role named in the query, to whoever has the one token. */
  #singleSignOn({ path, headers }: SignedRequest, response: ServerResponse): void {
    const role = new URL(path, 'http://stub').searchParams.get('role_name') ?? '';
    const id = this.roles.get(role);
    const key = this.keys.get(id ?? '');
    const isKnown = headers['x-amz-sso_bearer_token'] === ssoToken;
    const type = !isKnown ? 'UnauthorizedException' : id === undefined ? 'ForbiddenException' : '';
    response.writeHead(!isKnown ? 401 : id === undefined ? 403 : 200, {
      'content-type': 'application/json',
      ...(type === '' ? {} : { 'x-amzn-errortype': type }),
    });
    response.end(
      JSON.stringify(
        type === ''
          ? { roleCredentials: { accessKeyId: id, ...key, expiration: Date.now() + 3_600_000 } }
          : { message: 'No access' },
      ),
    );
  }

  #systemsManager(target: string, request: SignedRequest, response: ServerResponse): void {
    const answer = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(value));
    };
    if (!this.#verify(request, 'ssm').valid) {
      answer(400, { __type: this.#errorCode(request), message: 'The signature does not count.' });
      return;
    }
    if (!this.mayRead) {
      answer(400, {
        __type: 'AccessDeniedException',
        message: 'not authorized to perform: ssm:GetParameter',
      });
      return;
    }
    const parameters = [...this.parameters].map(([Name, Value]) => ({ Name, Value, Type: 'String' }));
    if (target === 'AmazonSSM.GetParametersByPath') {
      answer(200, { Parameters: parameters });
      return;
    }
    const { Name }: { Name?: string } = JSON.parse(String(request.body));
    const found = parameters.find((parameter) => parameter.Name === Name);
    if (found) answer(200, { Parameter: found });
    else answer(400, { __type: 'ParameterNotFound' });
  }
}

/** An answer that says it was given so many seconds from now. */
export function answeredAt(seconds: number): Answer {
  return { ...forbidden, headers: { date: new Date(Date.now() + seconds * 1000).toUTCString() } };
}
