import { spawn } from 'node:child_process';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { findServer, type LocalOptions, serverArguments, startServer } from '../../local-server.ts';
import { prepareStateFolder } from '../../local-state.ts';
import { addStateOption, localFolder, type StateOptions } from '../../state-option.ts';
import { usageError } from '../../usage.ts';
import { wholeNumber } from '../../whole-number.ts';

interface UpOptions extends StateOptions {
  readonly port?: number;
  readonly speed?: number;
  readonly fault: readonly string[];
  readonly foreground?: boolean;
}

/** `petra local up`: start the Petra of this machine. */
export function registerLocalUp(parent: Command, context: Context): void {
  const command = parent
    .command('up')
    .summary('start the local Petra')
    .description(
      'Start a Petra on this machine, with simulated AWS and Kubernetes: no account, no cost. Other commands start it by\n' +
        'themselves when they need it; this one is for its settings. Unfinished operations continue. See docs/local.md.',
    )
    .addOption(
      new Option('--port <number>', 'port on 127.0.0.1 (default: any free one)').argParser((text) =>
        wholeNumber(text, '--port', 0, 65_535),
      ),
    )
    .addOption(
      new Option(
        '--speed <number>',
        'simulated seconds per real second (default: as the last time, at first 60)',
      ).argParser((text) => wholeNumber(text, '--speed', 1)),
    )
    .addOption(
      new Option(
        '--fault <fault>',
        'make something fail, such as ec2:InsufficientInstanceCapacity:2 (repeatable; docs/local.md lists them)',
      )
        .argParser((text, faults: readonly string[]) => [...faults, text])
        .default([], 'none'),
    )
    .option('--foreground', 'stay in the foreground and log to stderr');
  addStateOption(command);
  addExamples(
    command,
    'petra local up',
    'petra local up --speed 600 --fault ec2:InsufficientInstanceCapacity:2',
    'petra local up --foreground --port 8080',
  );
  command.action(async (options: UpOptions) => {
    const folder = localFolder(options, context);
    const settings: LocalOptions = {
      faults: options.fault,
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.speed === undefined ? {} : { speed: options.speed }),
    };
    const running = await findServer(folder);
    if (running) {
      const { url, pid } = running.endpoint;
      if (options.foreground || hasSettings(settings)) {
        throw usageError(
          `the local Petra already runs at ${url} (pid ${pid}), with settings of its own`,
          'Stop it first: `petra local down`. Its unfinished operations continue after the next start.',
        );
      }
      context.output.result(`the local Petra already runs at ${url} (pid ${pid})`);
      return;
    }
    if (options.foreground) {
      prepareStateFolder(folder);
      process.exitCode = await runInForeground(folder, settings);
      return;
    }
    context.output.note('starting a local Petra (simulated AWS and Kubernetes) …');
    const { endpoint } = await startServer(folder, settings);
    context.output.result(`the local Petra runs at ${endpoint.url} (pid ${endpoint.pid})`);
  });
}

function hasSettings(settings: LocalOptions): boolean {
  return settings.faults.length > 0 || settings.port !== undefined || settings.speed !== undefined;
}

/** The server gets the terminal's signals itself: Ctrl-C stops it as `petra local down` would. */
async function runInForeground(folder: string, settings: LocalOptions): Promise<number> {
  const child = spawn(process.execPath, serverArguments(folder, settings), { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', forward);
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
