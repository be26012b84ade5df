// A namespace of a management cluster in which rendered objects are tried, away from the clusters that are there.

import { setTimeout as sleep } from 'node:timers/promises';
import { clusterClassName } from '../../core/capi/translate-cluster.ts';
import { hasCode, messageOf } from '../../core/errors.ts';
import { isObject } from '../../core/json-fields.ts';
import type { Kubernetes, KubernetesObject } from '../../core/ports.ts';
import { isConditionTrue } from '../../local/controllers/conditions.ts';

const pauseMilliseconds = 100;

export interface Trial {
  readonly kubernetes: Kubernetes;
  readonly namespace: string;
}

/** The object, and what it refers to, in another namespace than the one it was rendered for. */
export function movedTo(namespace: string, object: KubernetesObject): KubernetesObject {
  const { resourceVersion: _, ownerReferences: __, managedFields: ___, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, namespace },
    spec: withNamespace(namespace, object.spec),
  };
}

function withNamespace(namespace: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withNamespace(namespace, item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'namespace' && inner === 'default' ? namespace : withNamespace(namespace, inner),
    ]),
  );
}

/** What the API server and the webhooks have against objects, which are not stored. */
export async function dryRunProblems(
  { kubernetes, namespace }: Trial,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const answers = await Promise.all(
    objects.map((object) =>
      dryRun(kubernetes, movedTo(namespace, object)).then(
        () => [],
        (error: unknown) => [`${object.kind} ${object.metadata.name}: ${messageOf(error)}`],
      ),
    ),
  );
  return answers.flat();
}

/** A controller that a busy machine makes miss its lease ends, and is back soon: that says nothing about the object. */
const outageMilliseconds = 30_000;

async function dryRun(kubernetes: Kubernetes, object: KubernetesObject): Promise<void> {
  const deadline = Date.now() + outageMilliseconds;
  for (;;) {
    try {
      await kubernetes.apply(object, { dryRun: true });
      return;
    } catch (error) {
      const isOutage = hasCode(error, 'WebhookUnavailable', 'KubernetesUnreachable');
      if (!isOutage || Date.now() > deadline) throw error;
    }
    await sleep(pauseMilliseconds);
  }
}

/** Puts the ClusterClass there, and waits until Cluster API has accepted its variables. */
export async function applyClass(
  { kubernetes, namespace }: Trial,
  clusterClass: readonly KubernetesObject[],
): Promise<void> {
  await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of clusterClass) await kubernetes.apply(movedTo(namespace, object));
  const reference = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'ClusterClass',
    name: clusterClassName,
    namespace,
  };
  await eventually('the ClusterClass is reconciled', async () =>
    isConditionTrue(await kubernetes.read(reference), 'VariablesReconciled'),
  );
}

/** Waits for something that controllers do. @throws Error with `what` when they do not */
export async function eventually(
  what: string,
  isSo: () => Promise<boolean>,
  limitSeconds = 30,
): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not after ${limitSeconds} s: ${what}`);
    await sleep(pauseMilliseconds);
  }
}
