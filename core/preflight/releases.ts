// Whether everything that will be downloaded exists and fits together. Each file is asked for once; where fetched files are kept
// (S3 on AWS), a later state finds them there.

import { certManagerObjects } from '../capi/cert-manager.ts';
import { architectureOf } from '../capi/instance-architecture.ts';
import { renderProvider } from '../capi/provider-components.ts';
import { assessVersions, explainMissingRelease } from '../capi/provider-matrix.ts';
import { assessMetadata, type Finding, parseProviderMetadata } from '../capi/provider-metadata.ts';
import {
  type ComponentKey,
  certManagerRelease,
  type ProviderRelease,
  providersFor,
  providerVariables,
} from '../capi/providers.ts';
import type { ClusterSpec, ManagementVersions } from '../capi/spec-schema.ts';
import { PetraError } from '../errors.ts';
import type { Ports } from '../petra.ts';
import type { Architecture, ReleaseAsset, Releases } from '../ports.ts';
import {
  type Answer,
  ask,
  errorFinding,
  findingOf,
  type PreflightFinding,
  uncheckedFinding,
  warningFinding,
} from './finding.ts';
import { instanceTypesOf } from './machine-groups.ts';

/** Everything that can be said of a set of versions without asking anyone. */
export function checkVersions(
  { clock, releases }: Pick<Ports, 'clock' | 'releases'>,
  versions: ManagementVersions,
  kubernetesVersion: string,
): readonly PreflightFinding[] {
  const assessed = assessVersions({
    versions,
    kubernetesVersion,
    today: clock.now(),
    repositoryKind: releases.kind,
  });
  return [
    ...assessed.errors.map(incompatible),
    ...assessed.warnings.map(({ message, fix }) => warningFinding('VersionsUnsupported', message, { fix })),
  ];
}

/** Whether Cluster API's components exist, can be read and rendered, and go together by what they say of themselves. */
export async function checkComponents(
  { settings, releases }: Pick<Ports, 'settings' | 'releases'>,
  versions: ManagementVersions,
): Promise<readonly PreflightFinding[]> {
  const fetched = once(releases);
  const variables = { ...providerVariables, ...settings.providerVariables };
  const readProvider = async (release: ProviderRelease) => {
    const { provider, version } = release;
    const [metadata, manifest] = await Promise.all([fetched(release.metadata), fetched(release.components)]);
    return {
      release,
      metadata: understood(metadata, (text) => parseProviderMetadata(text, `${provider.key} ${version}`)),
      manifest: understood(manifest, (yaml) => renderProvider({ provider, version, yaml, variables })),
    };
  };
  const [certManagerFile, ...providers] = await Promise.all([
    fetched(certManagerRelease(versions.certManagerVersion)),
    ...providersFor(versions).map(readProvider),
  ]);
  const certManager = understood(certManagerFile, (yaml) =>
    certManagerObjects(yaml, versions.certManagerVersion),
  );
  const described = providers.flatMap(({ release: { provider, version }, metadata }) =>
    metadata.value === undefined ? [] : [{ provider, version, metadata: metadata.value }],
  );
  return [
    ...providers.flatMap(({ release, metadata, manifest }) =>
      providerFindings(release, versions, metadata, manifest),
    ),
    ...findingsFor('cert-manager', versions.certManagerVersion, versions, certManager),
    ...assessMetadata(described).map(incompatible),
  ];
}

/** Whether nodes will find k3s, for each architecture of the spec. A mirror of providers need not have it. */
export async function checkK3s(
  { releases }: Pick<Ports, 'releases'>,
  spec: ClusterSpec,
): Promise<readonly PreflightFinding[]> {
  const { version } = spec.spec.kubernetes;
  const path = 'spec.kubernetes.version';
  const architectures = [...new Set(instanceTypesOf(spec).map(architectureOf))];
  const findings = await Promise.all(
    architectures.map(async (architecture): Promise<readonly PreflightFinding[]> => {
      const what = `k3s ${version} for ${architecture}`;
      const { value: sums, silence } = await ask(releases.fetch(k3sSums(version, architecture)));
      if (silence === undefined) {
        const binary = architecture === 'arm64' ? 'k3s-arm64' : 'k3s';
        const isListed = sums.split('\n').some((line) => line.split(/\s+/)[1] === binary);
        return isListed
          ? []
          : [errorFinding('ReleaseCorrupt', `${path}: the sums of ${what} do not list ${binary}`, { path })];
      }
      if (silence.code !== 'ReleaseNotFound' || releases.kind === 'mirror') {
        return [uncheckedFinding(what, silence)];
      }
      const fix = 'Use a release of k3s; https://github.com/k3s-io/k3s/releases has all of them.';
      return [errorFinding('ReleaseNotFound', `${path}: ${what} was never released`, { path, fix })];
    }),
  );
  return findings.flat();
}

/** The file by which a node checks its download of k3s. */
function k3sSums(version: string, architecture: Architecture): ReleaseAsset {
  return { repository: 'k3s-io/k3s', version, file: `sha256sum-${architecture}.txt` };
}

/** Fetches each file once, however many ask for it: both k3s providers have one metadata.yaml. */
function once(releases: Releases): (asset: ReleaseAsset) => Promise<Answer<string>> {
  const asked = new Map<string, Promise<Answer<string>>>();
  return (asset) => {
    const key = `${asset.repository}/${asset.version}/${asset.file}`;
    const answer = asked.get(key) ?? ask(releases.fetch(asset));
    asked.set(key, answer);
    return answer;
  };
}

/** What a file says, or why that cannot be known. */
function understood<T>(answer: Answer<string>, read: (text: string) => T): Answer<T> {
  if (answer.silence) return answer;
  try {
    return { value: read(answer.value) };
  } catch (silence) {
    if (silence instanceof PetraError) return { silence };
    throw silence;
  }
}

/** A release that does not exist lacks both files, which is said once. */
function providerFindings(
  { provider, version, components }: ProviderRelease,
  versions: ManagementVersions,
  metadata: Answer<unknown>,
  manifest: Answer<unknown>,
): readonly PreflightFinding[] {
  if (metadata.silence || manifest.silence?.code !== 'ReleaseNotFound') {
    const isSame =
      metadata.silence?.code === manifest.silence?.code && manifest.silence?.code !== 'ReleaseCorrupt';
    return (isSame ? [metadata] : [metadata, manifest]).flatMap((one) =>
      findingsFor(provider.key, version, versions, one),
    );
  }
  return [
    errorFinding(
      'ReleaseNotFound',
      `${provider.title} ${version} is released, but ${components.file} is not in the repository in use`,
      { path: `spec.management.${provider.versionField}`, evidence: [manifest.silence.message] },
    ),
  ];
}

function findingsFor(
  component: ComponentKey,
  version: string,
  versions: ManagementVersions,
  { silence }: Answer<unknown>,
): readonly PreflightFinding[] {
  if (silence === undefined) return [];
  if (silence.code !== 'ReleaseNotFound') return [findingOf(silence)];
  const field = providersFor(versions).find(({ provider }) => provider.key === component)?.provider
    .versionField;
  return [
    errorFinding('ReleaseNotFound', explainMissingRelease(component, version, versions.capiVersion), {
      path: `spec.management.${field ?? 'certManagerVersion'}`,
      evidence: [silence.message],
    }),
  ];
}

function incompatible({ message, fix }: Finding): PreflightFinding {
  return errorFinding('IncompatibleProviders', message, { fix });
}
