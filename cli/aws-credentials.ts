// The caller's AWS credentials, by the usual chain: environment, profile (SSO, roles, credential_process, keys), web
// identity, the role of a container or instance. What the SDK throws on the way becomes an error of Petra here.

import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { PetraError } from '../core/errors.ts';
import { nearest } from '../core/nearest-word.ts';
import { loadProfiles, loginKind, type Profiles } from './aws-profiles.ts';
import { causesOf } from './problem.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface CredentialSettings {
  /** As an option or the configuration says; the environment may name another. */
  readonly profile?: string;
  /** Where to ask for the credentials of a role. */
  readonly region?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (text: string) => void;
}

/** Credentials that stay valid: found at the first use, and found again shortly before they expire. */
export class AwsCredentials {
  readonly #settings: CredentialSettings;
  #provider: ReturnType<typeof defaultProvider> | undefined;
  /** Why each place had no credentials: the chain itself reports only that none had. */
  #tried: string[] = [];

  constructor(settings: CredentialSettings) {
    this.#settings = settings;
  }

  /** The profile in use, if any. */
  get profile(): string | undefined {
    return this.#settings.profile ?? (this.#settings.env.AWS_PROFILE || undefined);
  }

  /** @throws CredentialsMissing, CredentialsExpired, CredentialsRefused, PermissionMissing, PetraUnreachable */
  async resolve(): Promise<Credentials> {
    this.#refuseExpiredEnvironment();
    const provider = this.#provider ?? this.#makeProvider();
    this.#provider = provider;
    this.#tried = [];
    try {
      return await provider();
    } catch (error) {
      throw await this.#translate(error);
    }
  }

  /** What is there now, when something else may have renewed a file since it was read. */
  async renew(): Promise<Credentials> {
    this.#provider = undefined;
    return await this.resolve();
  }

  /** @throws CredentialsExpired with what renews these credentials */
  async expired(cause?: unknown): Promise<PetraError> {
    const { profile } = this;
    const whose =
      profile === undefined ? 'the AWS credentials' : `the AWS credentials of profile "${profile}"`;
    return new PetraError('CredentialsExpired', `${whose} have expired`, {
      fix: await this.#howToRenew(),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #makeProvider() {
    const { profile, region, warn } = this.#settings;
    const silent = () => undefined;
    return defaultProvider({
      ...(profile === undefined ? {} : { profile }),
      ...(region === undefined ? {} : { parentClientConfig: { region } }),
      ignoreCache: true,
      // The one thing it warns of is this; its own text is for programmers.
      logger: {
        debug: (...words) => this.#noteTry(words.join(' ')),
        info: silent,
        error: silent,
        warn: () => {
          if (profile === undefined) {
            warn('AWS_PROFILE and AWS_ACCESS_KEY_ID are both set; the profile is used');
          }
        },
      },
    });
  }

  /** Of the metadata service, which is asked last and seldom there, nothing is worth a word. */
  #noteTry(text: string): void {
    const [, reason] = /^@smithy\/property-provider \S+ (.*)$/s.exec(text) ?? [];
    if (reason !== undefined && !/metadata/i.test(reason)) this.#tried.push(reason);
  }

  /** The provider would look at them again and again, without end. */
  #refuseExpiredEnvironment(): void {
    const { AWS_ACCESS_KEY_ID: key, AWS_CREDENTIAL_EXPIRATION: end } = this.#settings.env;
    if (this.profile !== undefined || !key || !end || !(Date.parse(end) <= Date.now())) return;
    throw new PetraError('CredentialsExpired', `the AWS credentials of the environment expired at ${end}`, {
      fix: 'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to new ones, then run the same command again.',
    });
  }

