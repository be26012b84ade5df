import type { ObjectNode, ObjectTree } from '../core/api/contract.ts';
import { formatAge } from './durations.ts';
import type { Channel } from './output.ts';
import { formatTable, plainText } from './table.ts';

interface Line {
  readonly name: string;
  readonly ready: string;
  readonly since: string;
  readonly text: string;
}

function reasonText(reason: string | undefined, message: string | undefined): string {
  return [reason, message].filter((part) => part).join(': ');
}

function linesOf(node: ObjectNode, head: string, tail: string, showConditions: boolean, now: Date): Line[] {
  const own: Line = {
    name: `${head}${node.kind}/${node.name}${node.deleting ? ' (deleting)' : ''}`,
    ready: node.ready ?? '',
    since: formatAge(node.since, now),
    text: node.ready === 'True' ? '' : reasonText(node.reason, node.message),
  };
  const stem = node.children.length > 0 ? '│ ' : '  ';
  const conditions: Line[] = showConditions
    ? node.conditions.map((condition) => ({
        name: `${tail}${stem}• ${condition.type}`,
        ready: condition.status,
        since: formatAge(condition.since, now),
        text: condition.status === 'True' ? '' : reasonText(condition.reason, condition.message),
      }))
    : [];
  const children = node.children.flatMap((child, index) => {
    const last = index === node.children.length - 1;
    return linesOf(
      child,
      `${tail}${last ? '└─' : '├─'}`,
      `${tail}${last ? '  ' : '│ '}`,
      showConditions,
      now,
    );
  });
  return [own, ...conditions, ...children];
}

function paintReady(channel: Channel, ready: string): string {
  if (ready === '-') return ready;
  if (ready === 'True') return channel.paint('green', ready);
  return channel.paint(ready === 'False' ? 'red' : 'yellow', ready);
}

/** A cluster, what stops it (root cause first), and its objects as a tree. */
export function objectTreeText(
  tree: ObjectTree,
  {
    channel,
    showConditions,
    now,
  }: { readonly channel: Channel; readonly showConditions: boolean; readonly now: Date },
): string {
  const { cluster } = tree;
  const { failure } = cluster;
  // The failure has lines of its own, with its fix; it is among the causes for programs.
  const causes = tree.causes.filter(({ message }) => message !== failure?.message);
  // While an operation runs, what is not ready yet is what it waits for.
  const first =
    cluster.lock && !failure ? channel.paint('yellow', 'waiting for:') : channel.paint('red', 'root cause:');
  const parts = [
    `${channel.paint('bold', cluster.name)}: ${cluster.phase}, ${cluster.kind}${cluster.management ? ` on ${cluster.management}` : ''}, ${cluster.version}, ${cluster.region}`,
    ...(cluster.observed?.endpoint ? [`endpoint: ${cluster.observed.endpoint}`] : []),
    ...(cluster.lock ? [`running: ${cluster.lock.operationId}, for ${cluster.lock.holder}`] : []),
    ...(cluster.deletionProtection ? ['deletion protection is on'] : []),
    ...(failure
      ? [
          `${channel.paint('red', 'last failure:')} ${plainText(failure.message)} [${failure.code}]`,
          // What the objects say now is better than what they said then.
          ...(causes.length === 0 ? (failure.evidence ?? []) : [])
            .flatMap((text) => text.split('\n'))
            .map((line) => `  ${plainText(line)}`),
          `${channel.paint('cyan', 'fix:')} ${failure.fix}`,
        ]
      : []),
    ...(cluster.findings ?? []).flatMap(({ code, message, fix, since }) => [
      `${channel.paint('yellow', 'finding:')} ${plainText(message)} [${code}], since ${since}`,
      `${channel.paint('cyan', 'fix:')} ${fix}`,
    ]),
    ...causes.map(
      ({ object, condition, message }, index) =>
        `${index === 0 ? first : channel.paint('red', 'then:')} ${object}, ${condition}: ${plainText(message)}`,
    ),
    ...(cluster.kind === 'workload' && cluster.phase === 'Ready' && !tree.root && causes.length === 0
      ? [`no objects: the Cluster is not on ${cluster.management} any more`]
      : []),
  ];
  if (tree.root) {
    parts.push(
      '',
      formatTable(
        [
          { title: 'OBJECT', value: (line) => line.name },
          { title: 'READY', value: (line) => line.ready, paint: (text) => paintReady(channel, text) },
          { title: 'SINCE', value: (line) => line.since },
          { title: 'REASON', value: (line) => line.text },
        ],
        linesOf(tree.root, '', '', showConditions, now),
      ),
    );
  }
  return parts.join('\n');
}
