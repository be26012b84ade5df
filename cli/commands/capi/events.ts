import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { LedgerEvent } from '../../../core/fleet.ts';
import type { ApiClient } from '../../api-client.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { formatDuration } from '../../durations.ts';
import { addExamples } from '../../examples.ts';
import { isPassing } from '../../follow-operation.ts';
import { addFormatOption, type Format, type FormatOption, show } from '../../formats.ts';
import { type Column, formatTable } from '../../table.ts';
import { addTarget, type TargetOptions, targetName } from '../../target.ts';
import { usageError } from '../../usage.ts';
import { wholeNumber } from '../../whole-number.ts';

interface EventsOptions extends ConnectionOptions, FormatOption, TargetOptions {
  readonly follow?: boolean;
  readonly limit?: number;
}

/** `petra capi events`: the ledger of a cluster. */
export function registerEvents(parent: Command, context: Context): void {
  const command = addTarget(
    parent
      .command('events')
      .summary("show a cluster's ledger")
      .description(
        'Show the ledger of a cluster: who did what, when, and how it ended. Oldest first; a deleted cluster keeps its ledger.',
      ),
  )
    .addOption(
      new Option('--limit <number>', 'only the last so many').argParser((text) =>
        wholeNumber(text, '--limit', 1),
      ),
    )
    .option('-w, --follow', 'go on with new events until Ctrl-C (with -o json: one event a line)');
  addConnectionOptions(addFormatOption(command));
  addExamples(
    command,
    'petra capi events workload-dev',
    'petra capi events -f workload.yaml --follow',
    'petra capi events workload-dev -o json | jq \'.items[] | select(.outcome == "failed")\'',
  );
  command.action(async (argument: string | undefined, options: EventsOptions) => {
    if (options.follow && options.output === 'yaml')
      throw usageError('--follow prints tables, names or JSON lines');
    const name = await targetName(argument, options);
    const api = await connect(options, context);
    const { events, after } = await eventsAfter(api, name, undefined);
    const shown = options.limit === undefined ? events : events.slice(-options.limit);
    if (options.follow) {
      await followEvents(context, api, name, shown, after, options.output);
      return;
    }
    await show(context, options.output, {
      value: { items: shown },
      names: shown.map((event) => event.seq),
      table: (wide) => formatTable(eventColumns(wide), shown),
    });
  });
}

/** All events after a position, and the position after them. */
async function eventsAfter(
  api: ApiClient,
  name: string,
  start: string | undefined,
): Promise<{ readonly events: LedgerEvent[]; readonly after: string | undefined }> {
  const events: LedgerEvent[] = [];
  let after = start;
  for (;;) {
    const page = await api.events(name, after === undefined ? {} : { after });
    events.push(...page.items);
    const last = page.items.at(-1);
    if (last) after = `${last.at}#${last.seq}`;
    if (page.next === undefined || last === undefined) return { events, after };
  }
}

function eventColumns(wide: boolean): readonly Column<LedgerEvent>[] {
  return [
    { title: 'TIME', value: (event) => event.at },
    { title: 'VERB', value: (event) => event.verb },
    { title: 'STEP', value: (event) => event.step ?? '' },
    { title: 'OUTCOME', value: (event) => event.outcome },
    { title: 'CODE', value: (event) => event.code ?? '' },
    {
      title: 'TOOK',
      value: (event) => (event.durationMs === undefined ? '' : formatDuration(event.durationMs / 1000)),
    },
    { title: 'CALLER', value: (event) => event.caller },
    ...(wide
      ? [
          { title: 'UID', value: (event: LedgerEvent) => event.uid },
          { title: 'OPERATION', value: (event: LedgerEvent) => event.operationId ?? '' },
        ]
      : []),
    { title: 'MESSAGE', value: (event) => event.message ?? '' },
  ];
}

/** Prints events as they come. Columns are as wide as the first page needs; a longer cell moves its row. */
async function followEvents(
  context: Context,
  api: ApiClient,
  name: string,
  first: readonly LedgerEvent[],
  position: string | undefined,
  format: Format,
): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let after = position;
  let fresh = first;
  let away = false;
  let headed = false;
  while (!stop.signal.aborted) {
    if (fresh.length > 0) {
      context.output.result(followText(fresh, format, !headed));
      headed = true;
    }
    await sleep(1000, undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted) return;
    try {
      const more = await eventsAfter(api, name, after);
      fresh = more.events;
      after = more.after;
      away = false;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!away) context.output.note('the Petra API does not answer; waiting for it to come back …');
      away = true;
      fresh = [];
    }
  }
}

function followText(events: readonly LedgerEvent[], format: Format, withTitles: boolean): string {
  if (format === 'json') return events.map((event) => JSON.stringify(event)).join('\n');
  if (format === 'name') return events.map((event) => event.seq).join('\n');
  const table = formatTable(eventColumns(format === 'wide'), events);
  return withTitles ? table : table.slice(table.indexOf('\n') + 1);
}
