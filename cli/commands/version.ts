import type { Command } from 'commander';
import { hasCode } from '../../core/errors.ts';
import { addConnectionOptions, type ConnectionOptions, clientFor } from '../connect.ts';
import type { Context } from '../context.ts';
import { addExamples } from '../examples.ts';
import { addFormatOption, type FormatOption, show } from '../formats.ts';
import { readEndpoint } from '../local-state.ts';
import { version } from '../version.ts';
import { whichPetra } from '../which-petra.ts';

interface VersionOptions extends ConnectionOptions, FormatOption {
  readonly client?: boolean;
}

/** `petra version`: of this command, and of the Petra it talks to. */
export function registerVersion(parent: Command, context: Context): void {
  const command = parent
    .command('version')
    .summary('print the versions of this command and of Petra')
    .description(
      'Print the version of this command and of the Petra it would talk to. Starts nothing: a local Petra that does not\n' +
        'run has no version to tell.',
    )
    .option('--client', 'only the version of this command');
  addConnectionOptions(addFormatOption(command));
  addExamples(command, 'petra version', 'petra version --client -o json', 'petra --version');
  command.action(async (options: VersionOptions) => {
    const server = options.client ? undefined : await serverVersion(options, context);
    const client = { version, node: process.version, platform: `${process.platform}/${process.arch}` };
    await show(context, options.output, {
      value: { client, ...(server === undefined ? {} : { server }) },
      names: [version],
      table: () =>
        [
          `client: petra ${version} (node ${client.node}, ${client.platform})`,
          ...(options.client ? [] : [`server: ${describeServer(server)}`]),
        ].join('\n'),
    });
  });
}

interface ServerVersion {
  readonly url: string;
  readonly version: string;
  readonly mode: string;
}

async function serverVersion(
  options: ConnectionOptions,
  context: Context,
): Promise<ServerVersion | undefined> {
  const petra = whichPetra(options, context);
  const isLocal = petra.kind === 'local';
  if (isLocal && readEndpoint(petra.folder) === undefined) return undefined;
  try {
    const api = clientFor(options, context);
    const health = await api.health();
    return { url: api.url, version: health.version, mode: health.mode };
  } catch (error) {
    if (isLocal && hasCode(error, 'PetraUnreachable')) return undefined;
    throw error;
  }
}

function describeServer(server: ServerVersion | undefined): string {
  return server ? `petra ${server.version} (${server.mode}) at ${server.url}` : 'no local Petra runs';
}
