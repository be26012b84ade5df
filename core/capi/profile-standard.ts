// The security profile `standard`: a list of named settings, each with its reason. The same list hardens workload nodes
// (through the ClusterClass) and management nodes (through their user data). Most follow the CIS Kubernetes Benchmark.
// Not in it, because the k3s providers fix them: the API server's `anonymous-auth=true` and its cipher suites
// (cluster-api-k3s v0.3.1, pkg/k3s/config.go). A repeated argument would not reliably win.

import type { K3sConfig, NodeFile } from './node-file.ts';
import { yamlText } from './yaml-text.ts';

/** One measure, and where it goes. "Nodes" are servers and agents. */
export interface SecuritySetting {
  readonly name: string;
  readonly reason: string;
  readonly serverConfig?: K3sConfig;
  readonly nodeConfig?: K3sConfig;
  readonly apiServerArgs?: readonly string[];
  readonly kubeletArgs?: readonly string[];
  readonly serverFiles?: readonly NodeFile[];
  readonly nodeFiles?: readonly NodeFile[];
  /** Run before k3s starts. */
  readonly serverCommands?: readonly string[];
  readonly nodeCommands?: readonly string[];
}

/** TLS 1.2 suites with forward secrecy and AES-GCM: all approved under FIPS 140, unlike ChaCha20. TLS 1.3 has its own. */
export const approvedCipherSuites = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
].join(',');

const secretsEncryption: SecuritySetting = {
  name: 'secrets-encryption',
  reason: 'Secrets are encrypted in etcd and in its snapshots; k3s keeps the key on the servers.',
  serverConfig: { 'secrets-encryption': true },
};

const auditPolicyPath = '/etc/rancher/k3s/petra-audit-policy.yaml';
const auditLogFolder = '/var/lib/rancher/k3s/server/logs';

