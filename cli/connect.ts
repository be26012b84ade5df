import { type Command, Option } from 'commander';
import { ApiClient } from './api-client.ts';
import type { Context } from './context.ts';
import { localClient } from './local-client.ts';
import { readEndpoint } from './local-state.ts';
import type { Signer } from './signer.ts';
import { version } from './version.ts';
import { describeRemote, type RemotePetra, whichPetra } from './which-petra.ts';

/** Which Petra to talk to. */
export interface ConnectionOptions {
  readonly endpoint?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly local?: boolean;
  readonly state?: string;
}

/** Adds `--endpoint`, `--profile`, `--region`, `--local` and `--state`. */
export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup('Which Petra:')
    .addOption(
      new Option(
        '--endpoint <url>',
        'address of a Petra (default: PETRA_ENDPOINT, else the stack of `petra config use-stack`)',
      ).conflicts(['local', 'state']),
    )
    .addOption(
      new Option(
        '--profile <name>',
        'AWS profile to sign requests with (default: the one of use-stack, else AWS_PROFILE)',
      ).conflicts(['local', 'state']),
    )
    .addOption(
      new Option('--region <name>', 'AWS region of the Petra, when its address does not tell').conflicts([
        'local',
        'state',
      ]),
    )
    .addOption(new Option('--local', 'use the Petra on this machine, whatever else is configured'))
    .addOption(
      new Option('--state <folder>', 'state folder of the Petra on this machine (default: PETRA_STATE)'),
    );
}

/** Loads what signs when the first request is signed: it is larger than all the rest of the command line. */
function lazySigner(petra: RemotePetra, context: Context): Signer {
  let loading: Promise<Signer> | undefined;
  const load = () => {
    loading ??= import('./aws-signer.ts').then(({ AwsSigner }) => new AwsSigner(petra, context));
    return loading;
  };
  return {
    sign: async (request) => (await load()).sign(request),
    renew: async () => (await load()).renew(),
    explain: async (request, answer) => (await load()).explain(request, answer),
  };
}

/** A client for a Petra that is not started by commands. */
export function remoteClient(petra: RemotePetra, context: Context): ApiClient {
  const { url, token } = petra;
  const how = token === undefined ? { signer: lazySigner(petra, context) } : { token };
  return new ApiClient({ locate: () => ({ url, ...how }) }, context.env);
}

/** A client for the Petra that the options and the environment mean. Starts nothing. */
export function clientFor(options: ConnectionOptions, context: Context): ApiClient {
  const petra = whichPetra(options, context);
  return petra.kind === 'local' ? localClient(petra.folder) : remoteClient(petra, context);
}

/** Like `clientFor`, and a local Petra that does not run is started, which is said on stderr. */
export async function connect(options: ConnectionOptions, context: Context): Promise<ApiClient> {
  const petra = whichPetra(options, context);
  if (petra.kind === 'remote') return remoteClient(petra, context);

  const { folder } = petra;
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

/** Like `connect`, for what makes or removes something: which Petra that is, when not this machine's, is said on stderr. */
export async function connectToChange(
  options: ConnectionOptions & { readonly output?: string },
  context: Context,
): Promise<ApiClient> {
  const petra = whichPetra(options, context);
  // For a program that reads JSON, stderr holds errors only.
  if (petra.kind === 'remote' && options.output !== 'json') {
    context.output.note(`on the Petra at ${describeRemote(petra)}`);
  }
  return await connect(options, context);
}
