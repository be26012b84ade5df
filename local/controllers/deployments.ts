// The Deployment, ReplicaSet and DaemonSet controllers of a simulated cluster, management and workload alike.
// Simulated: Pods per replica or Node, scaling, a changed template rolls, conditions Available and Progressing.
// Not simulated: the steps of a rolling update (the old Pods go when the new ones are ready), rollback, pausing.

import { canonicalJson } from '../../core/canonical-json.ts';
import { at, listAt, numberAt, recordAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { type Condition, withConditions } from './conditions.ts';
import { type Controller, wakesOwner } from './controller.ts';
import { isDeleting, isOwnedBy, kinds, ownerReference } from './kinds.ts';
import { suffix } from './naming.ts';
import { isMadeToCrash, type PodEnvironment, runPods } from './pods.ts';
import { addMetadata, changeObject, ensureObject, removeObject, setStatus } from './writes.ts';

/** Makes Deployments available. */
export function deploymentController(environment: PodEnvironment): Controller {
  const { store, faults } = environment;
  return {
    name: 'deployment',
    kind: kinds.deployment,
    wakes: [
      wakesDeploymentOfPod,
      { kind: kinds.secret, existence: true, wakes: () => 'all' },
      // Only a Node without taints changes anything for them.
      { kind: kinds.node, wakes: (node) => (listAt(node, 'spec', 'taints').length === 0 ? 'all' : []) },
    ],
    async reconcile(deployment) {
      if (isDeleting(deployment)) return undefined;
      const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
      const template = at(deployment, 'spec', 'template');
      const hash = suffix(canonicalJson(template), 10);
      const labels = { ...textsAt(template, 'metadata', 'labels'), 'pod-template-hash': hash };
      const wanted = newReplicaSet(deployment, hash, labels, replicas);
      const created = await ensureObject(store, wanted);
      const replicaSet = await changeObject(store, created, (set) => ({
        ...set,
        spec: { ...recordAt(set, 'spec'), replicas },
      }));
      const { name } = replicaSet.metadata;
      const pods = await runPods(
        environment,
        replicaSet,
        template,
        Array.from({ length: replicas }, (_, i) => ({
          name: `${name}-${suffix(`${replicaSet.metadata.uid}/${i}`)}`,
          labels,
        })),
        isMadeToCrash(faults, deployment),
      );
      const { total, ready, again } = pods;
      await setStatus(store, replicaSet, {
        replicas: total,
        fullyLabeledReplicas: total,
        readyReplicas: ready,
        availableReplicas: ready,
        observedGeneration: replicaSet.metadata.generation,
      });
      const old = store
        .list('apps/v1', 'ReplicaSet', { namespace: deployment.metadata.namespace })
        .filter((set) => isOwnedBy(set, deployment) && set.metadata.name !== name);
      if (ready === total) for (const set of old) await removeObject(store, set);
      const isStillServed = ready === total || old.some((set) => numberAt(set, 'status', 'readyReplicas'));
      const annotated = await addMetadata(store, deployment, {
        annotations: { 'deployment.kubernetes.io/revision': '1' },
      });
      await setStatus(store, annotated, (status) => ({
        ...status,
        observedGeneration: annotated.metadata.generation,
        replicas: total,
        updatedReplicas: total,
        readyReplicas: ready,
        availableReplicas: ready,
        unavailableReplicas: total > ready ? total - ready : undefined,
        conditions: withConditions(
          listAt(status, 'conditions'),
          [available(isStillServed), progressing(name, ready === total)],
          Date.now(),
        ),
      }));
      return again;
    },
  };
}

/** Runs a Pod of each DaemonSet on every Node. */
export function daemonSetController(environment: PodEnvironment): Controller {
  const { store, faults } = environment;
  return {
    name: 'daemonset',
    kind: kinds.daemonSet,
    wakes: [
      wakesOwner(kinds.pod, kinds.daemonSet),
      // Only a Node without taints changes anything for them.
      { kind: kinds.node, wakes: (node) => (listAt(node, 'spec', 'taints').length === 0 ? 'all' : []) },
    ],
    async reconcile(daemonSet) {
      if (isDeleting(daemonSet)) return undefined;
      const template = at(daemonSet, 'spec', 'template');
      const selector = Object.entries(textsAt(template, 'spec', 'nodeSelector'));
      const nodes = store
        .list('v1', 'Node')
        .filter(({ metadata }) => selector.every(([key, value]) => metadata.labels?.[key] === value));
      const { total, ready, again } = await runPods(
        environment,
        daemonSet,
        template,
        nodes.map(({ metadata: { name } }) => ({
          name: `${daemonSet.metadata.name}-${suffix(`${daemonSet.metadata.uid}/${name}`)}`,
          nodeName: name,
          labels: {},
        })),
        isMadeToCrash(faults, daemonSet),
      );
      await setStatus(store, daemonSet, {
        observedGeneration: daemonSet.metadata.generation,
        currentNumberScheduled: total,
        desiredNumberScheduled: total,
        updatedNumberScheduled: total,
        numberReady: ready,
        numberAvailable: ready,
        numberMisscheduled: 0,
        numberUnavailable: total > ready ? total - ready : undefined,
      });
      return again;
    },
  };
}

function newReplicaSet(
  deployment: KubernetesObject,
  hash: string,
  labels: Readonly<Record<string, string>>,
  replicas: number,
): KubernetesObject {
  const template = at(deployment, 'spec', 'template');
  const { name, namespace = '' } = deployment.metadata;
  return {
    ...kinds.replicaSet,
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      ownerReferences: [ownerReference(deployment, true)],
    },
    spec: {
      replicas,
      selector: {
        matchLabels: { ...textsAt(deployment, 'spec', 'selector', 'matchLabels'), 'pod-template-hash': hash },
      },
      template: { ...recordAt(template), metadata: { ...recordAt(template, 'metadata'), labels } },
    },
  };
}

/** A Pod belongs to a Deployment through a ReplicaSet, whose name is the Deployment's and a hash. */
const wakesDeploymentOfPod = {
  kind: kinds.pod,
  wakes: ({ metadata }: KubernetesObject) =>
    (metadata.ownerReferences ?? [])
      .filter(({ kind }) => kind === 'ReplicaSet')
      .map(({ name }) => ({ name: name.slice(0, name.lastIndexOf('-')), namespace: metadata.namespace })),
};

/** The condition Available of a Deployment, in the real controller's words. */
export function available(isAvailable: boolean): Condition {
  return isAvailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

function progressing(replicaSet: string, isDone: boolean): Condition {
  return {
    type: 'Progressing',
    status: 'True',
    reason: isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
    message: `ReplicaSet "${replicaSet}" ${isDone ? 'has successfully progressed.' : 'is progressing.'}`,
  };
}
