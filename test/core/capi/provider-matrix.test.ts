import { expect, test } from 'vitest';
import { releaseLines } from '../../../core/capi/provider-lines.ts';
import { assessVersions, explainMissingRelease, knownRelease } from '../../../core/capi/provider-matrix.ts';
import type { ManagementVersions } from '../../../core/capi/spec-schema.ts';
import type { Releases } from '../../../core/ports.ts';

const asWritten: ManagementVersions = {
  capiVersion: 'v1.9.5',
  capaVersion: 'v2.7.4',
  cabpK3sVersion: 'v0.3.1',
  cacpK3sVersion: 'v0.3.1',
  certManagerVersion: 'v1.17.1',
};
const supported: ManagementVersions = {
  capiVersion: 'v1.13.6',
  capaVersion: 'v2.12.1',
  cabpK3sVersion: 'v0.4.0',
  cacpK3sVersion: 'v0.4.0',
  certManagerVersion: 'v1.21.2',
};

function assess(
  versions: ManagementVersions,
  kubernetesVersion = 'v1.35.3+k3s1',
  repositoryKind: Releases['kind'] = 'upstream',
  today = '2026-11-23',
) {
  return assessVersions({
    versions,
    kubernetesVersion,
    repositoryKind,
    today: new Date(`${today}T12:00:00Z`),
  });
}

function codes(findings: readonly { readonly code: string }[]): string[] {
  return findings.map(({ code }) => code);
}

test('the spec of the documentation is allowed, with warnings that say what is old and untested', () => {
  const { errors, warnings } = assess(asWritten);
  expect(errors).toEqual([]);
  expect(warnings).toEqual([
    {
      code: 'EndOfLife',
      message: 'Cluster API v1.9.5 is end of life: its line 1.9 gets no fixes since 2025-12-18',
      fix: 'Maintained lines: v1.14.2, v1.13.6, v1.12.11.',
    },
    {
      code: 'EndOfLife',
      message: 'cert-manager v1.17.1 is end of life: its line 1.17 gets no fixes since 2025-10-07',
      fix: 'Maintained lines: v1.21.2, v1.20.2.',
    },
    {
      code: 'KubernetesUntested',
      message: 'Cluster API v1.9.5 is not tested with Kubernetes 1.35; its line 1.9 is with 1.28 to 1.32',
      fix: 'Use Cluster API v1.12.1 or later.',
    },
    {
      code: 'KubernetesUntested',
      message: 'cert-manager v1.17.1 is not tested with Kubernetes 1.35; its line 1.17 is with 1.29 to 1.32',
      fix: 'Use cert-manager v1.20.0 or later.',
    },
  ]);
});

test('the synthetic repository warns of a version that upstream never released', () => {
  const [first] = assess(asWritten, 'v1.35.3+k3s1', 'synthetic').warnings;
  expect(first).toMatchObject({ code: 'NeverReleased' });
  expect(first?.message).toBe(
    'CAPA v2.7.4 was never released; v2.7.2 is the last 2.7, v2.8.4 is built for Cluster API 1.9, v2.12.1 is current (as known on 2026-11-23). ' +
      'The synthetic repository of a local Petra has every version; on AWS, preflight would refuse this one',
  );
});

test('a supported set has one warning: the contract that ends', () => {
  const { errors, warnings } = assess(supported);
  expect(errors).toEqual([]);
  expect(codes(warnings)).toEqual(['ContractTemporary']);
  expect(warnings[0]?.message).toBe(
    'k3s bootstrap provider v0.4.0, k3s control plane provider v0.4.0, CAPA v2.12.1: contract v1beta1, ' +
      'which Cluster API v1.13.6 (v1beta2) works with until v1.16, planned for April 2027',
  );
});

test('a line is not end of life before its day', () => {
  const at = (today: string) => codes(assess(asWritten, 'v1.32.1+k3s1', 'upstream', today).warnings);
  expect(at('2025-10-07')).toEqual([]);
  expect(at('2025-12-18')).toEqual(['EndOfLife']);
  expect(at('2025-12-19')).toEqual(['EndOfLife', 'EndOfLife']);
});

test.each([
  ['v1.12.0', 'v1.35.3+k3s1', 'Use Cluster API v1.12.1 or later.'],
  ['v1.12.1', 'v1.35.3+k3s1', undefined],
  ['v1.12.7', 'v1.36.0+k3s1', 'Use Cluster API v1.12.8 or later.'],
  ['v1.9.0', 'v1.32.0+k3s1', 'Use Cluster API v1.9.1 or later.'],
  ['v1.9.5', 'v1.27.0+k3s1', 'Use a Kubernetes version from 1.28 to 1.32.'],
  ['v1.14.2', 'v1.99.0+k3s1', 'Use a Kubernetes version from 1.33 to 1.37.'],
  ['v9.9.9', 'v1.35.3+k3s1', undefined],
])('Cluster API %s with Kubernetes %s: %s', (capiVersion, kubernetes, fix) => {
  const { warnings } = assess({ ...supported, capiVersion, certManagerVersion: 'v9.9.9' }, kubernetes);
  expect(warnings.find(({ code }) => code === 'KubernetesUntested')?.fix).toBe(fix);
});

