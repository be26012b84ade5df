import type { Command } from 'commander';
import { configFile } from '../../config-file.ts';
import { addConnectionOptions, type ConnectionOptions } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { type LocalPetra, type RemotePetra, whichPetra } from '../../which-petra.ts';

/** `petra config show`: which Petra a command would talk to, and why. */
export function registerConfigShow(parent: Command, context: Context): void {
  const command = parent
    .command('show')
    .summary('show which Petra commands talk to, and why')
    .description(
      'Show which Petra a command with the same options would talk to, what decided that, and how requests are\n' +
        'authorised. Options come before the environment, the environment before the configuration. Asks nobody.',
    );
  addConnectionOptions(addFormatOption(command));
  addExamples(command, 'petra config show', 'petra config show -o json', 'petra config show --local');
  command.action(async (options: ConnectionOptions & FormatOption) => {
    const file = configFile(context.env);
    const petra = whichPetra(options, context);
    await show(context, options.output, {
      value: { ...factsOf(petra), decidedBy: petra.decidedBy, configuration: file },
      names: [petra.kind === 'local' ? 'local' : petra.url],
      table: () => textOf(petra, file),
    });
  });
}

function factsOf(petra: LocalPetra | RemotePetra): object {
  if (petra.kind === 'local') return { kind: 'local', state: petra.folder };
  const { kind, url, stack, profile, region, token } = petra;
  return {
    kind,
    endpoint: url,
    authorization: token === undefined ? 'signature' : 'token',
    ...(stack === undefined ? {} : { stack }),
    ...(region === undefined ? {} : { region: region.name }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function textOf(petra: LocalPetra | RemotePetra, file: string): string {
  const why = {
    configuration: `as configured in ${file}`,
    default: `as nothing else is configured in ${file}`,
  };
  const { decidedBy } = petra;
  const reason =
    decidedBy === 'configuration' || decidedBy === 'default' ? why[decidedBy] : `by ${decidedBy}`;
  if (petra.kind === 'local') {
    return [`the Petra on this machine, ${reason}`, `state:    ${petra.folder}`].join('\n');
  }
  const { url, stack, region, profile, token } = petra;
  return [
    `the Petra at ${url}, ${reason}`,
    ...(stack === undefined ? [] : [`stack:    ${stack}`]),
    ...(region === undefined ? [] : [`region:   ${region.name}`]),
    token === undefined
      ? `requests: signed with AWS credentials${profile === undefined ? '' : ` of profile ${profile}`}`
      : 'requests: with the token in PETRA_TOKEN',
  ].join('\n');
}
