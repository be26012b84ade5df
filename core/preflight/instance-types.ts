import { errorFinding, type PreflightFinding, warningFinding } from './finding.ts';
import type { MachineGroup } from './machine-groups.ts';

/**
 * Whether machines of each group can be launched where they will be. Cluster API spreads control-plane machines over the
 * zones; CAPA puts all others into the first private subnet, so into one zone, and which is not certain.
 */
export function assessInstanceTypes(input: {
  readonly region: string;
  readonly groups: readonly MachineGroup[];
  /** By instance type, the zones that offer it. */
  readonly offered: ReadonlyMap<string, readonly string[]>;
  /** The zones that will be used; empty where that is not known. */
  readonly zones: readonly string[];
}): readonly PreflightFinding[] {
  const { region, groups, offered, zones } = input;
  return groups.flatMap(({ role, count, instanceType: type, path: group }) => {
    const path = `${group}.instanceType`;
    const somewhere = offered.get(type) ?? [];
    if (somewhere.length === 0) {
      return [errorFinding('InstanceTypeNotOffered', `${path}: ${region} does not offer ${type}`, { path })];
    }
    const without = zones.filter((zone) => !somewhere.includes(zone));
    if (without.length === 0) return [];
    const message = `${path}: ${type} is not offered in ${without.join(', ')}, of the zones ${zones.join(', ')} that the cluster will be in`;
    const usable = zones.length - without.length;
    const fix = `Choose an instance type that ${zones.join(', ')} offer, or existing subnets in ${somewhere.join(', ')}.`;
    // Three machines over three zones are one in each.
    const cannotBe = usable === 0 || (role === 'control plane' && count >= zones.length);
    return [(cannotBe ? errorFinding : warningFinding)('InstanceTypeNotOffered', message, { path, fix })];
  });
}
