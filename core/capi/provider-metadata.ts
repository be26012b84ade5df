// What a provider release says about itself in metadata.yaml, and whether a set of releases can work together.

import { parse } from 'yaml';
import { PetraError } from '../errors.ts';
import { at, listAt } from '../json-fields.ts';
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

const apiVersion = 'clusterctl.cluster.x-k8s.io/v1alpha3';

/** What a metadata.yaml says. @throws ReleaseCorrupt with everything that is wrong with the file. */
export function parseProviderMetadata(text: string, source = 'metadata.yaml'): ProviderMetadata {
  const file = parseYaml(text, source);
  const entries = listAt(file, 'releaseSeries');
  const releaseSeries = entries.flatMap((entry) => readSeries(entry) ?? []);
  const kind = at(file, 'kind');
  const problems = [
    ...(at(file, 'apiVersion') === apiVersion ? [] : [`apiVersion: expected ${apiVersion}`]),
    // CAPA's releases up to 2.8 at least have no kind (seen in v2.7.2 and v2.8.4), and clusterctl before 1.11 does not
    // mind; the wrong kind is the wrong file.
    ...(kind === undefined || kind === 'Metadata' ? [] : ['kind: expected Metadata']),
    ...(entries.length > 0 ? [] : ['releaseSeries: expected a list of at least one']),
    ...entries.flatMap((entry, index) =>
      readSeries(entry)
        ? []
        : [`releaseSeries[${index}]: expected major, minor (whole numbers) and contract`],
    ),
  ];
  if (problems.length === 0) return { releaseSeries };
  throw new PetraError('ReleaseCorrupt', `${source} is no provider metadata: ${problems.join('; ')}`, {
    details: { problems },
  });
}

function readSeries(entry: unknown): ReleaseSeries | undefined {
  const [major, minor, contract] = [at(entry, 'major'), at(entry, 'minor'), at(entry, 'contract')];
  if (!isCount(major) || !isCount(minor) || typeof contract !== 'string' || contract === '') return undefined;
  return { major, minor, contract };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
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
