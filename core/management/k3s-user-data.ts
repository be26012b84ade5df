// User data of management nodes: a #cloud-config for Amazon Linux 2023, which has cloud-init, the AWS CLI and the SSM agent.
// Nothing secret is in it: a node reads the join token from Secrets Manager with its own role.

import { ciliumManifest, fluxManifest } from '../capi/addon-charts.ts';
import { podCidr, serviceCidr, serviceDomain } from '../capi/cluster-network.ts';
import { disabledComponents, type K3sConfig, type NodeFile, withoutFlannel } from '../capi/node-file.ts';
import {
  approvedCipherSuites,
  hardening,
  type SecuritySetting,
  standardProfile,
} from '../capi/profile-standard.ts';
import type { ClusterSpec } from '../capi/spec-schema.ts';
import { yamlText } from '../capi/yaml-text.ts';
import { PetraError } from '../errors.ts';
import type { MachineRole } from '../ports.ts';
import { ciliumCredentialsPolicy, instanceCredentials } from './instance-credentials.ts';
import { joinTokenPath } from './node-script.ts';
import { nodeServiceFiles, nodeUnit } from './node-units.ts';
import { joinTokenSecretName, kubeconfigSecretName } from './secret-names.ts';

/** Where k3s releases are: `<base>/<version>/k3s`, `k3s-arm64` and `sha256sum-<architecture>.txt`. */
const k3sReleasesUrl = 'https://github.com/k3s-io/k3s/releases/download';

/** What hardens a management node: the profile of all clusters, and what its credentials need. */
export const managementProfile: readonly SecuritySetting[] = [...standardProfile, instanceCredentials];

/** One machine of a management cluster: what its user data is made of. */
export interface ManagementNode {
  readonly cluster: string;
  readonly uid: string;
  readonly region: string;
  /** `server-0`, `agent-1` …: unique in the cluster. */
  readonly name: string;
  readonly role: MachineRole;
  /** The server that starts the cluster; all others join it. */
  readonly first: boolean;
  /** Reserved addresses of all servers, the first server's first. */
  readonly serverAddresses: readonly [string, ...string[]];
  readonly k3sVersion: string;
  readonly k3sBaseUrl: string;
  readonly addons: ClusterSpec['spec']['addons'];
}

export interface ManagementNodesSource {
  readonly name: string;
  readonly uid: string;
  readonly region: string;
  readonly spec: ClusterSpec;
  /** One for each control-plane node, in order. */
  readonly serverAddresses: readonly string[];
  /** A mirror of k3s' releases; upstream's when absent. */
  readonly k3sBaseUrl?: string;
}

/** Every machine of a management cluster: servers first, the first of them starts the cluster. */
export function managementNodes(source: ManagementNodesSource): readonly ManagementNode[] {
  const { kubernetes, nodes, addons } = source.spec.spec;
  const [first, ...others] = source.serverAddresses;
  if (first === undefined || source.serverAddresses.length !== nodes.controlPlane.count) {
    throw new PetraError(
      'InternalError',
      `${nodes.controlPlane.count} servers of "${source.name}" need as many addresses, got ${source.serverAddresses.length}`,
    );
  }
  const node = (role: MachineRole, index: number): ManagementNode => ({
    cluster: source.name,
    uid: source.uid,
    region: source.region,
    name: `${role}-${index}`,
    role,
    first: role === 'server' && index === 0,
    serverAddresses: [first, ...others],
    k3sVersion: kubernetes.version,
    k3sBaseUrl: source.k3sBaseUrl ?? k3sReleasesUrl,
    addons,
  });
  return [
    ...Array.from({ length: nodes.controlPlane.count }, (_, index) => node('server', index)),
    ...Array.from({ length: nodes.workers.count }, (_, index) => node('agent', index)),
  ];
}

