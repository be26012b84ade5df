// In place of the Deployment controller: the status of a Deployment with one Pod. Reasons and messages are the real
// controller's (pkg/controller/deployment/util/deployment_util.go); a progress deadline is not kept.

import { available } from '../../local/controllers/deployments.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
}

export interface Deployment {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly replicas?: number; readonly template: import('./pod-template.ts').PodTemplate };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

/** As a merge patch; undefined when the Deployment says the same already. */
export function deploymentStatusOf(
  deployment: Deployment,
  pod: { readonly isReady: boolean } | undefined,
  now: Date,
) {
  const ready = pod?.isReady ? 1 : 0;
  // A Deployment that wants no Pods has as many as it wants.
  const isAvailable = !pod || pod.isReady;
  const previous = deployment.status?.conditions ?? [];
  const conditions = [
    available(isAvailable),
    {
      type: 'Progressing',
      status: 'True',
      reason: isAvailable ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
      message: isAvailable ? 'ReplicaSet has successfully progressed.' : 'ReplicaSet is progressing.',
    },
  ];
  const isSaid =
    deployment.status?.observedGeneration === deployment.metadata.generation &&
    conditions.every(({ type, status, reason }) =>
      previous.some((one) => one.type === type && one.status === status && one.reason === reason),
    );
  if (isSaid) return undefined;
  const time = now.toISOString().replace(/\.\d+/, '');
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: pod ? 1 : 0,
    updatedReplicas: pod ? 1 : 0,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: pod ? 1 - ready : 0,
    conditions: conditions.map((condition) => {
      const same = previous.find((one) => one.type === condition.type && one.status === condition.status);
      return { ...condition, lastUpdateTime: time, lastTransitionTime: same?.lastTransitionTime ?? time };
    }),
  };
}
