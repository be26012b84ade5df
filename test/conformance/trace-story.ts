// The life of one cluster, for a trace: it is created, scaled up and down, and deleted, the way Petra does it. Needs a
// management cluster whose controllers run, with Petra's ClusterClass, and something that lets Nodes register.

import { setTimeout as sleep } from 'node:timers/promises';
import { HttpKubernetesAccess } from '../../adapters/http-kubernetes.ts';
import type { ClusterSpec } from '../../core/capi/spec-schema.ts';
import { clusterNamespace, translateCluster } from '../../core/capi/translate-cluster.ts';
import { numberAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { complaintsOf } from '../../core/steps/cluster-state.ts';
import { type ObjectWatch, watchObjects } from './object-watch.ts';
import { assessObjects } from './trace-petra.ts';
import { belongsTo } from './trace-roles.ts';
import { type Run, reduceEvents } from './trace-run.ts';

export const chapters = ['create', 'scale-up', 'scale-down', 'delete'] as const;
export type Chapter = (typeof chapters)[number];

const core = 'cluster.x-k8s.io/v1beta1';
const aws = 'infrastructure.cluster.x-k8s.io/v1beta2';

/** Everything that the controllers make for a cluster. */
export const tracedKinds = [
  { apiVersion: core, kind: 'Cluster' },
  { apiVersion: core, kind: 'MachineDeployment' },
  { apiVersion: core, kind: 'MachineSet' },
  { apiVersion: core, kind: 'Machine' },
  { apiVersion: aws, kind: 'AWSCluster' },
  { apiVersion: aws, kind: 'AWSMachine' },
  { apiVersion: aws, kind: 'AWSMachineTemplate' },
  { apiVersion: 'controlplane.cluster.x-k8s.io/v1beta2', kind: 'KThreesControlPlane' },
  { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfig' },
  { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta2', kind: 'KThreesConfigTemplate' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
];

export interface LifeOptions {
  readonly kubeconfig: string;
  readonly spec: ClusterSpec;
  readonly say: (line: string) => void;
  /** So long must nothing change before a chapter is over. */
  readonly quietSeconds?: number;
  readonly limitSeconds?: number;
}

/** Lives through it once. A cluster that is left over from a failure is named in the error. */
export async function recordLife(options: LifeOptions): Promise<Readonly<Record<Chapter, Run>>> {
  const { kubeconfig, spec, say } = options;
  const api = new HttpKubernetesAccess().connect(kubeconfig);
  const name = spec.metadata.name;
  const record = async (chapter: Chapter, act: () => Promise<unknown>, isOver: IsOver) => {
    const watch = await watchObjects({ kubeconfig, namespace: clusterNamespace, kinds: tracedKinds });
    try {
      await act();
      await untilOver({ ...options, chapter, watch, isOver });
      say(`${chapter}: ${watch.events().length} states of objects`);
      return reduceEvents(watch.events(), name);
    } finally {
      await watch.stop();
    }
  };
  const apply = (workers: number) => () => api.apply(translateCluster({ spec: withWorkers(spec, workers) }));
  const hasMachines =
    (machines: number): IsOver =>
    (objects) =>
      assessObjects(objects, name)?.ready === true &&
      objects.filter((one) => belongsTo(one, name)).every(isScaled) &&
      objects.filter((one) => one.kind === 'Machine' && belongsTo(one, name)).length === machines;
  const { controlPlane, workers } = spec.spec.nodes;
  const reference = { apiVersion: core, kind: 'Cluster', namespace: clusterNamespace, name };
  const servers = controlPlane.count;
  return {
    create: await record('create', apply(workers.count), hasMachines(servers + workers.count)),
    'scale-up': await record('scale-up', apply(workers.count + 1), hasMachines(servers + workers.count + 1)),
    'scale-down': await record(
      'scale-down',
      apply(workers.count - 1),
      hasMachines(servers + workers.count - 1),
    ),
    delete: await record(
      'delete',
      () => api.remove(reference),
      (objects) => objects.every((object) => !belongsTo(object, name)),
    ),
  };
}

function withWorkers(document: ClusterSpec, count: number): ClusterSpec {
  const { nodes } = document.spec;
  return {
    ...document,
    spec: { ...document.spec, nodes: { ...nodes, workers: { ...nodes.workers, count } } },
  };
}

/** Petra does not wait for counts to come down, but the next chapter must not begin before. */
function isScaled({ kind, spec, status }: KubernetesObject): boolean {
  return (
    !/^Machine(Set|Deployment)$/.test(kind) || numberAt(spec, 'replicas') === numberAt(status, 'replicas')
  );
}

type IsOver = (objects: readonly KubernetesObject[]) => boolean;

async function untilOver(
  options: LifeOptions & { readonly chapter: Chapter; readonly watch: ObjectWatch; readonly isOver: IsOver },
): Promise<void> {
  const { watch, isOver, chapter, spec, quietSeconds = 3, limitSeconds = 180 } = options;
  const limit = Date.now() + limitSeconds * 1000;
  let seen = -1;
  let quietSince = Date.now();
  while (!isOver(watch.present()) || Date.now() - quietSince < quietSeconds * 1000) {
    if (Date.now() > limit) {
      const what = `${chapter} of ${spec.metadata.name} is not over after ${limitSeconds} s`;
      const present = watch.present().filter((object) => belongsTo(object, spec.metadata.name));
      throw new Error(`${what}; present: ${present.map(stateOf).join(', ')}`);
    }
    const changes = watch.events().filter(({ object }) => belongsTo(object, spec.metadata.name)).length;
    if (changes !== seen) {
      seen = changes;
      quietSince = Date.now();
    }
    await sleep(50);
  }
}

function stateOf(object: KubernetesObject): string {
  const why = complaintsOf(object).map(({ condition, message }) => `${condition}: ${message}`);
  return `${object.kind} ${object.metadata.name}${why.length > 0 ? ` (${why.join('; ')})` : ''}`;
}
