// Which Petra a command talks to. What is nearer to the command wins: its options, then the environment, then the
// configuration file; when none of them says anything, the Petra of this machine.

import { type Config, configFile, readConfig } from './config-file.ts';
import type { ConnectionOptions } from './connect.ts';
import type { Context } from './context.ts';
import { localFolder } from './state-option.ts';
import { usageError } from './usage.ts';

/** What decided: an option, a variable, the configuration file, or nothing at all. */
export type Decider =
  | '--endpoint'
  | '--local'
  | '--state'
  | 'PETRA_ENDPOINT'
  | 'PETRA_STATE'
  | 'configuration'
  | 'default';

export interface LocalPetra {
  readonly kind: 'local';
  readonly folder: string;
  readonly decidedBy: Decider;
}

export interface RemotePetra {
  readonly kind: 'remote';
  readonly url: string;
  readonly decidedBy: Decider;
  /** Sent as a bearer token; without it requests are signed with AWS credentials. */
  readonly token?: string;
  readonly stack?: string;
  /** To sign for; absent when it has to be found out. */
  readonly region?: { readonly name: string; readonly saidBy: string };
  /** Absent for the usual chain of credentials. */
  readonly profile?: string;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

function checkAddress(address: string, token: string | undefined): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(
      `"${address}" is not the address of a Petra`,
      'Give an http or https URL with --endpoint or PETRA_ENDPOINT.',
    );
  }
  if (url.protocol === 'https:' || loopbackNames.includes(url.hostname)) return;
  throw token === undefined
    ? usageError(
        `what ${url.host} answers, kubeconfigs included, would travel unencrypted`,
        'Use an https address.',
      )
    : usageError(
        `the token would travel to ${url.host} unencrypted`,
        'Use an https address, or unset PETRA_TOKEN.',
      );
}

function remote(
  url: string,
  decidedBy: Decider,
  { profile, region }: ConnectionOptions,
  { token, config }: { readonly token?: string | undefined; readonly config?: Config },
): RemotePetra {
  checkAddress(url, token);
  const profileName = profile ?? config?.profile;
  const regionName = region ?? config?.region;
  return {
    kind: 'remote',
    url,
    decidedBy,
    ...(token === undefined ? {} : { token }),
    ...(config === undefined ? {} : { stack: config.stack }),
    ...(profileName === undefined ? {} : { profile: profileName }),
    ...(regionName === undefined
      ? {}
      : { region: { name: regionName, saidBy: region === undefined ? 'the configuration' : '--region' } }),
  };
}

function local(decidedBy: Decider, options: ConnectionOptions, context: Context): LocalPetra {
  const unfit = options.profile === undefined ? '--region' : '--profile';
  if (options.profile !== undefined || options.region !== undefined) {
    throw usageError(
      `${unfit} is for a Petra on AWS, and this would be the one on this machine`,
      'Choose one on AWS with `petra config use-stack` or --endpoint.',
    );
  }
  return { kind: 'local', folder: localFolder(options, context), decidedBy };
}

/**
 * The Petra that the options, the environment and the configuration mean. Asks nobody.
 * @throws InvalidUsage, and FileUnreadable for a configuration that is not understood
 */
export function whichPetra(options: ConnectionOptions, context: Context): LocalPetra | RemotePetra {
  const { env } = context;
  for (const name of ['profile', 'region'] as const) {
    if (options[name] === '')
      throw usageError(`--${name} is empty`, 'Give its name, or leave the option out.');
  }
  const token = env.PETRA_TOKEN || undefined;
  if (options.endpoint !== undefined) return remote(options.endpoint, '--endpoint', options, { token });
  if (options.local) return local('--local', options, context);
  if (options.state !== undefined) return local('--state', options, context);
  if (env.PETRA_ENDPOINT) return remote(env.PETRA_ENDPOINT, 'PETRA_ENDPOINT', options, { token });
  if (env.PETRA_STATE) return local('PETRA_STATE', options, context);
  const config = readConfig(configFile(env));
  // A stack's API takes signatures only, and PETRA_TOKEN belongs to another Petra.
  if (config) return remote(config.endpoint, 'configuration', options, { config });
  return local('default', options, context);
}

/** `https://… (stack Petra, eu-west-1, profile dev)`. */
export function describeRemote({ url, stack, region, profile }: RemotePetra): string {
  const facts = [stack && `stack ${stack}`, region?.name, profile && `profile ${profile}`].filter(Boolean);
  return facts.length === 0 ? url : `${url} (${facts.join(', ')})`;
}
