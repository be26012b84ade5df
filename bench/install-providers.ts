// One installation of the four providers by Petra's own client, for bench/install.ts.
//
//   node bench/install-providers.ts KUBECONFIG --plan FILE | --releases FOLDER

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpKubernetesAccess } from '../adapters/http-kubernetes.ts';
import type { Installation } from '../core/capi/installation.ts';
import { inventoryObject } from '../core/capi/provider-components.ts';
import { type ComponentKey, providersFor, providerVariables } from '../core/capi/providers.ts';
import { hasCode } from '../core/errors.ts';
import { applyAll } from '../core/steps/apply-all.ts';
import { managementVersions } from '../test/conformance/releases.ts';

type Parts = Pick<Installation, 'foundation' | 'certificates' | 'controllers'>;

const [kubeconfig = '', how, source = ''] = process.argv.slice(2);

async function parts(): Promise<Parts> {
  // Written by bench/install.ts.
  if (how === '--plan') return JSON.parse(readFileSync(source, 'utf8')) as Parts;
  const { planInstallation } = await import('../core/capi/installation.ts');
  const read = (key: string, version: string, file: string) =>
    readFileSync(path.join(source, key, version, file), 'utf8');
  const manifests = Object.fromEntries(
    providersFor(managementVersions).map(({ provider, version, components }) => [
      provider.key,
      read(provider.key, version, components.file),
    ]),
  );
  return planInstallation({
    versions: managementVersions,
    // All providers; cert-manager is there already.
    manifests: { ...(manifests as Record<ComponentKey, string>), 'cert-manager': '' },
    variables: providerVariables,
  });
}

const { foundation, certificates, controllers } = await parts();
const api = new HttpKubernetesAccess().connect(readFileSync(kubeconfig, 'utf8'));
await applyAll(api, foundation);
await applyAll(api, [...certificates, ...controllers]);
const inventory = providersFor(managementVersions).map(({ provider, version }) =>
  inventoryObject(provider, version),
);
for (let isRecorded = false; !isRecorded; ) {
  try {
    await applyAll(api, inventory);
    isRecorded = true;
  } catch (error) {
    // Its definition was applied a moment ago.
    if (!hasCode(error, 'ObjectRefused')) throw error;
    await sleep(50);
  }
}
process.exit();
