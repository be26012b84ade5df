import { expect, test } from 'vitest';
import {
  assessMetadata,
  contractCompatibility,
  parseProviderMetadata,
  seriesOf,
} from '../../../core/capi/provider-metadata.ts';
import { type ProviderKey, providers } from '../../../core/capi/providers.ts';
import { hasCode } from '../../../core/errors.ts';

const text = `# a comment
apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3
kind: Metadata
releaseSeries:
  - {major: 1, minor: 9, contract: v1beta1}
  - {major: 1, minor: 11, contract: v1beta2}
`;

function release(key: ProviderKey, version: string, contract: string, listed = version) {
  const provider = providers.find((one) => one.key === key);
  if (!provider) throw new Error(`no provider ${key}`);
  const [major = 0, minor = 0] = listed.slice(1).split('.').map(Number);
  return { provider, version, metadata: { releaseSeries: [{ major, minor, contract }] } };
}

function failure(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

test('metadata is read with the contract of each series', () => {
  const metadata = parseProviderMetadata(text);
  expect(seriesOf(metadata, 'v1.9.5')?.contract).toBe('v1beta1');
  expect(seriesOf(metadata, 'v1.11.0')?.contract).toBe('v1beta2');
  expect(seriesOf(metadata, 'v1.10.0')).toBeUndefined();
  expect(seriesOf(metadata, 'v2.9.0')).toBeUndefined();
  expect(seriesOf(metadata, '1.9')).toBeUndefined();
});

test('metadata without kind is accepted, as CAPA 2.7 and 2.8 publish it', () => {
  expect(parseProviderMetadata(text.replace('kind: Metadata\n', '')).releaseSeries).toHaveLength(2);
});

test('everything wrong with a metadata file is in one error', () => {
  const error = failure(() =>
    parseProviderMetadata(
      'apiVersion: v1\nkind: Pod\nreleaseSeries: [{major: x, minor: 1, contract: ""}]',
      'CAPA v2.7.2 metadata.yaml',
    ),
  );
  expect(hasCode(error, 'ReleaseCorrupt')).toBe(true);
  expect(error).toMatchObject({
    message: expect.stringContaining('CAPA v2.7.2 metadata.yaml is no provider metadata'),
    details: {
      problems: [
        'apiVersion: expected clusterctl.cluster.x-k8s.io/v1alpha3',
        'kind: expected Metadata',
        'releaseSeries[0]: expected major, minor (whole numbers) and contract',
      ],
    },
  });
});

test.each([
  ['<html>not found</html>'],
  [''],
  ['apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3\nkind: Metadata\nreleaseSeries: []'],
  ['a: [unclosed'],
])('a file such as %j is corrupt', (wrong) => {
  expect(
    hasCode(
      failure(() => parseProviderMetadata(wrong)),
      'ReleaseCorrupt',
    ),
  ).toBe(true);
});

test('releases of one contract fit together', () => {
  expect(
    assessMetadata([
      release('cluster-api', 'v1.9.5', 'v1beta1'),
      release('bootstrap-k3s', 'v0.3.1', 'v1beta1'),
      release('control-plane-k3s', 'v0.3.1', 'v1beta1'),
      release('infrastructure-aws', 'v2.7.2', 'v1beta1'),
    ]),
  ).toEqual([]);
});

test('a core of contract v1beta2 still takes v1beta1 providers', () => {
  expect(
    assessMetadata([
      release('cluster-api', 'v1.12.11', 'v1beta2'),
      release('infrastructure-aws', 'v2.12.1', 'v1beta1'),
    ]),
  ).toEqual([]);
});

test('every unknown series and wrong contract is a finding', () => {
  const findings = assessMetadata([
    release('cluster-api', 'v1.9.5', 'v1beta1'),
    release('bootstrap-k3s', 'v0.5.0', 'v1beta2'),
    release('infrastructure-aws', 'v2.7.2', 'v1beta1', 'v2.6.0'),
  ]);
  expect(findings.map(({ code, message }) => [code, message])).toEqual([
    [
      'ContractIncompatible',
      'k3s bootstrap provider v0.5.0 implements the Cluster API contract v1beta2, which Cluster API v1.9.5 (v1beta1) does not work with',
    ],
    [
      'ReleaseSeriesMissing',
      'invalid provider metadata: version v2.7.2 for the provider infrastructure-aws does not match any release series (it has v2.6)',
    ],
  ]);
});

test('contracts are not judged while the core is unknown', () => {
  const aws = release('infrastructure-aws', 'v2.7.2', 'v1beta1');
  expect(assessMetadata([aws])).toEqual([]);
  expect(assessMetadata([release('cluster-api', 'v1.9.5', 'v1beta2', 'v1.8.0'), aws])).toHaveLength(1);
});

test.each([
  ['v1.9.5', 'v1beta1', 'v1beta1', 'yes'],
  ['v1.9.5', 'v1beta1', 'v1beta2', 'no'],
  ['v1.11.0', 'v1beta2', 'v1beta1', 'temporarily'],
  ['v1.15.0', 'v1beta2', 'v1beta1', 'temporarily'],
  ['v1.16.0', 'v1beta2', 'v1beta1', 'no'],
  ['v2.0.0', 'v1beta2', 'v1beta1', 'no'],
  ['v1.12.0', 'v1beta2', 'v1alpha4', 'no'],
  ['odd', 'v1beta2', 'v1beta2', 'yes'],
  ['odd', 'v1beta2', 'v1beta1', 'temporarily'],
])('core %s (%s) works with %s: %s', (version, core, provider, expected) => {
  expect(contractCompatibility(version, core, provider)).toBe(expected);
});
