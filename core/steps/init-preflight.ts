// The first states of init: refuse before anything is made, then fetch what will be installed.

import { assessVersions, explainMissingRelease } from '../capi/provider-matrix.ts';
import { assessMetadata, parseProviderMetadata } from '../capi/provider-metadata.ts';
import { type ComponentKey, certManagerRelease, providersFor } from '../capi/providers.ts';
import type { ManagementVersions } from '../capi/spec-schema.ts';
import { hasCode, PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { ReleaseAsset } from '../ports.ts';
import type { StepContext } from './context.ts';
import { instanceTypeFindings, refuseAll } from './preflight-findings.ts';
import type { StepOutput } from './run-step.ts';

/** The component versions of a management cluster. @throws InternalError for a workload cluster. */
export function managementVersions(record: ClusterRecord): ManagementVersions {
  const versions = record.spec.spec.management;
  if (!versions) throw new PetraError('InternalError', `"${record.name}" is not a management cluster`);
  return versions;
}

/**
 * Checks everything that can be known before money is spent; every finding at once, warnings into the operation.
 * @throws RegionMismatch, ReleaseNotFound, IncompatibleProviders, InstanceTypeNotOffered
 */
export async function preflight(context: StepContext<'machines' | 'releases'>): Promise<StepOutput> {
  const { record, settings, releases } = context;
  const findings: PetraError[] = [];
  if (settings.region !== undefined && settings.region !== record.region) {
    findings.push(
      new PetraError(
        'RegionMismatch',
        `the spec asks for ${record.region}, and this Petra works in ${settings.region}`,
      ),
    );
  }
  const versions = managementVersions(record);
  const assessed = assessVersions({
    versions,
    kubernetesVersion: record.spec.spec.kubernetes.version,
    today: context.clock.now(),
    repositoryKind: releases.kind,
  });
  findings.push(
    ...assessed.errors.map(({ message, fix }) => new PetraError('IncompatibleProviders', message, { fix })),
  );
  findings.push(...(await releaseFindings(context, versions)));
  findings.push(...(await instanceTypeFindings(context, record)));
  await context.operations.warn(
    context.operation.id,
    assessed.warnings.map((warning) => warning.message),
  );
  refuseAll(findings);
  return { message: `${assessed.warnings.length} warnings` };
}

/** Whether every release exists, in the repository in use, and what its metadata says. */
async function releaseFindings(
  context: StepContext<'releases'>,
  versions: ManagementVersions,
): Promise<PetraError[]> {
  const findings: PetraError[] = [];
  /** A file of a release, or undefined and a finding when there is no such release. */
  const fetched = async (component: ComponentKey, asset: ReleaseAsset): Promise<string | undefined> => {
    try {
      return await context.releases.fetch(asset);
    } catch (error) {
      if (!hasCode(error, 'ReleaseNotFound')) throw error;
      const explanation = explainMissingRelease(component, asset.version, versions.capiVersion);
      findings.push(new PetraError('ReleaseNotFound', explanation, { cause: error }));
      return undefined;
    }
  };
  const described = await Promise.all(
    providersFor(versions).map(async ({ provider, version, metadata: asset }) => {
      const text = await fetched(provider.key, asset);
      return text === undefined
        ? undefined
        : { provider, version, metadata: parseProviderMetadata(text, `${provider.key} ${version}`) };
    }),
  );
  await fetched('cert-manager', certManagerRelease(versions.certManagerVersion));
  const known = described.filter((one) => one !== undefined);
  findings.push(
    ...assessMetadata(known).map(
      ({ message, fix }) => new PetraError('IncompatibleProviders', message, { fix }),
    ),
  );
  return findings;
}

/** Downloads every component's manifest and stores it by its sha256; says under which. Safe to repeat. */
export async function fetchComponents(context: StepContext<'releases' | 'artifacts'>): Promise<StepOutput> {
  const versions = managementVersions(context.record);
  const assets: { readonly key: ComponentKey; readonly asset: ReleaseAsset }[] = [
    ...providersFor(versions).map(({ provider, components }) => ({
      key: provider.key,
      asset: components,
    })),
    { key: 'cert-manager', asset: certManagerRelease(versions.certManagerVersion) },
  ];
  const stored = await Promise.all(
    assets.map(
      async ({ key, asset }) =>
        [key, await context.artifacts.store(await context.releases.fetch(asset))] as const,
    ),
  );
  return { components: Object.fromEntries(stored), message: `${stored.length} components` };
}
