import { parseClusterSpec } from '../../../core/capi/cluster-spec.ts';
import type { SpecProblem } from '../../../core/capi/spec-problem.ts';
import type { ClusterSpec } from '../../../core/capi/spec-schema.ts';
import { PetraError } from '../../../core/errors.ts';

/** The least a spec can say. */
export const minimal = `apiVersion: petra.sh/v1alpha1
kind: Cluster
metadata: {name: dev}
spec:
  kubernetes:
    version: v1.35.3+k3s1
  target:
    region: us-west-1
  nodes:
    controlPlane: {count: 1}
    workers: {count: 2}
`;

/** `minimal` with a line of `spec` more. */
export function withLine(line: string): string {
  return `${minimal}  ${line}\n`;
}

/** `minimal` parsed, with another number of control-plane nodes or a network. */
export function workload(
  change: { readonly count?: number; readonly network?: object | undefined } = {},
): ClusterSpec {
  const text = minimal.replace('count: 1', `count: ${change.count ?? 1}`);
  const network = change.network ? `    network: ${JSON.stringify(change.network)}\n` : '';
  return parseClusterSpec(text.replace('  nodes:', `${network}  nodes:`), { file: 'sample.yaml' });
}

/** `minimal` with the versions of a management cluster. */
export function management(): ClusterSpec {
  return parseClusterSpec(withLine(`management: ${JSON.stringify(versions)}`), { file: 'sample.yaml' });
}

export const versions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.2',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};

/** Every problem of a file; none when it is valid. Anything but `InvalidSpec` fails the test. */
export function problemsOf(
  text: string | Uint8Array,
  expect: 'management' | 'workload' | 'any' = 'any',
  file = 'x.yaml',
): readonly SpecProblem[] {
  try {
    parseClusterSpec(text, { file, expect });
    return [];
  } catch (error) {
    if (error instanceof PetraError && error.code === 'InvalidSpec' && hasProblems(error.details)) {
      return error.details.problems;
    }
    throw error;
  }
}

function hasProblems(details: unknown): details is { readonly problems: readonly SpecProblem[] } {
  return typeof details === 'object' && details !== null && 'problems' in details;
}
