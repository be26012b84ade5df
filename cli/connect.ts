import { type Command, Option } from 'commander';
import { ApiClient } from './api-client.ts';
import type { Context } from './context.ts';
import { localClient } from './local-client.ts';
import { readEndpoint } from './local-state.ts';
import { localFolder } from './state-option.ts';
import { usageError } from './usage.ts';
import { version } from './version.ts';

/** Which Petra to talk to. */
export interface ConnectionOptions {
  readonly endpoint?: string;
  readonly local?: boolean;
  readonly state?: string;
}

/** Adds `--endpoint`, `--local` and `--state`. */
export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup('Which Petra:')
    .addOption(
      new Option(
        '--endpoint <url>',
        'address of a Petra (default: PETRA_ENDPOINT; its token: PETRA_TOKEN)',
      ).conflicts(['local', 'state']),
    )
    .addOption(new Option('--local', 'use the Petra on this machine, also when PETRA_ENDPOINT is set'))
    .addOption(
      new Option('--state <folder>', 'state folder of the Petra on this machine (default: PETRA_STATE)'),
    );
}

/** The remote Petra's address; undefined when the local one is meant. */
export function remoteEndpoint(options: ConnectionOptions, context: Context): string | undefined {
  if (options.endpoint !== undefined) return options.endpoint;
  if (options.local || options.state !== undefined) return undefined;
  return context.env.PETRA_ENDPOINT || undefined;
}

function remoteClient(address: string, token: string | undefined): ApiClient {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(
      `"${address}" is not the address of a Petra`,
      'Give an http or https URL with --endpoint or PETRA_ENDPOINT.',
    );
  }
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (token && url.protocol === 'http:' && !loopback) {
    throw usageError(
      `the token would travel to ${url.host} unencrypted`,
      'Use an https address, or unset PETRA_TOKEN.',
    );
  }
  return new ApiClient({ locate: () => ({ url: address, ...(token ? { token } : {}) }) });
}

/** A client for the Petra that the options and the environment mean. Starts nothing. */
export function clientFor(options: ConnectionOptions, context: Context): ApiClient {
  const address = remoteEndpoint(options, context);
  return address === undefined
    ? localClient(localFolder(options, context))
    : remoteClient(address, context.env.PETRA_TOKEN);
}

/** Like `clientFor`, and a local Petra that does not run is started, which is said on stderr. */
export async function connect(options: ConnectionOptions, context: Context): Promise<ApiClient> {
  if (remoteEndpoint(options, context) !== undefined) return clientFor(options, context);

  const folder = localFolder(options, context);
  const running = readEndpoint(folder);
  if (running && running.version !== version) {
    context.output.warn(
      `the local Petra is version ${running.version}, this command ${version}; after \`petra local down\` the next command starts the new one`,
    );
  }
  const start = async () => {
    const { startServer } = await import('./local-server.ts');
    context.output.note('starting a local Petra (simulated AWS and Kubernetes) …');
    const { endpoint } = await startServer(folder, { faults: [] });
    context.output.note(`the local Petra runs at ${endpoint.url}; \`petra local down\` stops it`);
  };
  if (running === undefined) await start();
  return localClient(folder, start);
}
