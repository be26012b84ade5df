// The files by which systemd runs a management node. Settings come from /etc/petra/node.env, so their text is the same for
// all nodes.

import type { NodeFile } from '../capi/node-file.ts';
import { shieldPath } from './instance-credentials.ts';
import { nodeScript, nodeScriptPath } from './node-script.ts';

/** Brings the node into its cluster; cloud-init starts it. */
export const nodeUnit = 'petra-node.service';

/**
 * The script and its units. petra-node.service runs at every start and again after a failure, so a network that comes up
 * late, or a reboot in the middle, needs nobody; its output goes to the machine's console, where Petra reads it when a
 * start fails. The first server also stores its kubeconfig again whenever k3s has written another one.
 */
export function nodeServiceFiles(node: { readonly first: boolean }): readonly NodeFile[] {
  return [
    { path: nodeScriptPath, owner: 'root:root', permissions: '0700', content: nodeScript },
    unit(nodeUnit, nodeUnitText),
    unit('k3s.service', k3sUnitText),
    ...(node.first
      ? [
          unit('petra-kubeconfig.service', kubeconfigUnitText),
          unit('petra-kubeconfig.path', kubeconfigPathText),
        ]
      : []),
  ];
}

function unit(name: string, content: string): NodeFile {
  return { path: `/etc/systemd/system/${name}`, owner: 'root:root', permissions: '0644', content };
}

const nodeUnitText = `[Unit]
Description=Join this machine to its Petra management cluster
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${nodeScriptPath} start
Restart=on-failure
RestartSec=30
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
`;

// Not stopped by petra-node.service, and containers outlive a restart of k3s (KillMode=process). After a reboot it
// starts by itself, and with the shield up: no pod runs without it.
const k3sUnitText = `[Unit]
Description=k3s
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=/etc/petra/node.env
ExecStartPre=${shieldPath}
ExecStart=/usr/local/bin/k3s \${PETRA_NODE_ROLE}
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=0
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;

const kubeconfigUnitText = `[Unit]
Description=Store the kubeconfig of this Petra management cluster where Petra reads it
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${nodeScriptPath} publish-kubeconfig
Restart=on-failure
RestartSec=60
StandardOutput=journal+console
StandardError=journal+console
`;

// k3s renews its certificates when it starts within 90 or 120 days (by its version) of their end, and writes this file
// at every start.
const kubeconfigPathText = `[Unit]
Description=Notice that k3s has written its kubeconfig

[Path]
PathChanged=/etc/rancher/k3s/k3s.yaml

[Install]
WantedBy=multi-user.target
`;
