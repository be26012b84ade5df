// What init, create, delete and destroy have in common once the API has accepted them.

import type { OperationAnswer, OperationView } from '../core/api/contract.ts';
import { hasCode } from '../core/errors.ts';
import type { ResidueLine } from '../core/fleet.ts';
import type { ApiClient } from './api-client.ts';
import type { Context } from './context.ts';
import { formatDuration } from './durations.ts';
import { isPassing } from './follow-operation.ts';
import { type FormatOption, show } from './formats.ts';
import { failureToError } from './problem.ts';
import { recordedSeconds } from './progress-view.ts';
import { formatTable, plainText } from './table.ts';
import { type WaitOptions, watch } from './waiting.ts';

/** Words of a verb. */
export interface VerbWords {
  /** `ready`: what the cluster is afterwards. */
  readonly done: string;
  /** What to do next, shown on a success; empty for nothing. */
  readonly next: string;
}

/** Follows the answer of a POST or DELETE to its end, and prints the result. */
export async function finishVerb(
  context: Context,
  api: ApiClient,
  answer: OperationAnswer,
  words: VerbWords,
  options: WaitOptions & FormatOption,
): Promise<void> {
  const { output } = context;
  const { name } = answer.cluster;
  for (const warning of answer.warnings) output.warn(plainText(warning));

  const { operation } = answer;
  if (operation === undefined) {
    await show(context, options.output, {
      value: answer,
      names: [name],
      table: () =>
        answer.outcome === 'updated'
          ? `cluster ${name} is ${words.done}; its settings were updated`
          : `cluster ${name} is already ${words.done}${words.done === 'ready' ? ' with this spec' : ''}`,
    });
    return;
  }

  output.note(openingLine(answer, operation));
  if (!options.wait) {
    await show(context, options.output, {
      value: answer,
      names: [operation.id],
      table: () => operation.id,
    });
    output.note(`follow it: petra capi operations ${operation.id} --follow`);
    return;
  }

  const ended = await watch(context, api, operation, options.timeout);
  if (ended.status !== 'Succeeded') throw failureToError(ended);
  for (const warning of ended.warnings) {
    if (!answer.warnings.includes(warning)) output.warn(plainText(warning));
  }
  const cluster = await freshCluster(api, answer);
  await show(context, options.output, {
    value: { ...answer, cluster, operation: ended },
    names: [name],
    table: () => endedText(name, ended, words),
  });
  if (words.next !== '' && options.output === 'table') output.note(`next: ${words.next}`);
}

function openingLine({ outcome, cluster }: OperationAnswer, operation: OperationView): string {
  switch (outcome) {
    case 'attached':
      return `${operation.verb} ${cluster.name}: attached to the running operation ${operation.id}, started by ${operation.caller}`;
    case 'resumed':
      return `${operation.verb} ${cluster.name}: resuming after a failure, attempt ${operation.attempt} (${operation.id})`;
    default:
      return `${operation.verb} ${cluster.name}: started (${operation.id})`;
  }
}

/** A removed cluster is not found any more, and credentials may end with the wait: then what the answer said stands. */
async function freshCluster(api: ApiClient, answer: OperationAnswer): Promise<OperationAnswer['cluster']> {
  try {
    return await api.cluster(answer.cluster.name);
  } catch (error) {
    if (isPassing(error) || hasCode(error, 'ClusterNotFound', 'CredentialsExpired')) return answer.cluster;
    throw error;
  }
}

function endedText(name: string, operation: OperationView, words: VerbWords): string {
  const sentence = `cluster ${name} is ${words.done} (${formatDuration(recordedSeconds(operation))})`;
  return operation.residue === undefined ? sentence : `${sentence}\n\n${residueReport(operation.residue)}`;
}

/** What was looked for after a removal, how, and what was found. */
export function residueReport(residue: readonly ResidueLine[]): string {
  const left = residue.reduce((sum, line) => sum + line.found.length, 0);
  const table = formatTable(
    [
      { title: 'LOOKED FOR', value: (line) => line.type },
      { title: 'HOW', value: (line) => line.searched },
      { title: 'FOUND', value: (line) => (line.found.length === 0 ? 'none' : line.found.join(', ')) },
    ],
    residue,
  );
  return `${table}\n${left === 0 ? 'nothing is left' : `${left} left`}`;
}
