// cert-manager as clusterctl installs it (client/cluster/cert_manager.go): labelled, so that clusterctl takes it for its
// own in an upgrade, and tried out before anything relies on it.

import type { KubernetesObject } from '../ports.ts';
import { parseManifest } from './manifest-yaml.ts';
import { clusterctlLabel, labelled } from './provider-components.ts';
import { type ImageOverrides, overrideImages } from './provider-images.ts';

/** cert-manager's objects, ready to apply. Unlike a provider's manifest, it has no variables. @throws ReleaseCorrupt */
export function certManagerObjects(
  yaml: string,
  version: string,
  imageOverrides: ImageOverrides = {},
): readonly KubernetesObject[] {
  const objects = parseManifest(yaml, `cert-manager.yaml ${version}`);
  return overrideImages(objects, 'cert-manager', imageOverrides).map((object) => {
    const marked = labelled(object, {
      [clusterctlLabel]: '',
      'clusterctl.cluster.x-k8s.io/core': 'cert-manager',
    });
    const annotations = {
      ...marked.metadata.annotations,
      'cert-manager.clusterctl.cluster.x-k8s.io/version': version,
    };
    return { ...marked, metadata: { ...marked.metadata, annotations } };
  });
}

const probeNamespace = 'cert-manager-test';

/**
 * A trial: when all three are accepted, in this order, cert-manager's API and webhook work. Issuance is not awaited.
 * Removing the first removes all.
 */
export function certManagerProbe(): readonly [
  namespace: KubernetesObject,
  issuer: KubernetesObject,
  certificate: KubernetesObject,
] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: probeNamespace } },
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: 'test-selfsigned', namespace: probeNamespace },
      spec: { selfSigned: {} },
    },
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'selfsigned-cert', namespace: probeNamespace },
      spec: {
        dnsNames: ['example.com'],
        secretName: 'selfsigned-cert-tls',
        issuerRef: { name: 'test-selfsigned' },
      },
    },
  ];
}