test('what cannot work is an error', () => {
  const { errors } = assess(
    { ...asWritten, capiVersion: '1.9', cabpK3sVersion: 'v0.3.0', cacpK3sVersion: 'v0.3.1' },
    'v1.35.3',
  );
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['VersionMalformed', 'Cluster API version "1.9" is no release'],
    [
      'K3sVersionIncomplete',
      'Kubernetes version "v1.35.3" is not the tag of a k3s release; nodes download k3s by this name',
    ],
    [
      'K3sProvidersDiffer',
      'the k3s providers differ: bootstrap v0.3.0, control plane v0.3.1; they are one release and share their types',
    ],
    [
      'ImageGone',
      'k3s bootstrap provider v0.3.0 needs the image gcr.io/kubebuilder/kube-rbac-proxy:v0.16.0, which its registry no longer has',
    ],
  ]);
});

test('a mirror may still have an image that upstream lost', () => {
  const versions = { ...asWritten, cabpK3sVersion: 'v0.3.0', cacpK3sVersion: 'v0.3.0' };
  const { errors, warnings } = assess(versions, 'v1.32.0+k3s1', 'mirror');
  expect(errors).toEqual([]);
  expect(codes(warnings)).toContain('ImageGone');
});

test.each([
  ['infrastructure-aws', 'v2.7.4', 'never-released'],
  ['infrastructure-aws', 'v2.8.0', 'never-released'],
  ['infrastructure-aws', 'v2.7.2', 'released'],
  ['infrastructure-aws', 'v2.11.2', 'unknown'],
  ['infrastructure-aws', 'v2.12.0', 'unknown'],
  ['infrastructure-aws', 'v3.0.0', 'unknown'],
  ['cluster-api', 'v1.9.11', 'released'],
  ['cluster-api', 'v1.9.12', 'never-released'],
  ['cluster-api', 'v1.14.9', 'unknown'],
  ['bootstrap-k3s', 'v0.3.1', 'released'],
  ['control-plane-k3s', 'v0.3.2', 'never-released'],
  ['cert-manager', 'v1.17.1', 'released'],
  ['cert-manager', 'nonsense', 'unknown'],
] as const)('%s %s is %s', (component, version, expected) => {
  expect(knownRelease(component, version)).toBe(expected);
});

test.each([
  [
    'infrastructure-aws',
    'v2.7.4',
    undefined,
    'CAPA v2.7.4 was never released; v2.7.2 is the last 2.7, v2.8.4 is built for Cluster API 1.9, v2.12.1 is current',
  ],
  [
    'infrastructure-aws',
    'v2.7.4',
    'v1.10.3',
    'CAPA v2.7.4 was never released; v2.7.2 is the last 2.7, v2.9.3 is built for Cluster API 1.10, v2.12.1 is current',
  ],
  [
    'infrastructure-aws',
    'v2.12.9',
    undefined,
    'CAPA v2.12.9 is not in the repository in use; v2.12.1 is the last 2.12',
  ],
  [
    'infrastructure-aws',
    'v4.0.0',
    undefined,
    'CAPA v4.0.0 is not in the repository in use; v2.12.1 is current',
  ],
  [
    'cluster-api',
    'v1.9.5',
    undefined,
    'Cluster API v1.9.5 is not in the repository in use, though upstream has it; v1.9.11 is the last 1.9, v1.14.2 is current',
  ],
  [
    'control-plane-k3s',
    'v0.3.7',
    undefined,
    'the k3s control plane provider v0.3.7 was never released; v0.3.1 is the last 0.3, v0.4.0 is current',
  ],
] as const)(
  'a missing %s %s with core %s is explained by what is near',
  (component, version, core, expected) => {
    expect(explainMissingRelease(component, version, core)).toBe(`${expected} (as known on 2026-11-23)`);
  },
);

test('an explanation names something even for the last of the current line', () => {
  expect(explainMissingRelease('cert-manager', 'v1.21.2')).toBe(
    'cert-manager v1.21.2 is not in the repository in use, though upstream has it; v1.20.2 is the last 1.20 (as known on 2026-11-23)',
  );
});

test('lines are in order and have releases', () => {
  for (const lines of Object.values(releaseLines)) {
    const minors = lines.map(({ line }) => Number(line.split('.')[1]));
    expect(minors).toEqual([...minors].sort((one, other) => one - other));
    for (const { patches } of lines) expect(patches.length).toBeGreaterThan(0);
  }
});
