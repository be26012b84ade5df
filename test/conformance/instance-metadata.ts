// A stand-in for EC2's instance metadata service, version 2 only, as machines of Petra have it: first a token, then what
// the machine is, and keys of its role. It stands for one machine, whoever asks.

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenOn, stopServer } from '../virtual-account/loopback.ts';
import type { Credentials } from '../virtual-account/principals.ts';

/** The machine that the service tells of. */
export interface DescribedInstance {
  readonly id: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly instanceType: string;
  readonly privateAddress: string;
  readonly hostName: string;
  readonly account: string;
  /** Name of the role, not its ARN. */
  readonly role: string;
}

interface Answer {
  readonly status: number;
  readonly text?: string;
  /** Of a token. */
  readonly lifetimeSeconds?: number;
}

const metadata = '/latest/meta-data/';
const tokenPath = '/latest/api/token';
const identityPath = '/latest/dynamic/instance-identity/document';
const tokenHeader = 'x-aws-ec2-metadata-token';
const lifetimeHeader = 'x-aws-ec2-metadata-token-ttl-seconds';
const longestTokenSeconds = 21_600;
/** AWS renews a role's keys long before they end; clients ask again some minutes before. */
const keysLastMilliseconds = 6 * 60 * 60 * 1000;

export class InstanceMetadata {
  readonly #parts: {
    readonly instance: DescribedInstance;
    /** Keys of the role; asked for once. */
    readonly admit: () => Credentials;
    readonly now?: () => Date;
  };
  readonly #tokens = new Map<string, number>();
  #server: Server | undefined;
  #keys: Credentials | undefined;
  /** What was asked without a token, which a machine of Petra refuses. */
  readonly refused: string[] = [];

  constructor(parts: {
    readonly instance: DescribedInstance;
    readonly admit: () => Credentials;
    readonly now?: () => Date;
  }) {
    this.#parts = parts;
  }

  /** Begins to listen, by default where every EC2 machine finds the service. The address that it got. */
  async start({ address = '169.254.169.254', port = 80 } = {}): Promise<string> {
    const server = createServer((request, response) => {
      request.resume();
      send(response, this.#answer(request));
    });
    const bound = await listenOn(server, { address, port });
    this.#server = server;
    return `http://${address}:${bound}`;
  }

  async stop(): Promise<void> {
    await stopServer(this.#server);
  }

  #answer({ method = 'GET', url = '/', headers }: IncomingMessage): Answer {
    const { pathname } = new URL(url, 'http://metadata');
    if (pathname === tokenPath) {
      if (method !== 'PUT') return { status: 405 };
      // Requests that came through a proxy get none: they may be forged.
      if (headers['x-forwarded-for'] !== undefined) return { status: 403 };
      return this.#token(Number(headers[lifetimeHeader]));
    }
    if (method !== 'GET' && method !== 'HEAD') return { status: 405 };
    if (!this.#isKnown(headers[tokenHeader])) {
      this.refused.push(pathname);
      return { status: 401 };
    }
    const text = this.#read(pathname);
    return text === undefined ? { status: 404 } : { status: 200, text };
  }

  #token(lifetimeSeconds: number): Answer {
    if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > longestTokenSeconds)
      return { status: 400 };
    const text = randomBytes(40).toString('base64');
    this.#tokens.set(text, this.#now().getTime() + lifetimeSeconds * 1000);
    return { status: 200, text, lifetimeSeconds };
  }

  #isKnown(token: string | readonly string[] | undefined): boolean {
    const ends = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    return ends !== undefined && ends > this.#now().getTime();
  }

  #read(path: string): string | undefined {
    const { instance } = this.#parts;
    if (path === identityPath || path === `${identityPath}/`) return this.#identity();
    if (!path.startsWith(metadata)) return undefined;
    switch (path.slice(metadata.length).replace(/\/$/, '')) {
      case 'instance-id':
        return instance.id;
      case 'instance-type':
        return instance.instanceType;
      case 'placement/region':
        return instance.region;
      case 'placement/availability-zone':
        return instance.availabilityZone;
      case 'local-ipv4':
        return instance.privateAddress;
      case 'local-hostname':
      case 'hostname':
        return instance.hostName;
      case 'iam/security-credentials':
        return instance.role;
      case `iam/security-credentials/${instance.role}`:
        return this.#credentials();
      default:
        return undefined;
    }
  }

  #identity(): string {
    const { instance } = this.#parts;
    return JSON.stringify({
      version: '2017-09-30',
      accountId: instance.account,
      region: instance.region,
      availabilityZone: instance.availabilityZone,
      instanceId: instance.id,
      instanceType: instance.instanceType,
      privateIp: instance.privateAddress,
      architecture: 'x86_64',
    });
  }

  /** Dates without fractions of a second, as Go's SDK reads them. */
  #credentials(): string {
    this.#keys ??= this.#parts.admit();
    const { accessKeyId, secretAccessKey } = this.#keys;
    const now = this.#now();
    return JSON.stringify({
      Code: 'Success',
      LastUpdated: seconds(now),
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: 'the-virtual-account-reads-none',
      Expiration: seconds(new Date(now.getTime() + keysLastMilliseconds)),
    });
  }

  #now(): Date {
    return this.#parts.now?.() ?? new Date();
  }
}

function seconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function send(response: ServerResponse, { status, text = '', lifetimeSeconds }: Answer): void {
  if (lifetimeSeconds !== undefined) response.setHeader(lifetimeHeader, String(lifetimeSeconds));
  response.writeHead(status, { 'content-type': 'text/plain', server: 'EC2ws' }).end(text);
}
