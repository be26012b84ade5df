import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { providers } from '../../core/capi/providers.ts';
import { clusterctlConfiguration, managementVersions } from './releases.ts';

test('clusterctl finds every provider and cert-manager in the folder', () => {
  const configuration = parse(clusterctlConfiguration('/cache/releases', { CLUSTER_TOPOLOGY: 'true' }));
  expect(configuration.CLUSTER_TOPOLOGY).toBe('true');
  expect(configuration.providers).toEqual(
    providers.map(({ key, providerName, type, componentsFile, versionField }) => ({
      name: providerName,
      type,
      url: `file:///cache/releases/${key}/${managementVersions[versionField]}/${componentsFile}`,
    })),
  );
  expect(configuration['cert-manager']).toEqual({
    url: `file:///cache/releases/cert-manager/${managementVersions.certManagerVersion}/cert-manager.yaml`,
    version: managementVersions.certManagerVersion,
  });
});
