import { expect, test } from 'vitest';
import { type Installation, installationParts, planInstallation } from '../../../core/capi/installation.ts';
import { neededAccess, trialObject } from '../../../core/capi/provider-trials.ts';
import {
  type ComponentKey,
  certManagerRelease,
  type ProviderKey,
  providers,
  providersFor,
  providerVariables,
} from '../../../core/capi/providers.ts';
import { at, listAt } from '../../../core/json-fields.ts';
import { SyntheticReleases } from '../../../local/synthetic-releases.ts';

const versions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.2',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};

async function planned(): Promise<Installation> {
  const releases = new SyntheticReleases();
  const manifests: Partial<Record<ComponentKey, string>> = {
    'cert-manager': await releases.fetch(certManagerRelease(versions.certManagerVersion)),
  };
  for (const { provider, components } of providersFor(versions)) {
    manifests[provider.key] = await releases.fetch(components);
  }
  return planInstallation({
    versions,
    // All five were fetched.
    manifests: manifests as Record<ComponentKey, string>,
    variables: providerVariables,
  });
}

const titles = (objects: Installation['foundation']) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test('what needs cert-manager, and what needs served definitions, is apart from the rest', async () => {
  const installation = await planned();
  expect(Object.keys(installation).toSorted()).toEqual(installationParts.toSorted());
  expect(new Set(installation.certificates.map(({ kind }) => kind))).toEqual(
    new Set(['Issuer', 'Certificate']),
  );
  expect(titles(installation.controllers)).toEqual([
    'Deployment capi-controller-manager',
    'Deployment capi-k3s-bootstrap-controller-manager',
    'Deployment capi-k3s-control-plane-controller-manager',
    'Deployment capa-controller-manager',
  ]);
  expect(titles(installation.certManager)).toContain('Deployment cert-manager-webhook');
  const foundation = installation.foundation.map(({ kind }) => kind);
  expect(foundation).toEqual(expect.arrayContaining(['Namespace', 'CustomResourceDefinition', 'Service']));
  expect(foundation).not.toContain('Deployment');
  expect(titles(installation.foundation)).toContain(
    'CustomResourceDefinition providers.clusterctl.cluster.x-k8s.io',
  );
});

test('controllers are set up for a fleet', async () => {
  const { controllers } = await planned();
  const args = controllers.map((one) =>
    listAt(one, 'spec', 'template', 'spec', 'containers', 0, 'args').join(' '),
  );
  expect(args[1]).toContain('--concurrency=10');
  expect(args[2]).toContain('--concurrency=50');
  expect(args[3]).toContain('--awscluster-concurrency=50');
});

test('the trial of each provider is an object that its own webhook sees', async () => {
  const { foundation } = await planned();
  for (const { key } of providers) {
    const trial = trialObject(key, 'v1.35.3+k3s1');
    const group = trial.apiVersion.split('/')[0];
    const served = foundation.filter(
      (object) =>
        object.kind === 'CustomResourceDefinition' &&
        object.metadata.labels?.['cluster.x-k8s.io/provider'] === key &&
        at(object, 'spec', 'group') === group &&
        at(object, 'spec', 'names', 'kind') === trial.kind,
    );
    expect(titles(served)).toHaveLength(1);
    expect(trial.metadata.namespace).toBe('default');
  }
  expect(trialObject('control-plane-k3s', 'v1.35.3+k3s1')).toMatchObject({
    kind: 'KThreesControlPlane',
    spec: { version: 'v1.35.3+k3s1', machineTemplate: { infrastructureRef: { kind: 'AWSMachineTemplate' } } },
  });
});

test('every controller must be allowed to watch Clusters, Machines and what is its own', () => {
  const resources = (key: ProviderKey) => {
    const provider = providers.find((one) => one.key === key);
    if (!provider) throw new Error(key);
    return neededAccess(provider, 'manager').map((question) => {
      expect(question).toMatchObject({
        verb: 'list',
        serviceAccount: { namespace: provider.namespace, name: 'manager' },
      });
      return `${question.resource}.${question.group}`;
    });
  };
  for (const { key } of providers) {
    expect(resources(key)).toEqual(
      expect.arrayContaining(['clusters.cluster.x-k8s.io', 'machines.cluster.x-k8s.io']),
    );
  }
  expect(resources('infrastructure-aws')).toContain('awsmachines.infrastructure.cluster.x-k8s.io');
  // What it may do with the objects of others comes from an aggregated role.
  expect(resources('cluster-api')).toContain('awsclusters.infrastructure.cluster.x-k8s.io');
});
