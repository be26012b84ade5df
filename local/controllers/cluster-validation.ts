// What Cluster API's webhooks check of a Cluster with a topology. Pure.
// As upstream, a missing ClusterClass is no reason to refuse: the condition TopologyReconciled tells about it.

import { listAt, recordAt, textAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { invalidValue, requiredValue, type StatusCause } from '../kubernetes/api-status.ts';
import { variableProblems, withDefaults } from './class-variables.ts';

// capi-1.9.5/util/version/version.go: semantic versions with a leading v, build metadata allowed.
const versionPattern = /^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([-0-9a-zA-Z_.+]*)?$/;

/** The Cluster with defaults filled in: a `v` before its version, and the variables of its class. */
export function defaultCluster(
  cluster: KubernetesObject,
  clusterClass: KubernetesObject | undefined,
): KubernetesObject {
  const spec = recordAt(cluster, 'spec');
  const topology = recordAt(spec, 'topology');
  const version = textAt(topology, 'version') ?? '';
  const variables = clusterClass ? withDefaults(cluster, clusterClass) : [];
  return {
    ...cluster,
    spec: {
      ...spec,
      topology: {
        ...topology,
        ...(/^\d/.test(version) ? { version: `v${version}` } : {}),
        ...(variables.length > 0 ? { variables } : {}),
      },
    },
  };
}

/** What is wrong with the Cluster; empty when nothing is. */
export function clusterProblems(
  cluster: KubernetesObject,
  clusterClass: KubernetesObject | undefined,
  old: KubernetesObject | undefined,
): readonly StatusCause[] {
  const topology = recordAt(cluster, 'spec', 'topology');
  const problems: StatusCause[] = [];
  if (textAt(topology, 'class') === undefined) {
    problems.push(requiredValue('spec.topology.class', 'class cannot be empty'));
  }
  problems.push(
    ...versionProblems(textAt(topology, 'version') ?? '', textAt(old, 'spec', 'topology', 'version')),
  );
  const names = new Set<string>();
  for (const [i, worker] of listAt(topology, 'workers', 'machineDeployments').entries()) {
    const field = `spec.topology.workers.machineDeployments[${i}]`;
    const name = textAt(worker, 'name') ?? '';
    if (names.has(name)) problems.push(invalidValue(`${field}.name`, name, `name must be unique`));
    names.add(name);
    const className = textAt(worker, 'class') ?? '';
    if (clusterClass && !workerClasses(clusterClass).includes(className)) {
      problems.push(
        invalidValue(
          `${field}.class`,
          className,
          `MachineDeploymentClass with name "${className}" does not exist in ClusterClass "${clusterClass.metadata.name}"`,
        ),
      );
    }
  }
  return clusterClass ? [...problems, ...variableProblems(cluster, clusterClass)] : problems;
}

function workerClasses(clusterClass: KubernetesObject): readonly (string | undefined)[] {
  return listAt(clusterClass, 'spec', 'workers', 'machineDeployments').map((worker) =>
    textAt(worker, 'class'),
  );
}

function versionProblems(version: string, old: string | undefined): readonly StatusCause[] {
  const field = 'spec.topology.version';
  const next = numbersOf(version);
  if (!next) return [invalidValue(field, version, 'version must be a valid semantic version')];
  const before = numbersOf(old ?? '');
  if (!before) return [];
  const difference = next.map((number, i) => number - (before[i] ?? 0)).find((step) => step !== 0) ?? 0;
  if (difference < 0) {
    return [invalidValue(field, version, `version cannot be decreased from "${old}" to "${version}"`)];
  }
  const [major = 0, minor = 0] = next;
  if (major > (before[0] ?? 0) || minor > (before[1] ?? 0) + 1) {
    return [invalidValue(field, version, `version cannot be increased from "${old}" to "${version}"`)];
  }
  return [];
}

function numbersOf(version: string): readonly number[] | undefined {
  return versionPattern.exec(version)?.slice(1, 4).map(Number);
}
