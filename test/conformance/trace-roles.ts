// Who is who in a cluster: names have random parts, so an object of a trace is called by its part in the cluster.

import { listAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObservedEvent } from './object-watch.ts';

/** One object through its life. */
export interface Life {
  /** `Machine of a worker`, `Secret ca` … Objects with the same part have the same role. */
  readonly role: string;
  /** The uid of the Machine that the object is there for; empty for what is there for the whole cluster. */
  readonly machine: string;
  readonly events: readonly ObservedEvent[];
}

export interface Cast {
  readonly lives: readonly Life[];
  /** A name without its random parts, for the object with this uid. */
  nameFor(name: string, uid: string): string;
  roleOf(uid: string): string | undefined;
}

/** Labels by which Cluster API says what an object belongs to. */
const clusterLabel = 'cluster.x-k8s.io/cluster-name';
const serverLabel = 'cluster.x-k8s.io/control-plane';

/** The objects of one cluster, each with all that was seen of it. */
export function castOf(events: readonly ObservedEvent[], cluster: string): Cast {
  const byUid = Map.groupBy(events, ({ object }) => object.metadata.uid ?? '');
  const lives = [...byUid.values()].filter((life) => belongs(life, cluster));
  const machines = lives.filter((life) => last(life).kind === 'Machine');
  const parts = new Map<string, Part>();
  for (const life of machines) for (const [uid, part] of partsOf(life, lives, machines)) parts.set(uid, part);
  const roles = new Map(
    lives.map((life) => {
      const object = last(life);
      const part = parts.get(object.metadata.uid ?? '');
      return [object.metadata.uid ?? '', roleOf(object, cluster, part)] as const;
    }),
  );
  return {
    lives: lives.map((life) => {
      const uid = last(life).metadata.uid ?? '';
      return { role: roles.get(uid) ?? '', machine: parts.get(uid)?.machine ?? '', events: life };
    }),
    nameFor: (name, uid) => withoutChance(name, cluster, parts.get(uid)?.machineName),
    roleOf: (uid) => roles.get(uid),
  };
}

interface Part {
  /** The Machine's uid and name. */
  readonly machine: string;
  readonly machineName: string;
  readonly title: string;
}

function last(life: readonly ObservedEvent[]): KubernetesObject {
  const event = life.at(-1);
  if (!event) throw new Error('an object without a single event');
  return event.object;
}

function belongs(life: readonly ObservedEvent[], cluster: string): boolean {
  return life.some(({ object }) => belongsTo(object, cluster));
}

/** By its label, or by name for the Cluster itself, which gets the label late, and for the k3s provider's lock. */
export function belongsTo({ kind, metadata }: KubernetesObject, cluster: string): boolean {
  return (
    metadata.labels?.[clusterLabel] === cluster ||
    (kind === 'Cluster' && metadata.name === cluster) ||
    (kind === 'ConfigMap' && metadata.name === `${cluster}-lock`)
  );
}

/** The Machine and what exists for it: its instance, its configuration, and the Secret made from that. */
function partsOf(
  life: readonly ObservedEvent[],
  lives: readonly (readonly ObservedEvent[])[],
  machines: readonly (readonly ObservedEvent[])[],
): readonly (readonly [uid: string, part: Part])[] {
  const machine = last(life);
  const { name, uid = '' } = machine.metadata;
  const part = { machine: uid, machineName: name, title: titleOf(life, machines) };
  const isNamed = ({ kind, metadata }: KubernetesObject) =>
    (kind === textAt(machine, 'spec', 'infrastructureRef', 'kind') &&
      metadata.name === textAt(machine, 'spec', 'infrastructureRef', 'name')) ||
    (kind === textAt(machine, 'spec', 'bootstrap', 'configRef', 'kind') &&
      metadata.name === textAt(machine, 'spec', 'bootstrap', 'configRef', 'name'));
  const named = lives.map(last).filter(isNamed);
  const uids = new Set(named.map(({ metadata }) => metadata.uid));
  const secrets = lives
    .map(last)
    .filter(
      ({ kind, metadata }) =>
        kind === 'Secret' &&
        listAt(metadata, 'ownerReferences').some((owner) => uids.has(textAt(owner, 'uid'))),
    );
  return [machine, ...named, ...secrets].map(({ metadata }) => [metadata.uid ?? '', part] as const);
}

/** Where workers have different fates, each is called by its own. */
function titleOf(life: readonly ObservedEvent[], machines: readonly (readonly ObservedEvent[])[]): string {
  const isServer = (one: readonly ObservedEvent[]) => last(one).metadata.labels?.[serverLabel] !== undefined;
  const kind = isServer(life) ? 'server' : 'worker';
  const peers = machines.filter((other) => isServer(other) === isServer(life)).map(fateOf);
  return new Set(peers).size === 1 ? `a ${kind}` : `a ${fateOf(life)} ${kind}`;
}

function fateOf(life: readonly ObservedEvent[]): string {
  if (life.at(-1)?.type === 'DELETED') return 'leaving';
  return life[0]?.type === 'PRESENT' ? 'staying' : 'new';
}

function roleOf(object: KubernetesObject, cluster: string, part: Part | undefined): string {
  const { kind, metadata } = object;
  if (kind === 'Secret') {
    return part ? `Secret of ${part.title}` : `Secret ${metadata.name.replace(`${cluster}-`, '')}`;
  }
  if (part) return `${kind} of ${part.title}`;
  if (kind.endsWith('Template')) {
    const isWorkers = metadata.labels?.['topology.cluster.x-k8s.io/deployment-name'] !== undefined;
    return `${kind} of ${isWorkers ? 'workers' : 'servers'}`;
  }
  return kind;
}

/** Characters of generated names (k8s.io/apimachinery/pkg/util/rand). */
const generated = /^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/;

function withoutChance(name: string, cluster: string, machine: string | undefined): string {
  if (machine !== undefined && name === machine) return '<machine>';
  const [first, ...parts] = name.startsWith(cluster) ? ['<cluster>', name.slice(cluster.length)] : ['', name];
  return `${first}${parts
    .join('')
    .split('-')
    .map((word) => (generated.test(word) ? '*' : word))
    .join('-')}`;
}
