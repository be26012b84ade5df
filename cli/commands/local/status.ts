import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { formatAge } from '../../durations.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { findServer } from '../../local-server.ts';
import { stateFiles } from '../../local-state.ts';
import { addStateOption, localFolder, type StateOptions } from '../../state-option.ts';

/** `petra local status`: whether the Petra of this machine runs, and where. */
export function registerLocalStatus(parent: Command, context: Context): void {
  const command = parent
    .command('status')
    .summary('show whether the local Petra runs')
    .description(
      'Show whether the local Petra runs, where it answers, and where its state is. Starts nothing.',
    );
  addStateOption(addFormatOption(command));
  addExamples(command, 'petra local status', "petra local status -o json | jq -r '.url'");
  command.action(async (options: StateOptions & FormatOption) => {
    const folder = localFolder(options, context);
    const server = await findServer(folder);
    const files = { state: folder, log: stateFiles(folder).log, token: stateFiles(folder).token };
    await show(context, options.output, {
      value: { running: server !== undefined, ...server?.endpoint, ...files },
      names: server ? [server.endpoint.url] : [],
      table: () =>
        [
          server
            ? `running at ${server.endpoint.url} (pid ${server.endpoint.pid}, version ${server.health.version}, since ${formatAge(server.endpoint.startedAt, new Date())}, ${server.endpoint.speed} simulated seconds per second)`
            : 'not running; `petra local up`, or any command that needs it, starts it',
          `state: ${folder}`,
        ].join('\n'),
    });
  });
}
