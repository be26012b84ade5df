import type { ClusterView } from '../core/api/contract.ts';
import { formatAge } from './durations.ts';
import { type Column, formatTable } from './table.ts';

/** `2/3`: ready and wanted. What Petra has not seen yet is a question mark, not a zero. */
function replicas(ready: number | undefined, wanted: number, cluster: ClusterView): string {
  return `${ready ?? (cluster.observed === undefined ? '?' : 0)}/${wanted}`;
}

function columns(now: Date): readonly Column<ClusterView>[] {
  return [
    { title: 'NAME', value: (cluster) => cluster.name },
    { title: 'PHASE', value: (cluster) => cluster.phase },
    { title: 'VERSION', value: (cluster) => cluster.version },
    {
      title: 'CONTROL PLANE',
      value: (cluster) =>
        replicas(cluster.observed?.controlPlaneReadyReplicas, cluster.controlPlaneCount, cluster),
    },
    {
      title: 'WORKERS',
      value: (cluster) => replicas(cluster.observed?.workerReadyReplicas, cluster.workerCount, cluster),
    },
    { title: 'REGION', value: (cluster) => cluster.region },
    { title: 'MANAGEMENT', value: (cluster) => cluster.management ?? '' },
    { title: 'AGE', value: (cluster) => formatAge(cluster.createdAt, now) },
  ];
}

/** Codes of what reconciliation found amiss. */
const findingsColumn: Column<ClusterView> = {
  title: 'FINDINGS',
  value: ({ findings = [] }) => findings.map(({ code }) => code).join(', '),
};

const kindColumn: Column<ClusterView> = { title: 'KIND', value: (cluster) => cluster.kind };

const wideColumns: readonly Column<ClusterView>[] = [
  { title: 'UID', value: (cluster) => cluster.uid },
  { title: 'OPERATION', value: (cluster) => cluster.operation.id },
  { title: 'ENDPOINT', value: (cluster) => cluster.observed?.endpoint ?? '' },
];

/** Clusters as a table. The kind is shown where both kinds may occur, findings where there are any. */
export function clusterTable(
  clusters: readonly ClusterView[],
  { wide, kinds, now }: { readonly wide: boolean; readonly kinds: boolean; readonly now: Date },
): string {
  const [name, ...rest] = columns(now);
  const amiss = clusters.some(({ findings }) => findings !== undefined);
  return formatTable(
    [
      ...(name ? [name] : []),
      ...(kinds ? [kindColumn] : []),
      ...rest,
      ...(amiss ? [findingsColumn] : []),
      ...(wide ? wideColumns : []),
    ],
    clusters,
  );
}
