// What reconciliation compares, and what it calls a difference. Pure: the steps in reconcile.ts read and write.

import { driftOf } from '../capi/drift.ts';
import { providersFor } from '../capi/providers.ts';
import { translateCluster } from '../capi/translate-cluster.ts';
import type { ClusterRecord, Finding, FindingCode } from '../fleet.ts';
import type { KubernetesObject } from '../ports.ts';
import { type ClusterState, complaintsOf } from './cluster-state.ts';
import { conditionOf } from './conditions.ts';

/** A finding before it is known since when. */
export type Seen = Omit<Finding, 'since'>;

/** How many names or fields a message lists, and how long it may be: the store would cut it, and find it changed. */
const listed = 5;
const longest = 1_000;

/** What is amiss with a workload cluster. @param state undefined when its Cluster object is gone */
export function workloadFindings(
  record: ClusterRecord,
  live: { readonly cluster: KubernetesObject; readonly state: ClusterState } | undefined,
): Seen[] {
  const { name, management = '' } = record;
  if (!live) {
    return [
      seen(
        'ClusterGone',
        `the Cluster object of "${name}" is not on ${management} any more`,
        `Nobody may have removed its AWS resources. \`petra capi delete ${name}\` looks for them; \`petra capi create -f FILE\` applies the Cluster again.`,
      ),
    ];
  }
  const { cluster, state } = live;
  const findings: Seen[] = [];
  const drift = driftOf(translateCluster({ spec: record.spec, uid: record.uid }), cluster);
  if (drift.length > 0) {
    const fields = drift.map(
      ({ path, wanted, found }) => `${path} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
    );
    findings.push(
      seen(
        'ClusterEdited',
        `the Cluster object was changed by somebody else: ${few(fields)}`,
        'Put the fields back with kubectl, or leave them: Petra does not change them by itself.',
      ),
    );
  }
  const { version } = state.observed;
  const wanted = record.spec.spec.kubernetes.version;
  if (version !== undefined && version !== wanted) {
    findings.push(
      seen(
        'VersionDiffers',
        `the control plane runs ${version}, and the spec says ${wanted}`,
        `\`petra capi describe ${name}\` shows whether machines are being replaced, or what stops it.`,
      ),
    );
  }
  if (state.failure !== undefined || !state.ready) {
    const why = state.failure ?? state.causes[0];
    findings.push(
      seen(
        'ClusterUnhealthy',
        why === undefined ? state.summary : `${state.summary}; ${why}`,
        `\`petra capi describe ${name}\` shows the root cause first.`,
      ),
    );
  }
  return findings;
}

/** What is amiss with a management cluster itself: its nodes, its providers, and Clusters that nobody recorded. */
export function managementFindings(
  record: ClusterRecord,
  live: {
    readonly nodes: readonly KubernetesObject[];
    readonly inventory: readonly KubernetesObject[];
    readonly unknown: readonly string[];
  },
): Seen[] {
  const findings: Seen[] = [];
  if (live.unknown.length > 0) {
    findings.push(
      seen(
        'ClusterUnknown',
        `${live.unknown.length} Cluster objects are in no record: ${few(live.unknown)}`,
        'Petra did not make them, and leaves them alone. While they exist, the management cluster cannot be destroyed.',
      ),
    );
  }
  const versions = record.spec.spec.management;
  const differing = (versions ? providersFor(versions) : []).flatMap(({ provider, version }) => {
    const found = live.inventory.find((entry) => entry.metadata.name === provider.key)?.version;
    if (found === version) return [];
    return [`${provider.key} is ${found === undefined ? 'absent' : String(found)}, not ${version}`];
  });
  if (differing.length > 0) {
    findings.push(
      seen(
        'VersionDiffers',
        `providers are not those of the spec: ${few(differing)}`,
        'If somebody upgraded them, keep the spec in step; `clusterctl upgrade plan` shows what is installed.',
      ),
    );
  }
  const sick = live.nodes.filter((node) => conditionOf(node, 'Ready')?.status !== 'True');
  if (sick.length > 0) {
    const words = sick.map((node) => {
      const [complaint] = complaintsOf(node);
      return `${node.metadata.name}: ${complaint?.message ?? 'not Ready'}`;
    });
    findings.push(
      seen(
        'ClusterUnhealthy',
        `${sick.length} of ${live.nodes.length} nodes are not Ready: ${few(words)}`,
        `\`petra capi describe ${record.name}\` shows its nodes and Deployments.`,
      ),
    );
  }
  return findings;
}

/** A management cluster whose API cannot be asked. */
export function unreachableFinding(record: ClusterRecord, why: string): Seen {
  return seen(
    'ManagementUnreachable',
    `the API of management cluster "${record.name}" cannot be used: ${why}`,
    'Its workload clusters go on, but nothing repairs them, and nothing can be changed. Check that its machines run.',
  );
}

/** What is now seen, with the time since when: that of the same finding before, else now. */
export function datedFindings(
  seenNow: readonly Seen[],
  before: readonly Finding[],
  now: Date,
): readonly Finding[] {
  return seenNow.map((finding) => ({
    ...finding,
    since: before.find(({ code }) => code === finding.code)?.since ?? now.toISOString(),
  }));
}

function seen(code: FindingCode, message: string, fix: string): Seen {
  return { code, message: message.length > longest ? `${message.slice(0, longest - 1)}…` : message, fix };
}

function few(texts: readonly string[]): string {
  const rest = texts.length - listed;
  return [...texts.slice(0, listed), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}
