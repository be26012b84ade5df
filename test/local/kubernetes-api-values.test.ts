import { describe, expect, test } from 'vitest';
import { ageOf } from '../../local/kubernetes/api-age.ts';
import { compareVersions } from '../../local/kubernetes/api-definitions.ts';
import { decodeFields, encodeFields } from '../../local/kubernetes/api-fields.ts';
import { evaluateJsonPath } from '../../local/kubernetes/api-json-path.ts';
import { decodeProtobuf } from '../../local/kubernetes/api-protobuf.ts';
import { parseResourcePath } from '../../local/kubernetes/api-requests.ts';

describe('JSONPath of printer columns', () => {
  const object = {
    metadata: { labels: { 'example.org/name': 'n' } },
    spec: {
      list: [
        { name: 'a', size: 1 },
        { name: 'b', size: 2 },
      ],
    },
    status: { conditions: [{ type: 'Ready', status: 'True' }], zero: 0 },
  };
  test.each([
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ["{.status.conditions[?(@.type=='Ready')].status}", ['True']],
    ['.status.conditions[?(@.type!="Ready")].status', []],
    ['.metadata.labels.example\\.org/name', ['n']],
    ["$.metadata.labels['example\\.org/name']", ['n']],
    ['.spec.list[1].name', ['b']],
    ['.spec.list[-1].name', ['b']],
    ['.spec.list[*].size', [1, 2]],
    ['.status.zero', [0]],
    ['.status.absent.deeper', []],
    ['.spec.list[', []],
  ])('%s finds %j', (path, expected) => {
    expect(evaluateJsonPath(path, object)).toEqual(expected);
  });
});

describe('ages', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  test.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [185, '3m5s'],
    [3600, '60m'],
    [3 * 3600 + 60, '3h1m'],
    [30 * 3600, '30h'],
    [50 * 3600, '2d2h'],
    [30 * 86_400, '30d'],
    [800 * 86_400, '2y70d'],
  ])('%i seconds are %s', (seconds, expected) => {
    expect(ageOf(new Date(now - seconds * 1000).toISOString(), now)).toBe(expected);
  });
});

test('versions are ordered by stability, then by number', () => {
  const versions = ['v1beta1', 'v2', 'other', 'v1', 'v2alpha1', 'v1beta2', 'v10'];
  expect(versions.toSorted(compareVersions)).toEqual([
    'v10',
    'v2',
    'v1',
    'v1beta2',
    'v1beta1',
    'v2alpha1',
    'other',
  ]);
});

test('sets of fields survive being written as FieldsV1', () => {
  const fields = {
    'f:spec': {
      '.': {},
      'f:list': { 'k:{"name":"a"}': { '.': {}, 'f:name': {} }, 'v:"x"': {} },
      'f:leaf': {},
    },
  };
  expect(encodeFields(decodeFields(fields))).toEqual(fields);
});

describe('paths', () => {
  test.each([
    ['/api/v1/pods', { apiVersion: 'v1', plural: 'pods' }],
    ['/api/v1/namespaces/a', { apiVersion: 'v1', plural: 'namespaces', name: 'a' }],
    [
      '/api/v1/namespaces/a/status',
      { apiVersion: 'v1', plural: 'namespaces', name: 'a', subresource: 'status' },
    ],
    [
      '/apis/apps/v1/namespaces/a/deployments',
      { apiVersion: 'apps/v1', namespace: 'a', plural: 'deployments' },
    ],
    [
      '/apis/apps/v1/namespaces/a/deployments/b%3Ac/status',
      { apiVersion: 'apps/v1', namespace: 'a', plural: 'deployments', name: 'b:c', subresource: 'status' },
    ],
  ])('%s is understood', (path, expected) => {
    expect(parseResourcePath(path)).toEqual(expected);
  });

  test.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v1/pods/',
    '/apis/apps/v1/deployments/a/b/c',
    '/x/y/z',
    '/api/v1/%E0',
  ])('%s is not a resource', (path) => {
    expect(() => parseResourcePath(path)).toThrow(expect.objectContaining({ name: 'ApiStatusError' }));
  });
});

describe('protobuf', () => {
  const field = (number: number, content: string | Buffer) => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  };
  const envelope = (kind: string, raw: Buffer) =>
    Buffer.concat([
      Buffer.from('k8s\0'),
      field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
      field(2, raw),
    ]);

  test('an object that kubectl create sends is read', () => {
    const metadata = Buffer.concat([field(1, 'a'), field(3, ''), Buffer.from([7 * 8, 0])]);
    const entry = (key: string, value: string) => field(2, Buffer.concat([field(1, key), field(2, value)]));
    const raw = Buffer.concat([
      field(1, metadata),
      entry('x', '1'),
      entry('y', '2'),
      Buffer.from([4 * 8, 1]),
    ]);
    expect(decodeProtobuf(envelope('ConfigMap', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a' },
      data: { x: '1', y: '2' },
      immutable: true,
    });
  });

  test('another kind, a cut message and anything else are refused', () => {
    expect(() => decodeProtobuf(envelope('Ingress', Buffer.alloc(0)))).toThrow(
      expect.objectContaining({ code: 415 }),
    );
    const whole = envelope('Namespace', field(1, field(1, 'name')));
    expect(() => decodeProtobuf(whole.subarray(0, -2))).toThrow(expect.objectContaining({ code: 400 }));
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow(expect.objectContaining({ code: 400 }));
  });
});
