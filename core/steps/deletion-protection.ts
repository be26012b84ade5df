import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';

/**
 * Refuses to delete any of these clusters when one of them is protected. The API looks before it begins, the workflow
 * under the lock: protection may have come in between. @throws DeletionProtected
 */
export function refuseProtected(clusters: readonly ClusterRecord[]): void {
  const names = clusters.filter(({ deletionProtection }) => deletionProtection).map(({ name }) => name);
  if (names.length === 0) return;
  throw new PetraError('DeletionProtected', `deletion protection is on for ${names.join(', ')}`, {
    details: { clusters: names },
  });
}
