// The scheduler and the kubelets of a simulated cluster: Pods are made, and become ready after a while.
// Simulated: Pods wait for a Node whose taints they tolerate and for the Secrets they mount, leave with their Node,
// crash when a `provider:` fault asks for it. Not simulated: containers, probes, images, resources, affinity.

import { at, isTrueAt, listAt, numberAt, recordAt, textAt, textsAt } from '../../core/json-fields.ts';
import type { KubernetesObject } from '../../core/ports.ts';
import { isConditionTrue, timestamp } from './conditions.ts';
import { podStartSeconds } from './durations.ts';
import { remaining, soonest, timeNote } from './elapsed.ts';
import type { ActiveFaults, Environment } from './environment.ts';
import { isDeleting, isOwnedBy, kinds, ownerReference } from './kinds.ts';
import { pick } from './naming.ts';
import type { Again } from './work-queue.ts';
import { changeObject, ensureObject, removeObject, setStatus } from './writes.ts';

/** What the controllers of Pods need: they run in management and workload clusters alike. */
export type PodEnvironment = Pick<Environment, 'store' | 'pace' | 'faults'>;

export interface WantedPod {
  readonly name: string;
  /** The Node it must run on; absent: any. */
  readonly nodeName?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PodCounts {
  readonly total: number;
  readonly ready: number;
  readonly again: Again;
}

/** Makes the owner's Pods those that are wanted, and counts how many run. */
export async function runPods(
  environment: PodEnvironment,
  owner: KubernetesObject,
  template: unknown,
  wanted: readonly WantedPod[],
  isCrashing: boolean,
): Promise<PodCounts> {
  const { store } = environment;
  const { namespace } = owner.metadata;
  const nodes = store.list('v1', 'Node');
  const present = store.list('v1', 'Pod', { namespace }).filter((pod) => isOwnedBy(pod, owner));
  for (const pod of present) {
    const nodeName = textAt(pod, 'spec', 'nodeName');
    const isLost = nodeName !== undefined && !nodes.some(({ metadata }) => metadata.name === nodeName);
    if (isLost || !wanted.some(({ name }) => name === pod.metadata.name)) await removeObject(store, pod);
  }
  let ready = 0;
  let again: Again;
  for (const want of wanted) {
    const nodeName = want.nodeName ?? chooseNode(nodes, template, want.name);
    const made = await ensureObject(store, newPod(owner, template, want, nodeName));
    if (isDeleting(made)) continue;
    const pod = await schedule(environment, made, nodeName);
    const wait = isPodReady(pod) ? 0 : await startPod(environment, pod, isCrashing);
    if (wait === 0) ready += 1;
    else again = soonest(again, wait);
  }
  return { total: wanted.length, ready, again };
}

export function isPodReady(pod: KubernetesObject): boolean {
  return isConditionTrue(pod, 'Ready');
}

/** Whether a fault keeps the Pods of this Deployment or DaemonSet from running. */
export function isMadeToCrash(faults: ActiveFaults, owner: KubernetesObject): boolean {
  const provider = owner.metadata.labels?.['cluster.x-k8s.io/provider'];
  return [owner.metadata.name, provider].some(
    (name) => name !== undefined && faults.active(`provider:${name}`) !== undefined,
  );
}

function newPod(
  owner: KubernetesObject,
  template: unknown,
  { name, labels }: WantedPod,
  nodeName: string | undefined,
): KubernetesObject {
  const { namespace } = owner.metadata;
  return {
    ...kinds.pod,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...textsAt(template, 'metadata', 'labels'), ...labels },
      annotations: {
        ...textsAt(template, 'metadata', 'annotations'),
        ...(nodeName === undefined ? {} : timeNote('scheduled', Date.now())),
      },
      ownerReferences: [ownerReference(owner, true)],
    },
    spec: { ...recordAt(template, 'spec'), ...(nodeName === undefined ? {} : { nodeName }) },
  };
}

/** The Pod on the Node that was chosen for it, unless it already has one. */
async function schedule(
  { store }: PodEnvironment,
  pod: KubernetesObject,
  nodeName: string | undefined,
): Promise<KubernetesObject> {
  if (nodeName === undefined || textAt(pod, 'spec', 'nodeName') !== undefined) return pod;
  return changeObject(store, pod, (present) => ({
    ...present,
    metadata: {
      ...present.metadata,
      annotations: { ...present.metadata.annotations, ...timeNote('scheduled', Date.now()) },
    },
    spec: { ...recordAt(present, 'spec'), nodeName },
  }));
}