/** The user data of a node, as plain text. Its start may be repeated: by a reboot, or by systemd after a failure. */
export function renderManagementUserData(node: ManagementNode): string {
  const hardened = hardening(managementProfile, node.role);
  const addons = node.first
    ? [
        ...(node.addons.cilium.enabled ? [ciliumManifest(), ciliumCredentialsPolicy()] : []),
        ...(node.addons.flux.enabled ? [fluxManifest()] : []),
      ]
    : [];
  const files: readonly NodeFile[] = [
    { path: '/etc/petra/node.env', owner: 'root:root', permissions: '0644', content: environmentText(node) },
    file('/etc/rancher/k3s/config.yaml', yamlText(k3sConfig(node))),
    file('/etc/petra/harden.sh', ['set -eu', ...hardened.commands, ''].join('\n')),
    ...hardened.files,
    ...addons,
    ...nodeServiceFiles(node),
  ];
  return `#cloud-config\n${yamlText({
    // A node runs what its image holds, and is replaced by one with a newer image: nothing changes under a running k3s.
    package_update: false,
    package_upgrade: false,
    write_files: files,
    runcmd: [
      // Reads its new settings, so that it lets the rules alone which keep pods from the instance's credentials.
      ['systemctl', 'try-restart', 'systemd-networkd.service'],
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--now', '--no-block', nodeUnit],
    ],
  })}`;
}

function k3sConfig(node: ManagementNode): K3sConfig {
  const { config, kubeletArgs } = hardening(managementProfile, node.role);
  return {
    // Told apart from an earlier machine of the same name, which k3s would else refuse to replace.
    'node-name': node.name,
    'with-node-id': true,
    'node-label': [`petra.sh/node=${node.name}`],
    'token-file': joinTokenPath,
    'prefer-bundled-bin': true,
    ...(node.first ? { 'cluster-init': true } : { server: `https://${node.serverAddresses[0]}:6443` }),
    ...(node.role === 'server' && serverConfig(node)),
    'kubelet-arg': kubeletArgs,
    ...config,
  };
}

function serverConfig(node: ManagementNode): K3sConfig {
  return {
    'tls-san': node.serverAddresses,
    disable: disabledComponents,
    'cluster-cidr': podCidr,
    'service-cidr': serviceCidr,
    'cluster-domain': serviceDomain,
    'kube-apiserver-arg': [
      ...hardening(managementProfile, 'server').apiServerArgs,
      // The k3s providers set their own on workload clusters; here nobody does.
      `tls-cipher-suites=${approvedCipherSuites}`,
    ],
    ...(node.addons.cilium.enabled && withoutFlannel),
  };
}

function environmentText(node: ManagementNode): string {
  const [first, ...others] = node.serverAddresses;
  const environment = {
    PETRA_CLUSTER: node.cluster,
    PETRA_UID: node.uid,
    PETRA_REGION: node.region,
    PETRA_NODE_NAME: node.name,
    PETRA_NODE_ROLE: node.role,
    PETRA_NODE_FIRST: String(node.first),
    PETRA_K3S_VERSION: node.k3sVersion,
    PETRA_K3S_BASE_URL: node.k3sBaseUrl,
    PETRA_TOKEN_SECRET: joinTokenSecretName(node.uid),
    PETRA_KUBECONFIG_SECRET: kubeconfigSecretName(node.uid),
    PETRA_SERVER_ADDRESS: first,
    PETRA_PEER_ADDRESSES: others.join(','),
  };
  return Object.entries(environment)
    .map(([name, value]) => {
      // Read by a shell and by systemd, which quote differently: only what needs no quotes in either.
      if (!/^[\w.,:/+%@-]*$/.test(value)) {
        throw new PetraError('InternalError', `${name} cannot be passed to a node: got "${value}"`);
      }
      return `${name}=${value}\n`;
    })
    .join('');
}

function file(path: string, content: string): NodeFile {
  return { path, owner: 'root:root', permissions: '0600', content };
}