const auditLog: SecuritySetting = {
  name: 'audit-log',
  reason:
    'Who did what, kept for 30 days or ten files of 100 MB. Bodies only where permissions change: never of secrets.',
  apiServerArgs: [
    `audit-log-path=${auditLogFolder}/audit.log`,
    `audit-policy-file=${auditPolicyPath}`,
    'audit-log-maxage=30',
    'audit-log-maxbackup=10',
    'audit-log-maxsize=100',
  ],
  serverFiles: [
    {
      path: auditPolicyPath,
      owner: 'root:root',
      permissions: '0600',
      content: yamlText({
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        omitStages: ['RequestReceived'],
        rules: [
          { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version'] },
          {
            level: 'None',
            resources: [
              { group: '', resources: ['events'] },
              { group: 'events.k8s.io', resources: ['events'] },
              { group: 'coordination.k8s.io', resources: ['leases'] },
            ],
          },
          {
            level: 'Request',
            verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
            resources: [{ group: 'rbac.authorization.k8s.io' }],
          },
          { level: 'Metadata' },
        ],
      }),
    },
  ],
  serverCommands: [`install -d -m 0700 ${auditLogFolder}`],
};

const kernelSettingsPath = '/etc/sysctl.d/90-petra-kubelet.conf';

const protectKernelDefaults: SecuritySetting = {
  name: 'protect-kernel-defaults',
  reason:
    'The kubelet refuses to run on, rather than silently change, kernel settings other than its own; so they are set first.',
  nodeConfig: { 'protect-kernel-defaults': true },
  nodeFiles: [
    {
      path: kernelSettingsPath,
      owner: 'root:root',
      permissions: '0644',
      // The six that the kubelet checks: pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
      content: [
        'vm.overcommit_memory = 1',
        'vm.panic_on_oom = 0',
        'kernel.panic = 10',
        'kernel.panic_on_oops = 1',
        'kernel.keys.root_maxkeys = 1000000',
        'kernel.keys.root_maxbytes = 25000000',
        '',
      ].join('\n'),
    },
  ],
  nodeCommands: [`sysctl -p ${kernelSettingsPath}`],
};

const kubeletHardening: SecuritySetting = {
  name: 'kubelet',
  reason:
    "Idle exec and log streams end, a pod cannot use up a node's processes, pods get the runtime's seccomp profile unless they choose.",
  kubeletArgs: ['streaming-connection-idle-timeout=5m', 'pod-max-pids=4096', 'seccomp-default=true'],
};

const transportSecurity: SecuritySetting = {
  name: 'tls',
  reason: 'TLS 1.2 or newer everywhere, and approved cipher suites on the kubelet (NIST SP 800-52).',
  apiServerArgs: ['tls-min-version=VersionTLS12'],
  kubeletArgs: ['tls-min-version=VersionTLS12', `tls-cipher-suites=${approvedCipherSuites}`],
};

const admissionPlugins: SecuritySetting = {
  name: 'admission-plugins',
  reason:
    "A kubelet may change only its own node and pods (k3s' default, which naming any plugin replaces), and a Service may not claim an address through externalIPs (CVE-2020-8554).",
  apiServerArgs: ['enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs'],
};

const podSecurityPath = '/etc/rancher/k3s/petra-admission.yaml';

const podSecurity: SecuritySetting = {
  name: 'pod-security',
  reason:
    'Pods that could take over their node are refused, whoever creates them; what stricter rules would refuse is warned of and audited. Only kube-system, where CNI and etcd proxy need the host, is exempt.',
  apiServerArgs: [`admission-control-config-file=${podSecurityPath}`],
  serverFiles: [
    {
      path: podSecurityPath,
      owner: 'root:root',
      permissions: '0600',
      content: yamlText({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AdmissionConfiguration',
        plugins: [
          {
            name: 'PodSecurity',
            configuration: {
              apiVersion: 'pod-security.admission.config.k8s.io/v1',
              kind: 'PodSecurityConfiguration',
              defaults: {
                enforce: 'baseline',
                'enforce-version': 'latest',
                audit: 'restricted',
                'audit-version': 'latest',
                warn: 'restricted',
                'warn-version': 'latest',
              },
              exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
            },
          },
        ],
      }),
    },
  ],
};

const kubeconfigMode: SecuritySetting = {
  name: 'kubeconfig-mode',
  reason: "Only root reads a server's admin kubeconfig; k3s' default, held against a changed one.",
  serverConfig: { 'write-kubeconfig-mode': '0600' },
};

const noSsh: SecuritySetting = {
  name: 'no-ssh',
  reason:
    'No SSH daemon listens on any node, and nothing can start one: people come in through Session Manager, which is logged. No key pair is given to a machine either.',
  // Ubuntu starts SSH by its socket, Amazon Linux by sshd.service. One by one: systemctl gives up at the first unit that an
  // image does not have.
  nodeCommands: [
    'for unit in ssh.socket ssh.service sshd.service; do systemctl mask --now $unit 2>/dev/null || true; done',
  ],
};

const coreDumpsPath = '/etc/sysctl.d/91-petra-core-dumps.conf';

const noCoreDumps: SecuritySetting = {
  name: 'no-core-dumps',
  reason:
    "A process that crashes leaves no copy of its memory on the disk: that of k3s holds the cluster's keys and Secrets. Programs that change their user are never dumped.",
  nodeFiles: [
    {
      path: coreDumpsPath,
      owner: 'root:root',
      permissions: '0644',
      content: 'kernel.core_pattern = |/bin/false\nfs.suid_dumpable = 0\n',
    },
  ],
  nodeCommands: [`sysctl -p ${coreDumpsPath}`],
};

const hostSettingsPath = '/etc/sysctl.d/92-petra-host.conf';

const kernelSettings: SecuritySetting = {
  name: 'kernel-settings',
  reason:
    "Users and pods cannot read the kernel's addresses and log, nor load BPF programs, which help to break out of a container; and no neighbour can bend the node's routes by redirects or source routes.",
  nodeFiles: [
    {
      path: hostSettingsPath,
      owner: 'root:root',
      permissions: '0644',
      content: [
        'kernel.kptr_restrict = 1',
        'kernel.dmesg_restrict = 1',
        'kernel.unprivileged_bpf_disabled = 1',
        'net.ipv4.conf.all.accept_redirects = 0',
        'net.ipv4.conf.default.accept_redirects = 0',
        'net.ipv4.conf.all.send_redirects = 0',
        'net.ipv4.conf.default.send_redirects = 0',
        'net.ipv4.conf.all.accept_source_route = 0',
        'net.ipv4.conf.default.accept_source_route = 0',
        '',
      ].join('\n'),
    },
  ],
  nodeCommands: [`sysctl -p ${hostSettingsPath}`],
};

const hostAudit: SecuritySetting = {
  name: 'host-audit',
  reason:
    'Logins, changed accounts and refused accesses of the host itself are on record where the image has the audit daemon, as Amazon Linux does.',
  nodeCommands: ['systemctl enable --now auditd.service 2>/dev/null || true'],
};

/** Every measure of the profile `standard`. */
export const standardProfile: readonly SecuritySetting[] = [
  secretsEncryption,
  auditLog,
  protectKernelDefaults,
  kubeletHardening,
  transportSecurity,
  admissionPlugins,
  podSecurity,
  kubeconfigMode,
  noSsh,
  noCoreDumps,
  kernelSettings,
  hostAudit,
];

/** What a list of settings amounts to on one kind of node. */
export interface NodeHardening {
  readonly config: K3sConfig;
  /** Empty on agents. */
  readonly apiServerArgs: readonly string[];
  readonly kubeletArgs: readonly string[];
  readonly files: readonly NodeFile[];
  readonly commands: readonly string[];
}

/** Adds settings up for servers or for agents. */
export function hardening(settings: readonly SecuritySetting[], role: 'server' | 'agent'): NodeHardening {
  const server = role === 'server';
  return {
    config: Object.assign({}, ...settings.map((s) => ({ ...s.nodeConfig, ...(server && s.serverConfig) }))),
    apiServerArgs: server ? settings.flatMap((s) => s.apiServerArgs ?? []) : [],
    kubeletArgs: settings.flatMap((s) => s.kubeletArgs ?? []),
    files: settings.flatMap((s) => [...(s.nodeFiles ?? []), ...((server && s.serverFiles) || [])]),
    commands: settings.flatMap((s) => [...(s.nodeCommands ?? []), ...((server && s.serverCommands) || [])]),
  };
}
