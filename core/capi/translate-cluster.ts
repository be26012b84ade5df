import type { KubernetesObject } from '../ports.ts';
import { podCidr, serviceCidr, serviceDomain } from './cluster-network.ts';
import { availabilityZones } from './cluster-spec.ts';
import type { ClusterSpec } from './spec-schema.ts';

/** Name of the one ClusterClass, and the namespace of everything Petra applies to a management cluster. */
export const clusterClassName = 'petra';
export const clusterNamespace = 'default';

/** The worker class of the ClusterClass, and the name of its one MachineDeployment in a cluster. */
export const workerClass = 'default-worker';
export const workerTopology = 'md-0';

/**
 * How long a machine may take to leave. By default a drain held up by a PodDisruptionBudget and a volume that does not
 * detach are waited for without limit, and a Node object is given up after 10 s (Cluster API 1.9, clusterclass_types.go).
 * Written the way Cluster API stores durations, so that reading them back shows no difference.
 */
export const machineTimeouts = {
  nodeDrainTimeout: '10m0s',
  nodeVolumeDetachTimeout: '5m0s',
  nodeDeletionTimeout: '1m0s',
} as const;

/** What a Cluster is translated from: a checked spec and, once the cluster is recorded, its uid in the fleet. */
export interface ClusterSource {
  readonly spec: ClusterSpec;
  readonly uid?: string;
}

/** The Cluster object of a workload spec: a topology of the ClusterClass `petra`, every variable written out. */
export function translateCluster({ spec: document, uid }: ClusterSource): KubernetesObject {
  const { metadata, spec } = document;
  const { controlPlane, workers } = spec.nodes;
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: {
      name: metadata.name,
      namespace: clusterNamespace,
      labels: {
        'app.kubernetes.io/managed-by': 'petra',
        'petra.sh/profile': spec.profile,
        ...(uid !== undefined && { 'petra.sh/uid': uid }),
      },
    },
    spec: {
      clusterNetwork: {
        pods: { cidrBlocks: [podCidr] },
        services: { cidrBlocks: [serviceCidr] },
        serviceDomain,
      },
      topology: {
        class: clusterClassName,
        // The full version with its k3s suffix: the bootstrap provider hands it to the k3s installer verbatim.
        version: spec.kubernetes.version,
        controlPlane: { replicas: controlPlane.count, ...machineTimeouts },
        workers: {
          machineDeployments: [
            { class: workerClass, name: workerTopology, replicas: workers.count, ...machineTimeouts },
          ],
        },
        variables: [
          { name: 'region', value: spec.target.region },
          { name: 'controlPlaneInstanceType', value: controlPlane.instanceType },
          { name: 'workerInstanceType', value: workers.instanceType },
          { name: 'profile', value: spec.profile },
          {
            name: 'addons',
            value: {
              cilium: { enabled: spec.addons.cilium.enabled },
              flux: { enabled: spec.addons.flux.enabled },
            },
          },
          { name: 'network', value: networkVariable(document) },
          ...(uid === undefined ? [] : [{ name: 'uid', value: uid }]),
        ],
      },
    },
  };
}

function networkVariable(spec: ClusterSpec): Readonly<Record<string, unknown>> {
  const network = spec.spec.target.network;
  if (network?.vpcId === undefined) return { availabilityZones: availabilityZones(spec) };
  return {
    vpcId: network.vpcId,
    ...(network.subnetIds !== undefined && { subnetIds: network.subnetIds }),
  };
}
