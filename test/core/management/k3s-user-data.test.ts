import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ClusterSpec } from '../../../core/capi/spec-schema.ts';
import {
  type ManagementNode,
  managementNodes,
  renderManagementUserData,
} from '../../../core/management/k3s-user-data.ts';
import { packUserData, userDataLimitBytes } from '../../../core/management/user-data-size.ts';
import flags from '../../fixtures/k3s-flags.json' with { type: 'json' };
import { expectGolden } from '../../golden/golden-file.ts';
import { example } from '../capi/translate-samples.ts';

const uid = '3f2a9c1e-5d4b-4c8a-9e7f-0123456789ab';
const addresses = ['10.0.0.10', '10.0.0.11', '10.0.0.12', '10.0.0.13', '10.0.0.14'];

test.each(['server-0', 'agent-0'])('the user data of %s of the example is the reviewed one', (name) => {
  expectGolden(`user-data-${name}.yaml`, renderManagementUserData(nodeOf(name, 1)));
});

describe('the nodes of a management cluster', () => {
  test('are its servers, the first of which starts it, and then its agents', () => {
    expect(nodesOf(3).map(({ name, role, first }) => [name, role, first])).toEqual([
      ['server-0', 'server', true],
      ['server-1', 'server', false],
      ['server-2', 'server', false],
      ['agent-0', 'agent', false],
    ]);
  });

  test.each([[[]], [['10.0.0.10']], [addresses]])(
    'cannot be three servers with the addresses %j',
    (serverAddresses) => {
      expect(() => managementNodes({ ...source(3), serverAddresses })).toThrow(
        expect.objectContaining({ code: 'InternalError' }),
      );
    },
  );
});

describe.each([1, 3, 5])('with %i servers', (count) => {
  const nodes = nodesOf(count);

  test.each(nodes)('$name knows who it is from plain lines', (node) => {
    expect(environmentOf(node)).toMatchObject({
      PETRA_CLUSTER: 'petra-mgmt',
      PETRA_UID: uid,
      PETRA_REGION: 'us-west-1',
      PETRA_NODE_NAME: node.name,
      PETRA_NODE_ROLE: node.role,
      PETRA_NODE_FIRST: String(node.name === 'server-0'),
      PETRA_K3S_VERSION: 'v1.35.3+k3s1',
      PETRA_TOKEN_SECRET: `petra/${uid}/join-token`,
      PETRA_KUBECONFIG_SECRET: `petra/${uid}/kubeconfig`,
      PETRA_SERVER_ADDRESS: '10.0.0.10',
      PETRA_PEER_ADDRESSES: addresses.slice(1, count).join(','),
    });
  });

  test.each(nodes)('$name fits into EC2 user data', (node) => {
    expect(
      packUserData({ name: node.name, userData: renderManagementUserData(node) }).length,
    ).toBeLessThanOrEqual(userDataLimitBytes / 2);
  });

  test.each(nodes)('k3s on $name knows every flag', (node) => {
    expect(flags[node.role]).toEqual(expect.arrayContaining(Object.keys(configOf(node))));
  });

  test.each(nodes.filter(({ role }) => role === 'server'))(
    'the certificate of $name holds every reserved address',
    (node) => {
      expect(configOf(node)['tls-san']).toEqual(addresses.slice(0, count));
    },
  );

  test('one server starts the cluster, and everyone else joins at its address', () => {
    const [first, ...others] = nodes.map(configOf);
    expect(first).toMatchObject({ 'cluster-init': true });
    expect(first).not.toHaveProperty('server');
    for (const config of others) {
      expect(config).toMatchObject({ server: 'https://10.0.0.10:6443' });
      expect(config).not.toHaveProperty('cluster-init');
    }
  });

  test('all servers agree on what k3s demands of them', () => {
    const [first, ...others] = nodes.filter(({ role }) => role === 'server').map(configOf);
    for (const config of others) {
      for (const key of [
        'cluster-cidr',
        'service-cidr',
        'flannel-backend',
        'disable',
        'secrets-encryption',
        'kube-apiserver-arg',
      ]) {
        expect(config[key]).toEqual(first?.[key]);
      }
    }
  });
});

test('no secret is in user data: the token is a file that the node fetches', () => {
  for (const node of nodesOf(3)) {
    expect(configOf(node)).toMatchObject({ 'token-file': '/etc/rancher/k3s/join-token' });
    expect(configOf(node)).not.toHaveProperty('token');
    expect(filesOf(node).has('/etc/rancher/k3s/join-token')).toBe(false);
  }
});

test.each([
  [true, true, ['petra-cilium.yaml', 'petra-instance-credentials.yaml', 'petra-flux.yaml']],
  [true, false, ['petra-cilium.yaml', 'petra-instance-credentials.yaml']],
  [false, true, ['petra-flux.yaml']],
  [false, false, []],
])('with cilium %s and flux %s the first server installs %j', (cilium, flux, expected) => {
  const nodes = nodesOf(3, { cilium: { enabled: cilium }, flux: { enabled: flux } });
  const installed = nodes.map((node) =>
    [...filesOf(node).keys()].filter((path) => path.includes('/manifests/')),
  );
  expect(installed[0]?.map((path) => path.split('/').at(-1))).toEqual(expected);
  expect(installed.slice(1).flat()).toEqual([]);
  for (const node of nodes.filter(({ role }) => role === 'server')) {
    expect(configOf(node)['flannel-backend']).toBe(cilium ? 'none' : undefined);
  }
});

test('k3s comes from a mirror when there is one', () => {
  const [node] = managementNodes({ ...source(1), k3sBaseUrl: 'https://mirror.example/k3s' });
  if (!node) throw new Error('no node');
  expect(environmentOf(node)).toMatchObject({ PETRA_K3S_BASE_URL: 'https://mirror.example/k3s' });
});

test.each(['$(reboot)', 'a b', 'a\nPETRA_UID=b', "it's"])(
  'a value that a shell would act upon is refused: %j',
  (k3sBaseUrl) => {
    const [node] = managementNodes({ ...source(1), k3sBaseUrl });
    if (!node) throw new Error('no node');
    expect(() => renderManagementUserData(node)).toThrow(expect.objectContaining({ code: 'InternalError' }));
  },
);

function source(count: number, addons?: ClusterSpec['spec']['addons']) {
  const spec = structuredClone(example('management.yaml'));
  spec.spec.nodes.controlPlane.count = count;
  if (addons) spec.spec.addons = addons;
  return { name: 'petra-mgmt', uid, region: 'us-west-1', spec, serverAddresses: addresses.slice(0, count) };
}

function nodesOf(count: number, addons?: ClusterSpec['spec']['addons']): readonly ManagementNode[] {
  return managementNodes(source(count, addons));
}

function nodeOf(name: string, count: number): ManagementNode {
  const found = nodesOf(count).find((node) => node.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function filesOf(node: ManagementNode): ReadonlyMap<string, string> {
  const text = renderManagementUserData(node);
  expect(text.startsWith('#cloud-config\n')).toBe(true);
  const files: { path: string; content: string }[] = parse(text).write_files;
  return new Map(files.map(({ path, content }) => [path, content]));
}

function configOf(node: ManagementNode): Record<string, unknown> {
  return parse(filesOf(node).get('/etc/rancher/k3s/config.yaml') ?? '');
}

function environmentOf(node: ManagementNode): Record<string, string> {
  const lines = (filesOf(node).get('/etc/petra/node.env') ?? '').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
