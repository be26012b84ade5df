// What a provider release says about itself in metadata.yaml, and whether a set of releases can work together.

import { parse } from 'yaml';
import { z } from 'zod';
import { PetraError } from '../errors.ts';
import type { Provider } from './providers.ts';

/** Something that speaks for or against a set of versions. */
export interface Finding {
  /** Stable name, PascalCase. */
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

export interface ReleaseSeries {
  readonly major: number;
  readonly minor: number;
  /** The Cluster API contract of all releases of the series, for example `v1beta1`. */
  readonly contract: string;
}

export interface ProviderMetadata {
  readonly releaseSeries: readonly ReleaseSeries[];
}

const metadataSchema = z.object({
  apiVersion: z.literal('clusterctl.cluster.x-k8s.io/v1alpha3'),
  // CAPA's releases up to 2.8 at least have no kind (seen in v2.7.2 and v2.8.4), and clusterctl before 1.11 does not
  // mind; the wrong kind is the wrong file.
  kind: z.literal('Metadata').optional(),
  releaseSeries: z
    .array(z.object({ major: z.int().min(0), minor: z.int().min(0), contract: z.string().min(1) }))
    .min(1),
});

/** @throws ReleaseCorrupt with everything that is wrong with the file. */
export function parseProviderMetadata(text: string, source = 'metadata.yaml'): ProviderMetadata {
  const parsed = metadataSchema.safeParse(parseYaml(text, source));
  if (parsed.success) return { releaseSeries: parsed.data.releaseSeries };
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  throw new PetraError('ReleaseCorrupt', `${source} is no provider metadata: ${problems.join('; ')}`, {
    details: { problems },
  });
}

function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new PetraError('ReleaseCorrupt', `${source} is no YAML`, { cause: error });
  }
}

/** The series a version such as `v1.9.5` belongs to; undefined when the metadata does not have it. */
export function seriesOf(metadata: ProviderMetadata, version: string): ReleaseSeries | undefined {
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  return metadata.releaseSeries.find(
    (series) => series.major === Number(major) && series.minor === Number(minor),
  );
}

/** A release with what it says about itself. */
export interface DescribedRelease {
  readonly provider: Provider;
  readonly version: string;
  readonly metadata: ProviderMetadata;
}

/**
 * Reasons why these releases cannot be installed together: a version that its own metadata does not know, or a contract
 * the core provider does not speak. An empty list when there are none; contracts are left out while the core is missing.
 */
export function assessMetadata(releases: readonly DescribedRelease[]): readonly Finding[] {
  const core = releases.find(({ provider }) => provider.type === 'CoreProvider');
  const coreContract = core && seriesOf(core.metadata, core.version)?.contract;
  return releases.flatMap((release) => {
    const { provider, version, metadata } = release;
    const series = seriesOf(metadata, version);
    if (series === undefined) return [seriesMissing(release)];
    if (core === undefined || coreContract === undefined) return [];
    if (contractCompatibility(core.version, coreContract, series.contract) !== 'no') return [];
    return [
      {
        code: 'ContractIncompatible',
        message:
          `${provider.title} ${version} implements the Cluster API contract ${series.contract}, ` +
          `which ${core.provider.title} ${core.version} (${coreContract}) does not work with`,
        fix: `Use a release of ${provider.title} for ${coreContract}, or one of ${core.provider.title} for ${series.contract}.`,
      },
    ];
  });
}

function seriesMissing({ provider, version, metadata }: DescribedRelease): Finding {
  const known = metadata.releaseSeries.map(({ major, minor }) => `v${major}.${minor}`);
  return {
    code: 'ReleaseSeriesMissing',
    // clusterctl's own wording, so that a search finds what is known about it.
    message: `invalid provider metadata: version ${version} for the provider ${provider.key} does not match any release series (it has ${known.join(', ')})`,
    fix: 'Use a version of one of these series, or complete the metadata.yaml of your own build.',
  };
}

/**
 * Whether a core provider works with a provider of another contract. Core from 1.11 speaks v1beta2 and, `temporarily`,
 * v1beta1; that ends with 1.16, planned for April 2027 (kubernetes-sigs/cluster-api#11920). Otherwise they must be equal.
 */
export function contractCompatibility(
  coreVersion: string,
  coreContract: string,
  providerContract: string,
): 'yes' | 'temporarily' | 'no' {
  if (coreContract === providerContract) return 'yes';
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(coreVersion) ?? [];
  const endsV1beta1 = Number(major) > 1 || Number(minor) >= 16;
  return coreContract === 'v1beta2' && providerContract === 'v1beta1' && !endsV1beta1 ? 'temporarily' : 'no';
}

/** Throws one error with all findings, unless there are none. @throws IncompatibleProviders */
export function requireCompatible(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  throw new PetraError('IncompatibleProviders', findings.map(({ message }) => message).join('; '), {
    fix: findings.map(({ fix }) => fix).join(' '),
    details: { findings },
  });
}
