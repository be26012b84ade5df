// The cluster that a request names.

import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { Ports } from '../petra.ts';

export async function findCluster(ports: Pick<Ports, 'fleet'>, name: string): Promise<ClusterRecord> {
  const record = await ports.fleet.find(name);
  if (record && record.phase !== 'Deleted') return record;
  throw unknownCluster(name, record);
}

export function unknownCluster(name: string, tombstone?: ClusterRecord): PetraError {
  const when = tombstone?.deletedAt
    ? `; the last one of this name was deleted at ${tombstone.deletedAt}`
    : '';
  return new PetraError('ClusterNotFound', `there is no cluster "${name}"${when}`);
}
