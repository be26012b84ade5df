// What a whole Petra has made, to compare one way to an end with another.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Ec2Records } from '../../local/cloud/ec2-records.ts';
import type { WholePetra } from './whole-petra.ts';

export interface FleetFingerprint {
  /** Name and phase of every cluster that is no tombstone. */
  readonly clusters: readonly string[];
  /** Machines that live. One made twice would be here twice. */
  readonly machines: readonly string[];
  readonly interfaces: readonly string[];
  /** By cluster and last part of the name. */
  readonly secrets: readonly string[];
  /** What the simulated CAPA has on AWS, by type. */
  readonly inventory: Readonly<Record<string, number>>;
  /** Objects of Petra and Cluster API on all simulated APIs together, by kind. */
  readonly objects: Readonly<Record<string, number>>;
  /** What the ledger of resources says of living clusters. */
  readonly recorded: readonly string[];
}

/** Kinds whose number depends on when one looks. */
const fleeting = new Set(['Event', 'Lease', 'Pod', 'ReplicaSet', 'EndpointSlice', 'CertificateRequest']);

export async function fleetFingerprint({ ports, cloud, disk }: WholePetra): Promise<FleetFingerprint> {
  const { items } = await ports.fleet.list({});
  const records = new Ec2Records(disk);
  const secrets: string[] = [];
  const recorded: string[] = [];
  for (const { name, uid } of items) {
    for (const secret of await cloud.secrets.list(uid)) secrets.push(`${name} ${secret.split('/').at(-1)}`);
    for (const { type, key, state } of await ports.resources.list(name, uid))
      recorded.push(`${name} ${type} ${key} ${state}`);
  }
  const objects = disk
    .names()
    .filter((name) => name.startsWith('kubernetes/'))
    .flatMap((name) => [...disk.collection<{ readonly kind?: string }>(name).entries()])
    .flatMap(([, { kind }]) => (kind === undefined || fleeting.has(kind) ? [] : [kind]));
  const tagged = [...disk.collection<{ readonly type: string }>('cloud.tagged').entries()];
  return {
    clusters: items.map(({ name, phase }) => `${name} ${phase}`),
    machines: [...records.machines.entries()]
      .filter(([, { endsAt }]) => endsAt === undefined)
      .map(([, { cluster, name }]) => `${cluster} ${name}`)
      .toSorted(),
    interfaces: [...records.interfaces.entries()]
      .map(([, { cluster, name }]) => `${cluster} ${name}`)
      .toSorted(),
    secrets: secrets.toSorted(),
    inventory: count(tagged.map(([, { type }]) => type)),
    objects: count(objects),
    recorded: recorded.toSorted(),
  };
}

/** The same once the simulated controllers have no more to do. */
export async function quietFingerprint(petra: WholePetra): Promise<FleetFingerprint> {
  let before = await fleetFingerprint(petra);
  for (;;) {
    await sleep(50);
    const now = await fleetFingerprint(petra);
    if (isDeepStrictEqual(now, before)) return now;
    before = now;
  }
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
