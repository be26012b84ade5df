// The first states of init: refuse before anything is made, then fetch what will be installed.

import { installationParts, planInstallation } from '../capi/installation.ts';
import { certManagerRelease, type ProviderKey, providersFor, providerVariables } from '../capi/providers.ts';
import type { ManagementVersions } from '../capi/spec-schema.ts';
import { PetraError } from '../errors.ts';
import type { ClusterRecord } from '../fleet.ts';
import type { ReleaseAsset } from '../ports.ts';
import { preflightManagement } from '../preflight/management.ts';
import { subjectOf } from '../preflight/subject.ts';
import type { StepContext } from './context.ts';
import { settleFindings } from './preflight-findings.ts';
import type { StepOutput } from './run-step.ts';

/** The component versions of a management cluster. @throws InternalError for a workload cluster. */
export function managementVersions(record: ClusterRecord): ManagementVersions {
  const versions = record.spec.spec.management;
  if (!versions) throw new PetraError('InternalError', `"${record.name}" is not a management cluster`);
  return versions;
}

/**
 * Checks everything that can be known before money is spent; every finding at once.
 * @throws RegionMismatch, ReleaseNotFound, ReleaseCorrupt, VariablesMissing, IncompatibleProviders, InstanceTypeNotOffered,
 *   ImageNotFound, QuotaTooSmall
 */
export async function preflight(
  context: StepContext<'machines' | 'networks' | 'releases' | 'quotas' | 'permissions'>,
): Promise<StepOutput> {
  const { record } = context;
  const subject = subjectOf(record.spec, record);
  const { findings } = await preflightManagement(context, subject, managementVersions(record));
  return settleFindings(context, findings);
}

/**
 * Downloads every component's manifest, makes of them what is to be applied, and stores that in parts; says under which
 * sha256. Reading manifests takes seconds and is done here, while no machine waits; nothing in them is secret.
 * Safe to repeat.
 */
export async function fetchComponents(context: StepContext<'releases' | 'artifacts'>): Promise<StepOutput> {
  const versions = managementVersions(context.record);
  const fetch = (asset: ReleaseAsset) => context.releases.fetch(asset);
  const fetched = providersFor(versions).map(
    async ({ provider, components }) => [provider.key, await fetch(components)] as const,
  );
  const certManager = fetch(certManagerRelease(versions.certManagerVersion));
  const manifests = Object.fromEntries(await Promise.all(fetched));
  const installation = planInstallation({
    versions,
    // `providersFor` has every provider.
    manifests: { ...(manifests as Record<ProviderKey, string>), 'cert-manager': await certManager },
    variables: { ...providerVariables, ...context.settings.providerVariables },
  });
  const stored = installationParts.map(
    async (part) => [part, await context.artifacts.store(JSON.stringify(installation[part]))] as const,
  );
  return {
    components: Object.fromEntries(await Promise.all(stored)),
    message: `${fetched.length + 1} components`,
  };
}
