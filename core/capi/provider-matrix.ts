// Which versions go together, by what is known: errors for what cannot work, warnings for what upstream does not
// support but allows. Whether a release exists is asked from the repository in use, not from here.

import type { Releases } from '../ports.ts';
import { linesKnownAt, type ReleaseLine, releaseLines } from './provider-lines.ts';
import { contractCompatibility, type Finding } from './provider-metadata.ts';
import { type ComponentKey, providersFor } from './providers.ts';
import type { ManagementVersions } from './spec-schema.ts';

export interface VersionAssessment {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

interface Component {
  readonly key: ComponentKey;
  readonly title: string;
  readonly version: string;
}

/** Everything that can be said of a set of versions without asking anyone. Malformed versions are errors of their own. */
export function assessVersions(input: {
  readonly versions: ManagementVersions;
  readonly kubernetesVersion: string;
  readonly today: Date;
  readonly repositoryKind: Releases['kind'];
}): VersionAssessment {
  const { versions, kubernetesVersion, today, repositoryKind } = input;
  const components: readonly Component[] = [
    ...providersFor(versions).map(({ provider, version }) => ({
      key: provider.key,
      title: provider.title,
      version,
    })),
    { key: 'cert-manager', title: 'cert-manager', version: versions.certManagerVersion },
  ];
  const goneImages = components.flatMap((component) => goneImage(component));
  return {
    errors: [
      ...components.flatMap(malformed),
      ...kubernetesSuffix(kubernetesVersion),
      ...differentK3sProviders(versions),
      // Only upstream's manifest is sure to name the lost registry.
      ...(repositoryKind === 'upstream' ? goneImages : []),
    ],
    warnings: [
      ...(repositoryKind === 'synthetic' ? components.flatMap((one) => neverReleased(one, versions)) : []),
      ...(repositoryKind === 'upstream' ? [] : goneImages),
      ...components.flatMap((component) => endOfLife(component, today)),
      ...components.flatMap((component) => untestedKubernetes(component, kubernetesVersion)),
      ...temporaryContracts(components, versions),
    ],
  };
}

/** Whether upstream made this release, by the built-in table; `unknown` for what is newer or older than that. */
export function knownRelease(
  component: ComponentKey,
  version: string,
): 'released' | 'never-released' | 'unknown' {
  const parsed = parseVersion(version);
  const line = parsed && lineOf(component, version);
  if (!parsed || !line) return 'unknown';
  if (line.patches.includes(parsed.patch)) return 'released';
  if (line.coverage === 'partial') return 'unknown';
  return line.coverage === 'ended' || parsed.patch < Math.max(...line.patches) ? 'never-released' : 'unknown';
}

/** Why a release is not there, and which ones are near: the last of its line, one for its core, and the current one. */
export function explainMissingRelease(
  component: ComponentKey,
  version: string,
  capiVersion?: string,
): string {
  const reason = {
    'never-released': 'was never released',
    released: 'is not in the repository in use, though upstream has it',
    unknown: 'is not in the repository in use',
  }[knownRelease(component, version)];
  return `${titles[component]} ${version} ${reason}; ${nearestReleases(component, version, capiVersion)}`;
}

const titles: Readonly<Record<ComponentKey, string>> = {
  'cluster-api': 'Cluster API',
  'bootstrap-k3s': 'the k3s bootstrap provider',
  'control-plane-k3s': 'the k3s control plane provider',
  'infrastructure-aws': 'CAPA',
  'cert-manager': 'cert-manager',
};

function nearestReleases(component: ComponentKey, version: string, capiVersion?: string): string {
  const lines = releaseLines[component];
  const own = lineOf(component, version);
  const core = capiVersion === undefined ? undefined : parseVersion(capiVersion)?.line;
  const fitting =
    lines.find(({ builtFor }) => builtFor !== undefined && builtFor === core) ??
    (own?.builtFor === undefined ? undefined : lines[lines.indexOf(own) + 1]);
  const current = lines.at(-1);
  const near: string[] = [];
  if (own && lastOf(own) !== version) near.push(`${lastOf(own)} is the last ${own.line}`);
  if (fitting?.builtFor !== undefined && fitting !== own && fitting !== current) {
    near.push(`${lastOf(fitting)} is built for Cluster API ${fitting.builtFor}`);
  }
  if (current && current !== own) near.push(`${lastOf(current)} is current`);
  const previous = lines.at(-2);
  if (near.length === 0 && previous) near.push(`${lastOf(previous)} is the last ${previous.line}`);
  return `${near.join(', ')} (as known on ${linesKnownAt})`;
}

function malformed({ title, version }: Component): Finding[] {
  if (parseVersion(version)) return [];
  return [
    {
      code: 'VersionMalformed',
      message: `${title} version "${version}" is no release`,
      fix: 'Write it as the tag of the release, for example v1.9.5.',
    },
  ];
}

function kubernetesSuffix(version: string): Finding[] {
  if (/^v\d+\.\d+\.\d+\+k3s\d+$/.test(version)) return [];
  return [
    {
      code: 'K3sVersionIncomplete',
      message: `Kubernetes version "${version}" is not the tag of a k3s release; nodes download k3s by this name`,
      fix: 'Write the whole tag, for example v1.35.3+k3s1.',
    },
  ];
}

function differentK3sProviders({ cabpK3sVersion, cacpK3sVersion }: ManagementVersions): Finding[] {
  if (cabpK3sVersion === cacpK3sVersion) return [];
  return [
    {
      code: 'K3sProvidersDiffer',
      message: `the k3s providers differ: bootstrap ${cabpK3sVersion}, control plane ${cacpK3sVersion}; they are one release and share their types`,
      fix: 'Set cabpK3sVersion and cacpK3sVersion to the same version.',
    },
  ];
}

function goneImage({ key, title, version }: Component): Finding[] {
  const patch = parseVersion(version)?.patch;
  const line = lineOf(key, version);
  const image = patch === undefined ? undefined : line?.goneImages?.[patch];
  if (line === undefined || image === undefined) return [];
  return [
    {
      code: 'ImageGone',
      message: `${title} ${version} needs the image ${image}, which its registry no longer has`,
      fix: `Use ${lastOf(line)}.`,
    },
  ];
}

function neverReleased({ key, title, version }: Component, versions: ManagementVersions): Finding[] {
  if (knownRelease(key, version) !== 'never-released') return [];
  return [
    {
      code: 'NeverReleased',
      message:
        `${explainMissingRelease(key, version, versions.capiVersion)}. ` +
        'The synthetic repository of a local Petra has every version; on AWS, preflight would refuse this one',
      fix: `Set ${title}'s version to one that exists before using this spec on AWS.`,
    },
  ];
}

function endOfLife({ key, title, version }: Component, today: Date): Finding[] {
  const line = lineOf(key, version);
  if (line?.endOfLife === undefined || today.toISOString().slice(0, 10) <= line.endOfLife) return [];
  const maintained = releaseLines[key].filter((other) => other.endOfLife === undefined).map(lastOf);
  return [
    {
      code: 'EndOfLife',
      message: `${title} ${version} is end of life: its line ${line.line} gets no fixes since ${line.endOfLife}`,
      fix: `Maintained lines: ${maintained.reverse().join(', ')}.`,
    },
  ];
}

function untestedKubernetes({ key, title, version }: Component, kubernetesVersion: string): Finding[] {
  const line = lineOf(key, version);
  const kubernetes = parseVersion(kubernetesVersion)?.line;
  if (!line?.kubernetes || kubernetes === undefined || isTested(line, version, kubernetes)) return [];
  const { from, to } = line.kubernetes;
  const newer = releaseLines[key].slice(releaseLines[key].indexOf(line));
  const tested = newer.find((other) => isTested(other, lastOf(other), kubernetes));
  const first = tested && `v${tested.line}.${tested.kubernetes?.since?.[kubernetes] ?? 0}`;
  return [
    {
      code: 'KubernetesUntested',
      message: `${title} ${version} is not tested with Kubernetes ${kubernetes}; its line ${line.line} is with ${from} to ${to}`,
      fix: first ? `Use ${title} ${first} or later.` : `Use a Kubernetes version from ${from} to ${to}.`,
    },
  ];
}

function isTested({ kubernetes: range }: ReleaseLine, version: string, kubernetes: string): boolean {
  return (
    range !== undefined &&
    minorOf(range.from) <= minorOf(kubernetes) &&
    minorOf(kubernetes) <= minorOf(range.to) &&
    patchOf(version) >= (range.since?.[kubernetes] ?? 0)
  );
}

/** Of `1.35`: 35. Kubernetes has had major version 1 for ever. */
function minorOf(line: string): number {
  return Number(line.split('.')[1]);
}

function temporaryContracts(
  components: readonly Component[],
  { capiVersion }: ManagementVersions,
): Finding[] {
  const core = lineOf('cluster-api', capiVersion)?.contract;
  if (core === undefined) return [];
  const older = components.filter(({ key, version }) => {
    const contract = lineOf(key, version)?.contract;
    return contract !== undefined && contractCompatibility(capiVersion, core, contract) === 'temporarily';
  });
  if (older.length === 0) return [];
  const names = older.map(({ title, version }) => `${title} ${version}`);
  return [
    {
      code: 'ContractTemporary',
      message: `${names.join(', ')}: contract v1beta1, which Cluster API ${capiVersion} (${core}) works with until v1.16, planned for April 2027`,
      fix: 'Nothing to do now; choose releases for v1beta2 before moving to Cluster API v1.16.',
    },
  ];
}

function lineOf(component: ComponentKey, version: string): ReleaseLine | undefined {
  const line = parseVersion(version)?.line;
  return releaseLines[component].find((one) => one.line === line);
}

function lastOf({ line, patches }: ReleaseLine): string {
  return `v${line}.${Math.max(...patches)}`;
}

function patchOf(version: string): number {
  return Number(/^v\d+\.\d+\.(\d+)/.exec(version)?.[1]);
}

function parseVersion(version: string): { readonly line: string; readonly patch: number } | undefined {
  const [, line, patch] = /^v(\d+\.\d+)\.(\d+)(?:[-+].*)?$/.exec(version) ?? [];
  return line === undefined ? undefined : { line, patch: Number(patch) };
}
