import type { ClusterSpec } from '../capi/spec-schema.ts';

/** Machines of one kind that a spec asks for. */
export interface MachineGroup {
  readonly role: 'control plane' | 'workers';
  readonly count: number;
  readonly instanceType: string;
  /** Where the spec says so. */
  readonly path: string;
}

/** The groups that have any machines, control plane first. */
export function machineGroups({ spec }: ClusterSpec): readonly MachineGroup[] {
  const { controlPlane, workers } = spec.nodes;
  const groups: readonly MachineGroup[] = [
    { role: 'control plane', ...controlPlane, path: 'spec.nodes.controlPlane' },
    { role: 'workers', ...workers, path: 'spec.nodes.workers' },
  ];
  return groups.filter(({ count }) => count > 0);
}

/** The instance types of a spec, each once. */
export function instanceTypesOf(spec: ClusterSpec): readonly string[] {
  return [...new Set(machineGroups(spec).map(({ instanceType }) => instanceType))];
}
