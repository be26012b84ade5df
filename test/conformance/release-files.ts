// The files of releases that were built here, where Petra asks for those of GitHub.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { certManagerRelease, providers } from '../../core/capi/providers.ts';
import type { ReleaseAsset } from '../../core/ports.ts';
import { SyntheticReleases } from '../../local/synthetic-releases.ts';
import type { FindRelease } from '../virtual-account/release-mirror.ts';

/** `folder` has clusterctl's layout: `<label>/<version>/<file>`. */
export function releaseFiles(folder: string): FindRelease {
  // No node downloads k3s here: of its releases only the sums are looked at.
  const sums = new SyntheticReleases();
  return async (asset) => {
    if (asset.repository === 'k3s-io/k3s') return found(() => sums.fetch(asset), 'ReleaseNotFound');
    const label = labelOf(asset);
    if (label === undefined) return undefined;
    return found(() => readFile(path.join(folder, label, asset.version, asset.file), 'utf8'), 'ENOENT');
  };
}

async function found(read: () => Promise<string>, code: string): Promise<string | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  }
}

/** Two providers share a repository and a metadata.yaml, of which each has a copy. */
function labelOf({ repository, version, file }: ReleaseAsset): string | undefined {
  if (repository === certManagerRelease(version).repository) return 'cert-manager';
  return providers.find(
    (provider) =>
      provider.repository === repository &&
      (provider.componentsFile === file || provider.metadataFile === file),
  )?.key;
}
