// Signs requests to the API (Signature Version 4), and says why a signed one was refused.

import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { PetraError } from '../core/errors.ts';
import { AwsCredentials, type Credentials } from './aws-credentials.ts';
import { regionOfHost } from './aws-hosts.ts';
import { regionOfProfile } from './aws-profiles.ts';
import { askCallerIdentity } from './caller-identity.ts';
import type { Context } from './context.ts';
import { refusal } from './refusal.ts';
import type { GatewayAnswer, Signer, UnsignedRequest } from './signer.ts';
import { usageError } from './usage.ts';
import type { RemotePetra } from './which-petra.ts';

/**
 * Where the requests are to be signed for: what was said, or the API's host tells, or the caller works in.
 * @throws WrongRegion when the first two disagree, InvalidUsage when nothing tells
 */
async function signingRegion(
  { url, region, profile }: Pick<RemotePetra, 'url' | 'region' | 'profile'>,
  env: Context['env'],
): Promise<string> {
  const { hostname } = new URL(url);
  const byHost = regionOfHost(hostname);
  if (region !== undefined && byHost !== undefined && region.name !== byHost) {
    throw new PetraError(
      'WrongRegion',
      `${hostname} is in ${byHost}, and ${region.saidBy} says ${region.name}`,
      {
        fix:
          region.saidBy === '--region'
            ? `Leave --region out, or give the address of a Petra in ${region.name}.`
            : `Run \`petra config use-stack --region ${byHost}\`.`,
      },
    );
  }
  const ambient = env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined;
  const found =
    region?.name ?? byHost ?? ambient ?? (await regionOfProfile(profile ?? (env.AWS_PROFILE || 'default')));
  if (found !== undefined) return found;
  throw usageError(
    `it is not known which region ${hostname} is in`,
    'Give it with --region or AWS_REGION; for a Petra that takes a token, set PETRA_TOKEN.',
  );
}

/** Headers that sign a request to a service. */
export async function signatureOf(
  request: UnsignedRequest,
  credentials: Credentials,
  region: string,
  service: string,
): Promise<Readonly<Record<string, string>>> {
  const { method, url, headers, body } = request;
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...headers, host: url.host },
    body,
  });
  return signed.headers;
}

/** Signs for one Petra, with one caller's credentials. */
export class AwsSigner implements Signer {
  readonly #petra: RemotePetra;
  readonly #context: Context;
  readonly #credentials: AwsCredentials;
  #region: string | undefined;
  /** The key of the last signature. */
  #used = '';

  constructor(petra: RemotePetra, context: Context) {
    this.#petra = petra;
    this.#context = context;
    const { profile } = petra;
    const region = petra.region?.name ?? regionOfHost(new URL(petra.url).hostname);
    this.#credentials = new AwsCredentials({
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { region }),
      env: context.env,
      warn: (text) => context.output.warn(text),
    });
  }

  async sign(request: UnsignedRequest): Promise<Readonly<Record<string, string>>> {
    this.#region ??= await signingRegion(this.#petra, this.#context.env);
    const credentials = await this.#credentials.resolve();
    this.#used = credentials.accessKeyId;
    return await signatureOf(request, credentials, this.#region, 'execute-api');
  }

  /** Long waits outlive credentials whose end is not known; another program may have written new ones into a file. */
  async renew(): Promise<boolean> {
    const used = this.#used;
    const { accessKeyId } = await this.#credentials.renew();
    return accessKeyId !== used;
  }

  async explain(request: UnsignedRequest, answer: GatewayAnswer): Promise<PetraError> {
    const region = this.#region ?? '';
    return await refusal(request, answer, {
      region,
      basePath: new URL(this.#petra.url).pathname.replace(/\/+$/, ''),
      now: new Date(),
      whoAmI: () =>
        askCallerIdentity(region, this.#context.env, async (question) =>
          signatureOf(question, await this.#credentials.resolve(), region, 'sts'),
        ),
      expired: () => this.#credentials.expired(),
    });
  }
}
