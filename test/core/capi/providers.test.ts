import { expect, test } from 'vitest';
import {
  certManagerRelease,
  providers,
  providersFor,
  providerVariables,
  variableChoices,
} from '../../../core/capi/providers.ts';

const versions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.2',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};

test("providers come in clusterctl's order with the versions of the spec", () => {
  expect(providersFor(versions).map(({ provider, version }) => [provider.key, version])).toEqual([
    ['cluster-api', 'v1.9.5'],
    ['bootstrap-k3s', 'v0.3.1'],
    ['control-plane-k3s', 'v0.3.1'],
    ['infrastructure-aws', 'v2.7.2'],
  ]);
});

test('a release names the repository and file of manifest and metadata', () => {
  const [, , controlPlane] = providersFor(versions);
  expect(controlPlane?.components).toEqual({
    repository: 'k3s-io/cluster-api-k3s',
    version: 'v0.3.1',
    file: 'control-plane-components.yaml',
  });
  expect(controlPlane?.metadata.file).toBe('metadata.yaml');
  expect(certManagerRelease('v1.17.1')).toEqual({
    repository: 'cert-manager/cert-manager',
    version: 'v1.17.1',
    file: 'cert-manager.yaml',
  });
});

test("a provider's key follows clusterctl's rule for manifest labels", () => {
  const prefix = {
    CoreProvider: '',
    BootstrapProvider: 'bootstrap-',
    ControlPlaneProvider: 'control-plane-',
    InfrastructureProvider: 'infrastructure-',
  };
  for (const provider of providers) {
    expect(provider.key).toBe(`${prefix[provider.type]}${provider.providerName}`);
  }
});

test('every variable Petra sets has a reason', () => {
  for (const { reason } of variableChoices) expect(reason).not.toBe('');
  expect(providerVariables).toEqual({
    CLUSTER_TOPOLOGY: 'true',
    AWS_B64ENCODED_CREDENTIALS: 'Cg==',
    EXP_EXTERNAL_RESOURCE_GC: 'true',
    EXTERNAL_RESOURCE_GC: 'true',
  });
});
