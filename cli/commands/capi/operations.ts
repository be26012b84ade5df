import { type Command, Option } from 'commander';
import type { OperationView } from '../../../core/api/contract.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connect.ts';
import type { Context } from '../../context.ts';
import { formatAge, formatDuration } from '../../durations.ts';
import { addExamples } from '../../examples.ts';
import { addFormatOption, type FormatOption, show } from '../../formats.ts';
import { failureToError } from '../../problem.ts';
import { recordedSeconds } from '../../progress-view.ts';
import { formatTable, plainText } from '../../table.ts';
import { usageError } from '../../usage.ts';
import { addTimeoutOption, watch } from '../../waiting.ts';
import { wholeNumber } from '../../whole-number.ts';

interface OperationsOptions extends ConnectionOptions, FormatOption {
  readonly cluster?: string;
  readonly limit?: number;
  readonly follow?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** `petra capi operations`: what ran and what runs. */
export function registerOperations(parent: Command, context: Context): void {
  const command = parent
    .command('operations')
    .alias('ops')
    .summary('list operations, show one, or attach to it')
    .description('List operations, newest first; with an id, show that one with its steps.')
    .argument('[id]', 'id of an operation')
    .option('--cluster <name>', 'only the operations of this cluster')
    .addOption(
      new Option('--limit <number>', 'at most so many')
        .argParser((text) => wholeNumber(text, '--limit', 1))
        .default(50),
    )
    .option('-w, --follow', 'with an id: attach, and wait for the end');
  addTimeoutOption(addFormatOption(command));
  addConnectionOptions(command);
  addExamples(
    command,
    'petra capi operations --cluster workload-dev',
    'petra capi operations create-workload-dev-1a2b3c4d-1 --follow',
    'petra capi operations create-workload-dev-1a2b3c4d-1 -o json',
  );
  command.action(async (id: string | undefined, options: OperationsOptions) => {
    if (id === undefined) {
      if (options.follow) throw usageError('--follow needs the id of an operation');
      await listOperations(options, context);
      return;
    }
    if (options.cluster !== undefined) throw usageError('give either an id or --cluster, not both');
    const api = await connect(options, context);
    const seen = await api.operation(id);
    const operation = options.follow ? await watch(context, api, seen, options.timeout) : seen;
    await show(context, options.output, {
      value: operation,
      names: [operation.id],
      table: (wide) => operationText(operation, wide),
    });
    // Showing a failed operation is no failure; having waited for it is.
    if (options.follow && operation.status !== 'Succeeded') throw failureToError(operation);
  });
}

async function listOperations(options: OperationsOptions, context: Context): Promise<void> {
  const api = await connect(options, context);
  const operations = await api.operations({
    ...(options.cluster === undefined ? {} : { cluster: options.cluster }),
    ...(options.limit === undefined ? {} : { most: options.limit }),
  });
  const now = new Date();
  await show(context, options.output, {
    value: { items: operations },
    names: operations.map((operation) => operation.id),
    table: (wide) => (operations.length === 0 ? '' : operationsTable(operations, wide, now)),
  });
  if (operations.length === 0 && (options.output === 'table' || options.output === 'wide')) {
    context.output.note(`no operations${options.cluster === undefined ? '' : ` of ${options.cluster}`} yet`);
  }
}

function operationsTable(operations: readonly OperationView[], wide: boolean, now: Date): string {
  return formatTable(
    [
      { title: 'ID', value: (operation) => operation.id },
      { title: 'VERB', value: (operation) => operation.verb },
      { title: 'CLUSTER', value: (operation) => operation.cluster },
      { title: 'STATUS', value: (operation) => operation.status },
      { title: 'AT', value: (operation) => currentStep(operation) },
      { title: 'TOOK', value: (operation) => formatDuration(recordedSeconds(operation)) },
      { title: 'AGE', value: (operation) => formatAge(operation.startedAt, now) },
      ...(wide
        ? [
            { title: 'CALLER', value: (operation: OperationView) => operation.caller },
            { title: 'ERROR', value: (operation: OperationView) => operation.failure?.code ?? '' },
          ]
        : []),
    ],
    operations,
  );
}

/** The step that runs, or the one in which it failed. */
function currentStep(operation: OperationView): string {
  if (operation.status === 'Succeeded') return '';
  const step = operation.failure?.step ?? operation.steps.at(-1)?.name;
  return operation.plannedSteps.find((planned) => planned.name === step)?.title ?? step ?? '';
}

function operationText(operation: OperationView, wide: boolean): string {
  const records = new Map(operation.steps.map((step) => [step.name, step]));
  const unplanned = operation.steps.filter(
    (step) => !operation.plannedSteps.some((planned) => planned.name === step.name),
  );
  const steps = [
    ...operation.plannedSteps,
    ...unplanned.map(({ name }) => ({ name, title: name, phase: 'other' })),
  ].map((step) => ({ ...step, record: records.get(step.name) }));
  const table = formatTable(
    [
      { title: 'PHASE', value: (step) => step.phase },
      { title: 'STEP', value: (step) => step.title },
      { title: 'STATUS', value: (step) => step.record?.status ?? 'Pending' },
      {
        title: 'TOOK',
        value: ({ record }) =>
          record?.endedAt
            ? formatDuration((Date.parse(record.endedAt) - Date.parse(record.startedAt)) / 1000)
            : '',
      },
      ...(wide
        ? [
            { title: 'RUNS', value: ({ record }: (typeof steps)[number]) => String(record?.runs ?? 0) },
            { title: 'STATE', value: ({ name }: (typeof steps)[number]) => name },
          ]
        : []),
      { title: 'MESSAGE', value: (step) => step.record?.message ?? '' },
    ],
    steps,
  );
  const { failure } = operation;
  return [
    `${operation.id}: ${operation.status}, attempt ${operation.attempt}, by ${operation.caller}, ${formatDuration(recordedSeconds(operation))}`,
    ...(failure
      ? [
          `error: ${plainText(failure.message)} [${failure.code}]`,
          ...(failure.causes ?? []).map((cause) => `  because: ${plainText(cause)}`),
          ...(failure.evidence ?? []).map((line) => `  ${plainText(line)}`),
          `fix: ${failure.fix}`,
        ]
      : []),
    '',
    table,
  ].join('\n');
}
