// The Secrets that the k3s control-plane provider keeps beside a Cluster.

import { createHash } from 'node:crypto';
import type { KubernetesObject } from '../../core/ports.ts';
import type { ObjectStore } from '../kubernetes/object-store.ts';
import { simulatedTls } from './cert-manager.ts';
import { clusterSecretType, kinds, labels, ownerReference } from './kinds.ts';
import { changeObject, ensureObject } from './writes.ts';

/** Makes the CAs and the join token. They are simulated: no machine uses them. Safe to repeat. */
export async function ensureClusterSecrets(
  store: ObjectStore,
  cluster: KubernetesObject,
  controlPlane: KubernetesObject,
): Promise<void> {
  for (const purpose of ['ca', 'cca', 'etcd']) {
    const tls = simulatedTls(`${cluster.metadata.name}-${purpose}`);
    await ensureObject(store, {
      ...secretFor(cluster, controlPlane, purpose),
      data: { 'tls.crt': tls['tls.crt'], 'tls.key': tls['tls.key'] },
    });
  }
  const token = createHash('sha256').update(`token of ${cluster.metadata.uid}`).digest('hex').slice(0, 32);
  await ensureObject(store, {
    ...secretFor(cluster, controlPlane, 'token'),
    data: { value: Buffer.from(token).toString('base64') },
  });
}

/** Writes the kubeconfig. Its address may differ after each start of a local Petra, so it is always brought up to date. */
export async function writeKubeconfig(
  store: ObjectStore,
  cluster: KubernetesObject,
  controlPlane: KubernetesObject,
  kubeconfig: string,
): Promise<void> {
  const data = { value: Buffer.from(kubeconfig).toString('base64') };
  // Unlike the others, it has no type of its own.
  const wanted = { ...secretFor(cluster, controlPlane, 'kubeconfig'), type: 'Opaque', data };
  const secret = await ensureObject(store, wanted);
  await changeObject(store, secret, (present) => ({ ...present, data }));
}

function secretFor(
  cluster: KubernetesObject,
  controlPlane: KubernetesObject,
  purpose: string,
): KubernetesObject {
  const { name, namespace = '' } = cluster.metadata;
  return {
    ...kinds.secret,
    metadata: {
      name: `${name}-${purpose}`,
      namespace,
      labels: { [labels.clusterName]: name },
      ownerReferences: [ownerReference(controlPlane, true)],
    },
    type: clusterSecretType,
  };
}
