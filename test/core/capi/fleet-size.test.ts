import { describe, expect, test } from 'vitest';
import { fitForFleet } from '../../../core/capi/fleet-size.ts';
import { releaseLines } from '../../../core/capi/provider-lines.ts';
import { type ProviderKey, providers } from '../../../core/capi/providers.ts';
import { at, listAt } from '../../../core/json-fields.ts';
import type { KubernetesObject } from '../../../core/ports.ts';

function deployment(args: readonly string[], name = 'manager'): KubernetesObject {
  const containers = [
    { name: 'kube-rbac-proxy', args: ['--v=10'] },
    { name, args },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'controller-manager' },
    spec: { replicas: 1, template: { spec: { serviceAccountName: 'manager', containers } } },
  };
}

function argsOf(provider: ProviderKey, version: string, given: readonly string[] = []) {
  const fitted = fitForFleet(deployment(given), provider, version);
  return listAt(fitted, 'spec', 'template', 'spec', 'containers', 1, 'args');
}

describe('controllers', () => {
  test('the k3s providers work on many objects at once, from the line on that can', () => {
    expect(argsOf('bootstrap-k3s', 'v0.3.1', ['--enable-leader-election'])).toEqual([
      '--enable-leader-election',
      '--concurrency=10',
    ]);
    expect(argsOf('control-plane-k3s', 'v0.4.0')).toEqual(['--concurrency=50']);
    expect(argsOf('bootstrap-k3s', 'v0.2.1')).toEqual([]);
    expect(argsOf('control-plane-k3s', 'v0.2.0')).toEqual([]);
  });

  test('Cluster API gets its own later defaults, but for topologies, until a line has them itself', () => {
    expect(argsOf('cluster-api', 'v1.9.5')).toEqual([
      '--cluster-concurrency=50',
      '--machinedeployment-concurrency=50',
      '--machineset-concurrency=50',
      '--machine-concurrency=100',
      '--machinehealthcheck-concurrency=50',
      '--kube-api-qps=100',
      '--kube-api-burst=200',
    ]);
    expect(argsOf('cluster-api', 'v1.12.8')).toHaveLength(7);
    expect(argsOf('cluster-api', 'v1.13.0')).toEqual([]);
    expect(argsOf('cluster-api', 'v2.0.0')).toEqual([]);
  });

  test('CAPA makes more than five networks at once', () => {
    for (const version of ['v2.7.2', 'v2.10.3', 'v2.12.1']) {
      expect(argsOf('infrastructure-aws', version)).toEqual([
        '--awscluster-concurrency=50',
        '--awsmachine-concurrency=50',
      ]);
    }
  });

  test('every line of every provider is fitted for a fleet, or needs nothing', () => {
    const unfitted = providers.flatMap(({ key }) =>
      releaseLines[key]
        .filter(({ line }) => argsOf(key, `v${line}.0`).length === 0)
        .map(({ line }) => `${key} ${line}`),
    );
    expect(unfitted).toEqual([
      'cluster-api 1.13',
      'cluster-api 1.14',
      'bootstrap-k3s 0.2',
      'control-plane-k3s 0.2',
    ]);
  });

  test('a version before the known lines, or none at all, is left alone', () => {
    expect(argsOf('infrastructure-aws', 'v1.5.0')).toEqual([]);
    expect(argsOf('cluster-api', 'latest')).toEqual([]);
  });

  test('a flag that the release sets itself stays as it is', () => {
    expect(argsOf('control-plane-k3s', 'v0.3.1', ['--concurrency=7'])).toEqual(['--concurrency=7']);
    expect(argsOf('control-plane-k3s', 'v0.3.1', ['-concurrency', '7'])).toEqual(['-concurrency', '7']);
    expect(argsOf('cluster-api', 'v1.9.5', ['--kube-api-qps=40'])).not.toContain('--kube-api-qps=100');
  });

  test('other containers, other kinds and the rest of the Deployment stay as they are', () => {
    const fitted = fitForFleet(deployment([]), 'infrastructure-aws', 'v2.7.2');
    expect(at(fitted, 'spec', 'template', 'spec', 'containers', 0)).toEqual({
      name: 'kube-rbac-proxy',
      args: ['--v=10'],
    });
    expect(at(fitted, 'spec', 'replicas')).toBe(1);
    expect(at(fitted, 'spec', 'template', 'spec', 'serviceAccountName')).toBe('manager');
    const other = deployment([], 'web');
    expect(fitForFleet(other, 'infrastructure-aws', 'v2.7.2')).toEqual(other);
    const job = { ...deployment([]), kind: 'Job' };
    expect(fitForFleet(job, 'infrastructure-aws', 'v2.7.2')).toBe(job);
  });
});
