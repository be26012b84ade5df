import type { KubernetesObject, ObjectReference } from '../ports.ts';
import { classPatches } from './class-patches.ts';
import { type ClassTemplates, classTemplates } from './class-templates.ts';
import { classVariables } from './class-variables.ts';
import { clusterClassName, clusterNamespace, machineTimeouts, workerClass } from './translate-cluster.ts';

/**
 * The ClusterClass `petra` with its templates, in the order in which they can be applied: templates first, the class that
 * names them last. The same for every cluster; what differs is in the variables of the Cluster.
 */
export function renderClusterClass(): readonly KubernetesObject[] {
  const templates = classTemplates();
  return [...Object.values(templates), clusterClass(templates)];
}

/**
 * Replaces workers whose Node was lost or stopped answering (a terminated instance is not replaced otherwise), a fifth of
 * them at a time, so that a network fault does not take all of them. A Node that never came up is left for people to look at:
 * Petra's own deadline reports it. Servers are not replaced unasked: each is a member of etcd's quorum.
 */
const workerHealth = {
  machineHealthCheck: {
    nodeStartupTimeout: '0s',
    unhealthyConditions: [
      { type: 'Ready', status: 'Unknown', timeout: '5m0s' },
      { type: 'Ready', status: 'False', timeout: '5m0s' },
    ],
  },
  strategy: {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    remediation: { maxInFlight: '20%' },
  },
};

function clusterClass(templates: ClassTemplates): KubernetesObject {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'ClusterClass',
    metadata: {
      name: clusterClassName,
      namespace: clusterNamespace,
      labels: { 'app.kubernetes.io/managed-by': 'petra' },
    },
    spec: {
      infrastructure: { ref: reference(templates.cluster) },
      controlPlane: {
        ref: reference(templates.controlPlane),
        machineInfrastructure: { ref: reference(templates.controlPlaneMachine) },
        ...machineTimeouts,
      },
      workers: {
        machineDeployments: [
          {
            class: workerClass,
            template: {
              bootstrap: { ref: reference(templates.worker) },
              infrastructure: { ref: reference(templates.workerMachine) },
            },
            ...machineTimeouts,
            ...workerHealth,
          },
        ],
      },
      variables: classVariables,
      patches: classPatches(),
    },
  };
}

function reference(object: KubernetesObject): ObjectReference {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    namespace: clusterNamespace,
  };
}
