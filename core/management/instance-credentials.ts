// Keeps pods from the credentials of the instance they run on: those may do in AWS what CAPA must. CAPA itself is on the
// host's network (core/capi/host-network.ts), which none of this touches. The launch adds a third measure: the session
// token of the metadata service travels one hop only. Why routing rules, and why two measures here: docs/decisions/0005.

import { manifestsFolder } from '../capi/addon-charts.ts';
import type { NodeFile } from '../capi/node-file.ts';
import type { SecuritySetting } from '../capi/profile-standard.ts';
import { yamlText } from '../capi/yaml-text.ts';

/** Where an instance finds its metadata: Amazon EC2 User Guide, "Access instance metadata". */
export const metadataAddresses = { ipv4: '169.254.169.254', ipv6: 'fd00:ec2::254' } as const;

/** Sets the rules up; k3s.service runs it first, and does not start without them. Safe to repeat. */
export const shieldPath = '/usr/local/sbin/petra-shield-credentials';

// What the machine itself sends comes from `lo`, in a rule's words; what it forwards comes from a pod's interface.
const shield = `#!/bin/sh
# Refuses to forward to the instance's metadata, which is what a pod's request needs. Safe to run again.
set -eu

shield() {
  ip "$1" rule | grep -q "^50:.* $2 " || ip "$1" rule add pref 50 iif lo to "$2" lookup main
  ip "$1" rule | grep -q "^51:.* $2 " || ip "$1" rule add pref 51 to "$2" prohibit
}

shield -4 ${metadataAddresses.ipv4}
[ ! -d /proc/sys/net/ipv6 ] || shield -6 ${metadataAddresses.ipv6}
`;

/** Measures of management nodes only: machines of workload clusters have a role that may do next to nothing. */
export const instanceCredentials: SecuritySetting = {
  name: 'instance-credentials',
  reason:
    "No pod of the pod network reaches the instance's metadata, and with it the role of the node: two routing rules refuse to forward there, before k3s starts any pod. systemd-networkd would remove them, and routes of the network plugin, whenever it starts, unless told that they are not its own.",
  nodeFiles: [
    { path: shieldPath, owner: 'root:root', permissions: '0700', content: shield },
    {
      path: '/etc/systemd/networkd.conf.d/90-petra.conf',
      owner: 'root:root',
      permissions: '0644',
      content: '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n',
    },
  ],
};

/**
 * The same in cilium's words, for where its BPF programs carry packets past the kernel's routing. It denies these
 * addresses and nothing else: a policy that only denies would else forbid what it does not name.
 */
export function ciliumCredentialsPolicy(): NodeFile {
  return {
    // After petra-cilium.yaml by its name; k3s tries again until cilium has defined the kind.
    path: `${manifestsFolder}/petra-instance-credentials.yaml`,
    owner: 'root:root',
    permissions: '0600',
    content: yamlText({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumClusterwideNetworkPolicy',
      metadata: { name: 'petra-instance-credentials' },
      spec: {
        endpointSelector: {},
        enableDefaultDeny: { ingress: false, egress: false },
        egressDeny: [{ toCIDR: [`${metadataAddresses.ipv4}/32`, `${metadataAddresses.ipv6}/128`] }],
      },
    }),
  };
}