  async #howToRenew(): Promise<string> {
    const { env } = this.#settings;
    const again = 'then run the same command again.';
    if (this.profile === undefined && env.AWS_ACCESS_KEY_ID) {
      return `Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to new ones, ${again}`;
    }
    const profile = this.profile ?? 'default';
    const option = profile === 'default' ? '' : ` --profile ${profile}`;
    const kind = loginKind(profile, await loadProfiles());
    if (kind === 'sso') return `Run \`aws sso login${option}\`, ${again}`;
    if (kind === 'login') return `Run \`aws login${option}\`, ${again}`;
    if (kind === 'process')
      return `Renew them where the credential_process of the profile gets them, ${again}`;
    return `Renew the credentials of profile "${profile}", ${again}`;
  }

  /** The SDK tells most of these apart only by their words. */
  async #translate(error: unknown): Promise<PetraError> {
    if (error instanceof PetraError) return error;
    const name = error instanceof Error ? error.name : '';
    const causes = error instanceof Error ? causesOf(error) : [];
    const said = [name, String(error), ...causes, ...this.#tried].join(' ');
    const profiles = await loadProfiles();
    const { profile } = this;
    if (profile !== undefined && profiles[profile] === undefined)
      return unknownProfile(profile, profiles, error);
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|TimeoutError/.test(said)) {
      return new PetraError('PetraUnreachable', 'AWS cannot be reached to get credentials', {
        cause: error,
        fix: 'Check the network, then run the same command again.',
      });
    }
    if (
      /expired|\bsso login\b|\baws login\b|reauthenticate|not found or is invalid|failed to load (?:a )?token|UnauthorizedException/i.test(
        said,
      )
    ) {
      return await this.expired(error);
    }
    if (/AccessDenied|ForbiddenException|not authorized to perform|No access/.test(said)) {
      return new PetraError(
        'PermissionMissing',
        `AWS does not give out the credentials of ${this.#whose()}`,
        {
          cause: error,
          fix: 'Let the role be assigned to you, or its trust policy name you; then run the same command again.',
        },
      );
    }
    if (/InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch/.test(said)) {
      return new PetraError('CredentialsRefused', `AWS does not know the credentials of ${this.#whose()}`, {
        cause: error,
      });
    }
    const isMade = loginKind(profile ?? 'default', profiles) === 'process';
    return isMade ? this.#unmade(error) : this.#missing(error);
  }

  #whose(): string {
    return this.profile === undefined ? 'this environment' : `profile "${this.profile}"`;
  }

  #unmade(cause: unknown): PetraError {
    const said = this.#tried.filter((reason) => /credential_process|Command failed/.test(reason));
    return new PetraError(
      'CredentialsMissing',
      `the credential_process of ${this.#whose()} gave no AWS credentials`,
      {
        cause,
        evidence: said,
        fix: 'Correct the command in the AWS configuration, or choose another --profile.',
      },
    );
  }

  #missing(cause: unknown): PetraError {
    const { env } = this.#settings;
    const profile = this.profile ?? 'default';
    const files = [
      env.AWS_CONFIG_FILE || '~/.aws/config',
      env.AWS_SHARED_CREDENTIALS_FILE || '~/.aws/credentials',
    ];
    const option = profile === 'default' ? '' : ` --profile ${profile}`;
    return new PetraError('CredentialsMissing', `no AWS credentials were found for ${this.#whose()}`, {
      cause,
      evidence: [
        ...(this.profile === undefined ? ['looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'] : []),
        `looked for credentials of profile "${profile}" in ${files.join(' and ')}`,
        'looked for AWS_WEB_IDENTITY_TOKEN_FILE, and the role of a container or an instance',
      ],
      fix: `Run \`aws configure sso${option}\` once, then \`aws sso login${option}\`, or choose a profile with --profile; for a Petra that takes a token, set PETRA_TOKEN.`,
    });
  }
}

function unknownProfile(profile: string, profiles: Profiles, cause: unknown): PetraError {
  const names = Object.keys(profiles);
  const near = nearest(profile, names);
  return new PetraError('CredentialsMissing', `there is no profile "${profile}" in the AWS configuration`, {
    cause,
    evidence: [names.length === 0 ? 'it has no profiles' : `it has: ${names.join(', ')}`],
    fix: `${near === undefined ? '' : `Did you mean "${near}"? `}\`aws configure sso --profile ${profile}\` makes the profile.`,
  });
}
