// Finds stacks of Petra in the caller's AWS account.

import { AwsCredentials } from './aws-credentials.ts';
import { regionOfProfile } from './aws-profiles.ts';
import { signatureOf } from './aws-signer.ts';
import { askCallerIdentity } from './caller-identity.ts';
import type { Context } from './context.ts';
import { type ParameterSource, readStackApi, type StackApi, stackNames } from './stack-parameter.ts';
import { usageError } from './usage.ts';

export interface AwsOptions {
  readonly profile?: string;
  readonly region?: string;
}

/** The region to look in: as said, or where the caller works. @throws InvalidUsage when nothing tells */
async function regionToSearch({ profile, region }: AwsOptions, env: Context['env']): Promise<string> {
  const found =
    region ??
    (env.AWS_REGION ||
      env.AWS_DEFAULT_REGION ||
      (await regionOfProfile(profile ?? (env.AWS_PROFILE || 'default'))));
  if (found) return found;
  throw usageError('it is not known in which region to look', 'Give the region of the stack with --region.');
}

/** Looks with the credentials and in the region that the options and the environment mean. */
export class StackFinder {
  readonly #options: AwsOptions;
  readonly #context: Context;
  #source: ParameterSource | undefined;

  constructor(options: AwsOptions, context: Context) {
    this.#options = options;
    this.#context = context;
  }

  /** How to reach a stack's API. @throws StackNotFound, PermissionMissing, CredentialsMissing … */
  async find(stack: string): Promise<StackApi> {
    return await readStackApi(stack, await this.#parameters());
  }

  /** The stacks there are, as far as the caller may list them. */
  async names(): Promise<readonly string[]> {
    return await stackNames(await this.#parameters());
  }

  async #parameters(): Promise<ParameterSource> {
    this.#source ??= await this.#makeSource();
    return this.#source;
  }

  async #makeSource(): Promise<ParameterSource> {
    const { env, output } = this.#context;
    const { profile } = this.#options;
    const region = await regionToSearch(this.#options, env);
    const credentials = new AwsCredentials({
      ...(profile === undefined ? {} : { profile }),
      region,
      env,
      warn: (text) => output.warn(text),
    });
    return {
      region,
      credentials: () => credentials.resolve(),
      expired: (cause) => credentials.expired(cause),
      whoAmI: () =>
        askCallerIdentity(region, env, async (request) =>
          signatureOf(request, await credentials.resolve(), region, 'sts'),
        ),
    };
  }
}
