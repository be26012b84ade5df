// The release files of cert-manager and the providers, made as their projects make them: `kubectl kustomize` and
// helm's own engine over the sources of the pinned modules, with what the Makefiles set at release time. Nothing else is
// changed, and nothing is downloaded from a release page.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { certManagerRelease, type ProviderKey, providersFor } from '../../core/capi/providers.ts';
import type { ManagementVersions } from '../../core/capi/spec-schema.ts';
import { binary, moduleSources, type Say } from './binaries.ts';
import { cached, inWorkFolder, offer } from './cache.ts';
import { versions } from './go-modules.ts';
import { type ReleaseSettings, released } from './released-manifest.ts';

const run = promisify(execFile);

/** What a spec must ask for to get these releases. */
export const managementVersions: ManagementVersions = {
  capiVersion: versions.capi,
  capaVersion: versions.capa,
  cabpK3sVersion: versions.k3sProviders,
  cacpK3sVersion: versions.k3sProviders,
  certManagerVersion: versions.certManager,
};

interface Source extends ReleaseSettings {
  readonly module: string;
  /** The kustomize folder in it. */
  readonly folder: string;
}

// Images and pull policies: `release-manifests` in the Makefiles of Cluster API and CAPA, `release-bootstrap` and
// `release-controlplane` in that of the k3s providers, which leave the pull policy out.
const sources: Readonly<Record<ProviderKey, Source>> = {
  'cluster-api': {
    module: 'sigs.k8s.io/cluster-api',
    folder: 'config/default',
    image: `registry.k8s.io/cluster-api/cluster-api-controller:${versions.capi}`,
    pullPolicy: 'IfNotPresent',
  },
  'bootstrap-k3s': {
    module: 'github.com/k3s-io/cluster-api-k3s',
    folder: 'bootstrap/config/default',
    image: `ghcr.io/k3s-io/cluster-api-k3s/bootstrap-controller:${versions.k3sProviders}`,
  },
  'control-plane-k3s': {
    module: 'github.com/k3s-io/cluster-api-k3s',
    folder: 'controlplane/config/default',
    image: `ghcr.io/k3s-io/cluster-api-k3s/controlplane-controller:${versions.k3sProviders}`,
  },
  'infrastructure-aws': {
    module: 'sigs.k8s.io/cluster-api-provider-aws/v2',
    folder: 'config/default',
    image: `registry.k8s.io/cluster-api-aws/cluster-api-aws-controller:${versions.capa}`,
    pullPolicy: 'IfNotPresent',
  },
};

/**
 * A folder with the releases as clusterctl's local repositories have them: `<label>/<version>/<file>`. Makes it when it
 * is not there.
 */
export async function releaseFolder(say: Say = () => undefined): Promise<string> {
  const recipe = await Promise.all(
    ['releases.ts', 'released-manifest.ts', 'go-modules.ts'].map((file) =>
      readFile(path.join(import.meta.dirname, file), 'utf8'),
    ),
  );
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const folder = cached(`releases-${hash}`);
  if (existsSync(folder)) return folder;
  const helmTemplate = await binary('helm-template', say);
  await inWorkFolder(async (work) => {
    const made = path.join(work, 'releases');
    for (const { provider, version, components, metadata } of providersFor(managementVersions)) {
      const { module, folder: kustomization, ...settings } = sources[provider.key];
      const source = await moduleSources(module);
      // An absolute path: kustomize takes one that begins with a host's name for a repository to clone.
      const { stdout } = await run('kubectl', ['kustomize', path.join(source, kustomization)], large);
      const release = path.join(made, provider.key, version);
      await mkdir(release, { recursive: true });
      await writeFile(path.join(release, components.file), released(stdout, settings));
      await writeFile(path.join(release, metadata.file), await readFile(path.join(source, 'metadata.yaml')));
    }
    const { version, file } = certManagerRelease(versions.certManager);
    const release = path.join(made, 'cert-manager', version);
    await mkdir(release, { recursive: true });
    await writeFile(
      path.join(release, file),
      await certManagerManifest(helmTemplate, path.join(work, 'cert-manager')),
    );
    await offer(made, folder);
  });
  return folder;
}

/** A configuration file for the real clusterctl, which then takes these releases and asks nobody else for them. */
export function clusterctlConfiguration(folder: string, variables: Readonly<Record<string, string>>): string {
  const url = (label: string, version: string, file: string) =>
    `file://${path.join(folder, label, version, file)}`;
  const certManager = certManagerRelease(versions.certManager);
  // JSON is YAML, and leaves no question of quoting.
  return `${JSON.stringify(
    {
      ...variables,
      providers: providersFor(managementVersions).map(({ provider, version, components }) => ({
        name: provider.providerName,
        type: provider.type,
        url: url(provider.key, version, components.file),
      })),
      'cert-manager': {
        url: url('cert-manager', certManager.version, certManager.file),
        version: certManager.version,
      },
    },
    null,
    2,
  )}\n`;
}

const large = { maxBuffer: 64 * 1024 * 1024 };

// As `make/manifests.mk` of cert-manager does: the chart with its CRDs among the templates, rendered with and without
// them, and the namespace before all.
async function certManagerManifest(helmTemplate: string, work: string): Promise<string> {
  const source = await moduleSources('github.com/cert-manager/cert-manager');
  const chart = path.join(work, 'chart');
  const from = path.join(source, 'deploy', 'charts', 'cert-manager');
  await mkdir(path.join(chart, 'templates'), { recursive: true });
  for (const name of await readdir(path.join(from, 'templates'))) {
    await writeFile(path.join(chart, 'templates', name), await readFile(path.join(from, 'templates', name)));
  }
  for (const name of ['values.yaml', 'values.schema.json']) {
    await writeFile(path.join(chart, name), await readFile(path.join(from, name)));
  }
  const description = await readFile(path.join(from, 'Chart.template.yaml'), 'utf8');
  await writeFile(path.join(chart, 'Chart.yaml'), description.replaceAll('v0.0.0', versions.certManager));
  const crds = path.join(source, 'deploy', 'crds');
  const definitions = (await readdir(crds)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(definitions.map((name) => readFile(path.join(crds, name), 'utf8')));
  await writeFile(path.join(chart, 'templates', 'crds.yaml'), texts.join('\n---\n'));

  const render = async (crds: boolean) =>
    template(helmTemplate, path.join(work, 'request.json'), {
      chart,
      release: 'cert-manager',
      namespace: 'cert-manager',
      kubeVersion: versions.kubernetes,
      values: { creator: 'static', startupapicheck: { enabled: false }, crds: { enabled: crds } },
    });
  const withCrds = await render(true);
  return [
    await readFile(path.join(source, 'deploy', 'manifests', 'namespace.yaml'), 'utf8'),
    ...withCrds.filter((one) => one.template === 'cert-manager/templates/crds.yaml').map(written),
    ...(await render(false)).map(written),
  ].join('---\n');
}

interface Rendered {
  readonly template: string;
  readonly content: string;
}

async function template(program: string, file: string, request: object): Promise<readonly Rendered[]> {
  await writeFile(file, JSON.stringify(request));
  return JSON.parse((await run(program, [file], large)).stdout);
}

function written({ template, content }: Rendered): string {
  return `# Source: ${template}\n${content}\n`;
}
