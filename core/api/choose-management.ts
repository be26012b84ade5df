import { PetraError } from '../errors.ts';
import type { Ports } from '../petra.ts';
import { managementNotReady } from '../steps/management-api.ts';

/**
 * The name of the management cluster for a workload cluster: the one it already has, the one asked for, or the only
 * one there is. @throws InvalidRequest, ClusterNotFound, NoManagementCluster, AmbiguousManagementCluster,
 * ManagementClusterNotReady
 */
export async function chooseManagement(
  ports: Pick<Ports, 'fleet'>,
  cluster: string,
  wanted: unknown,
): Promise<string> {
  if (wanted !== undefined && typeof wanted !== 'string') {
    throw new PetraError('InvalidRequest', 'management: expected the name of a management cluster');
  }
  const present = await ports.fleet.find(cluster);
  const own = present?.phase === 'Deleted' ? undefined : present?.management;
  if (own !== undefined && (wanted === undefined || wanted === own)) return own;
  const { items } = await ports.fleet.list({ kind: 'management' });
  if (wanted !== undefined) {
    const management = await ports.fleet.find(wanted);
    if (management?.kind !== 'management' || management.phase === 'Deleted') {
      const names = items.map(({ name }) => name).join(', ') || 'none';
      throw new PetraError(
        'ClusterNotFound',
        `there is no management cluster "${wanted}"; there is ${names}`,
      );
    }
    if (management.phase !== 'Ready') throw managementNotReady(management);
    return wanted;
  }
  const ready = items.filter(({ phase }) => phase === 'Ready');
  const [only, ...others] = ready;
  if (only && others.length === 0) return only.name;
  if (only) {
    const names = ready.map(({ name }) => name).join(', ');
    throw new PetraError(
      'AmbiguousManagementCluster',
      `the fleet has ${ready.length} management clusters: ${names}`,
    );
  }
  const [unready] = items;
  if (unready) {
    throw managementNotReady(unready);
  }
  throw new PetraError('NoManagementCluster', 'the fleet has no management cluster');
}
