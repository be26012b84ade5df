import { type Command, Option } from 'commander';
import { configFile, readConfig, writeConfig } from '../../config-file.ts';
import { remoteClient } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import type { AwsOptions } from '../../stack-finder.ts';
import { usageError } from '../../usage.ts';
import { version } from '../../version.ts';

interface UseStackOptions extends AwsOptions, FormatOption {}

/** `petra config use-stack`: let commands talk to a Petra on AWS. */
export function registerUseStack(parent: Command, context: Context): void {
  const command = parent
    .command('use-stack')
    .summary('let commands talk to a Petra on AWS')
    .description(
      'Find the Petra of a stack in your AWS account, ask it for a sign of life, and remember it: commands talk to it from\n' +
        'then on, with requests signed by your AWS credentials. Only its address, region, stack and profile are kept.',
    )
    .argument('[stack]', 'name of the stack', 'petra')
    .optionsGroup('Where to look:')
    .addOption(
      new Option('--profile <name>', 'AWS profile, also for later commands (default: AWS_PROFILE, not kept)'),
    )
    .addOption(new Option('--region <name>', 'AWS region (default: AWS_REGION, else that of the profile)'));
  addFormatOption(command);
  addExamples(
    command,
    'petra config use-stack',
    'petra config use-stack Petra --region eu-west-1 --profile operations',
  );
  command.action(async (stack: string, options: UseStackOptions) => {
    refuseUnusable(stack, options);
    const { StackFinder } = await import('../../stack-finder.ts');
    const { endpoint, region } = await new StackFinder(options, context).find(stack);
    const { profile } = options;
    const config = { endpoint, region, stack, ...(profile === undefined ? {} : { profile }) };
    const api = remoteClient(
      {
        kind: 'remote',
        url: endpoint,
        decidedBy: 'configuration',
        stack,
        region: { name: region, saidBy: `the stack ${stack}` },
        ...(profile === undefined ? {} : { profile }),
      },
      context,
    );
    const health = await api.health();
    const file = configFile(context.env);
    const before = readBefore(file);
    writeConfig(file, config);
    await show(context, options.output, {
      value: { ...config, version: health.version, mode: health.mode, file },
      names: [stack],
      table: () =>
        `commands ${JSON.stringify(before) === JSON.stringify(config) ? 'already talk' : 'now talk'} to Petra ${health.version} (${health.mode}) in ${region}, at ${endpoint}`,
    });
    if (health.version !== version) {
      context.output.note(`this command is version ${version}`);
    }
    for (const name of ['PETRA_ENDPOINT', 'PETRA_STATE']) {
      if (context.env[name]) context.output.warn(`${name} is set and comes first: unset it to use the stack`);
    }
  });
}

/** A name is part of a parameter's path, and an empty one comes from an unset variable of a script. */
function refuseUnusable(stack: string, options: UseStackOptions): void {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stack)) {
    throw usageError(
      `"${stack}" is not the name of a stack`,
      'A name begins with a letter and goes on with letters, digits and hyphens.',
    );
  }
  for (const name of ['profile', 'region'] as const) {
    if (options[name] === '')
      throw usageError(`--${name} is empty`, 'Give its name, or leave the option out.');
  }
}

/** What is not understood is replaced, which is what this command is for. */
function readBefore(file: string) {
  try {
    return readConfig(file);
  } catch {
    return undefined;
  }
}