function chooseNode(nodes: readonly KubernetesObject[], template: unknown, seed: string): string | undefined {
  const tolerations = listAt(template, 'spec', 'tolerations');
  const isTolerated = (taint: unknown) =>
    tolerations.some((one) => [undefined, textAt(taint, 'key')].includes(textAt(one, 'key')));
  const fitting = nodes.filter((node) => listAt(node, 'spec', 'taints').every(isTolerated));
  return fitting[pick(seed, fitting.length || 1)]?.metadata.name;
}

/** Starts a Pod as far as it can be; returns the real milliseconds it still needs (0: it runs). */
async function startPod(
  { store, pace }: PodEnvironment,
  pod: KubernetesObject,
  isCrashing: boolean,
): Promise<number> {
  if (textAt(pod, 'spec', 'nodeName') === undefined) {
    await setStatus(store, pod, unschedulable);
    // A Node that comes, or loses its taints, wakes the Deployment again.
    return Number.POSITIVE_INFINITY;
  }
  const missing = mountedSecrets(pod).find(
    (name) => store.get('v1', 'Secret', pod.metadata.namespace, name) === undefined,
  );
  if (missing !== undefined) {
    const message = `MountVolume.SetUp failed: secret "${missing}" not found`;
    await setStatus(store, pod, podStatus(pod, { reason: 'ContainerCreating', message }));
    // A Secret's creation wakes the Deployment again.
    return Number.POSITIVE_INFINITY;
  }
  const wait = remaining(pod, 'scheduled', podStartSeconds, pace);
  if (wait > 0) {
    await setStatus(store, pod, podStatus(pod, { reason: 'ContainerCreating' }));
    return wait;
  }
  if (isCrashing) {
    const message = 'back-off 10s restarting failed container';
    await setStatus(store, pod, podStatus(pod, { reason: 'CrashLoopBackOff', message }));
    return pace.milliseconds(10);
  }
  await setStatus(store, pod, podStatus(pod));
  return 0;
}

const unschedulable = {
  phase: 'Pending',
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: 'no nodes available to schedule pods',
    },
  ],
};

/** The status of a Pod that waits for something, or runs. */
function podStatus(pod: KubernetesObject, waiting?: { readonly reason: string; readonly message?: string }) {
  const now = timestamp(Date.now());
  const isRunning = waiting === undefined;
  const hasStarted = isRunning || waiting.reason === 'CrashLoopBackOff';
  const condition = (type: string, isTrue: boolean) => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime:
      textAt(
        listAt(pod, 'status', 'conditions').find(
          (old) => textAt(old, 'type') === type && textAt(old, 'status') === (isTrue ? 'True' : 'False'),
        ),
        'lastTransitionTime',
      ) ?? now,
    ...(isTrue ? {} : { reason: 'ContainersNotReady' }),
  });
  return {
    phase: hasStarted ? 'Running' : 'Pending',
    startTime: textAt(pod, 'status', 'startTime') ?? now,
    ...(isRunning ? { podIP: podAddress(pod), podIPs: [{ ip: podAddress(pod) }] } : {}),
    conditions: [
      condition('Ready', isRunning),
      condition('ContainersReady', isRunning),
      condition('Initialized', true),
      condition('PodScheduled', true),
    ],
    containerStatuses: listAt(pod, 'spec', 'containers').map((container, i) => ({
      name: textAt(container, 'name') ?? '',
      image: textAt(container, 'image') ?? '',
      ready: isRunning,
      started: isRunning,
      restartCount: numberAt(pod, 'status', 'containerStatuses', i, 'restartCount') ?? 0,
      state: isRunning ? { running: { startedAt: textAt(pod, 'status', 'startTime') ?? now } } : { waiting },
    })),
  };
}

function podAddress(pod: KubernetesObject): string {
  const seed = pod.metadata.uid ?? pod.metadata.name;
  return `10.42.${pick(`${seed}/a`, 256)}.${2 + pick(`${seed}/b`, 250)}`;
}

function mountedSecrets(pod: KubernetesObject): readonly string[] {
  return listAt(pod, 'spec', 'volumes')
    .filter((volume) => !isTrueAt(volume, 'secret', 'optional'))
    .map((volume) => at(volume, 'secret', 'secretName'))
    .filter((name) => typeof name === 'string');
}
