import type { ClusterSpec } from '../core/capi/spec-schema.ts';
import { managementNodes, renderManagementUserData } from '../core/management/k3s-user-data.ts';
import { usageError } from './usage.ts';

/** Stands for the id a cluster gets when it is made. */
const placeholderUid = '00000000-0000-4000-8000-000000000000';

/**
 * The user data that a machine of a management cluster would start with, for people who have to approve it. What is
 * only known later stands in it as a placeholder: the cluster's id, and addresses from the range for documentation.
 * @throws InvalidUsage for a workload spec or a node that the spec does not have
 */
export function renderUserData(spec: ClusterSpec, nodeName: string): string {
  if (spec.spec.management === undefined) {
    throw usageError(
      'only the machines of a management cluster start with user data of Petra',
      'Leave --user-data out.',
    );
  }
  const nodes = managementNodes({
    name: spec.metadata.name,
    uid: placeholderUid,
    region: spec.spec.target.region,
    spec,
    serverAddresses: Array.from(
      { length: spec.spec.nodes.controlPlane.count },
      (_, index) => `192.0.2.${index + 10}`,
    ),
  });
  const node = nodes.find((one) => one.name === nodeName);
  if (node === undefined) {
    throw usageError(
      `--user-data: the spec has no node "${nodeName}"`,
      `It has ${nodes.map((one) => one.name).join(', ')}.`,
    );
  }
  return renderManagementUserData(node);
}
