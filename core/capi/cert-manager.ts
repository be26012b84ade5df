// cert-manager as clusterctl installs it (client/cluster/cert_manager.go): labelled, so that clusterctl takes it for its
// own in an upgrade.

import type { KubernetesObject } from '../ports.ts';
import { parseManifest } from './manifest-yaml.ts';
import { clusterctlLabel, coreLabel, labelled } from './provider-components.ts';
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
      [coreLabel]: 'cert-manager',
    });
    const annotations = {
      ...marked.metadata.annotations,
      'cert-manager.clusterctl.cluster.x-k8s.io/version': version,
    };
    return { ...marked, metadata: { ...marked.metadata, annotations } };
  });
}
