// What a local Petra has made, read from its disk while it is not running: to compare one way to an end with another.

import path from 'node:path';
import { Ec2Records } from '../../local/cloud/ec2-records.ts';
import { Disk } from '../../local/disk.ts';

export interface Fingerprint {
  /** Machines that live. One made twice would be here twice. */
  readonly machines: readonly string[];
  readonly interfaces: readonly string[];
  readonly secrets: number;
  /** What the simulated CAPA has, by type. */
  readonly inventory: Readonly<Record<string, number>>;
  /** Objects of all simulated APIs together, counted by kind. */
  readonly objects: Readonly<Record<string, number>>;
}

/** Kinds whose number depends on when one looks. */
const fleeting = new Set(['Event', 'Lease', 'ReplicaSet']);

/** Reads the fingerprint of a state folder that no process has open. */
export async function fingerprint(state: string): Promise<Fingerprint> {
  const disk = await Disk.open(path.join(state, 'simulated'));
  try {
    const records = new Ec2Records(disk);
    const objects = disk
      .names()
      .filter((name) => name.startsWith('kubernetes/'))
      .flatMap((name) => [...disk.collection<{ readonly kind?: string }>(name).entries()])
      .flatMap(([, { kind }]) => (kind === undefined || fleeting.has(kind) ? [] : [kind]));
    const tagged = [...disk.collection<{ readonly type: string }>('cloud.tagged').entries()];
    return {
      machines: [...records.machines.entries()]
        .filter(([, { endsAt }]) => endsAt === undefined)
        .map(([, { cluster, name }]) => `${cluster} ${name}`)
        .toSorted(),
      interfaces: [...records.interfaces.entries()]
        .map(([, { cluster, name }]) => `${cluster} ${name}`)
        .toSorted(),
      secrets: [...disk.collection('cloud.secrets').entries()].length,
      inventory: count(tagged.map(([, { type }]) => type)),
      objects: count(objects),
    };
  } finally {
    await disk.close();
  }
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
