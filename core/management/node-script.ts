// What a management node runs at every start. Settings come from /etc/petra/node.env, so the text is the same for all nodes.

import type { NodeFile } from '../capi/node-file.ts';

const scriptPath = '/usr/local/sbin/petra-node';

/** Unit that brings the node into its cluster; cloud-init starts it. */
export const nodeUnit = 'petra-node.service';

/** Where k3s reads the join token, which the script fetches. */
export const joinTokenPath = '/etc/rancher/k3s/join-token';

/**
 * The script and its units. petra-node.service runs at every start and again after a failure, so a network that comes up
 * late, or a reboot in the middle, needs nobody; its output goes to the machine's console, where Petra reads it when a
 * start fails.
 */
export function nodeServiceFiles(): readonly NodeFile[] {
  return [
    { path: scriptPath, owner: 'root:root', permissions: '0700', content: script },
    {
      path: `/etc/systemd/system/${nodeUnit}`,
      owner: 'root:root',
      permissions: '0644',
      content: nodeUnitText,
    },
    {
      path: '/etc/systemd/system/k3s.service',
      owner: 'root:root',
      permissions: '0644',
      content: k3sUnitText,
    },
  ];
}

const nodeUnitText = `[Unit]
Description=Join this machine to its Petra management cluster
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${scriptPath}
Restart=on-failure
RestartSec=30
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
`;

// Not stopped by petra-node.service, and containers outlive a restart of k3s (KillMode=process).
const k3sUnitText = `[Unit]
Description=k3s
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
EnvironmentFile=/etc/petra/node.env
ExecStart=/usr/local/bin/k3s \${PETRA_NODE_ROLE}
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;

const script = `#!/bin/sh
# Brings this machine into its management cluster. Safe to run again: what is done is left as it is.
set -eu
umask 077
. /etc/petra/node.env

config=/etc/rancher/k3s
token=${joinTokenPath}
work=$(mktemp -d)

say() { echo "petra: $*"; }

finish() {
  status=$?
  rm -rf "$work"
  [ "$status" -eq 0 ] && return
  say "failed with status $status; the end of the k3s log follows"
  journalctl --no-pager --output=cat --lines=30 --unit=k3s.service || true
}
trap finish EXIT

# attempt TIMES SECONDS COMMAND...: a new instance profile and fresh routes take a while to work.
attempt() {
  left=$1 pause=$2
  shift 2
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep "$pause"
  done
}

fetch_token() {
  aws secretsmanager get-secret-value --region "$PETRA_REGION" --secret-id "$PETRA_TOKEN_SECRET" \\
    --query SecretString --output text > "$work/token" && [ -s "$work/token" ] && mv -f "$work/token" "$token"
}

has_k3s() { /usr/local/bin/k3s --version 2> /dev/null | grep -qF " $PETRA_K3S_VERSION "; }

download_k3s() {
  case $(uname -m) in
    x86_64) binary=k3s sums=sha256sum-amd64.txt ;;
    aarch64) binary=k3s-arm64 sums=sha256sum-arm64.txt ;;
    *) say "no k3s for $(uname -m)" && exit 1 ;;
  esac
  # A plus sign stands for a space in some servers' reading of an address.
  base=$PETRA_K3S_BASE_URL/$(echo "$PETRA_K3S_VERSION" | sed 's/+/%2B/')
  (
    cd "$work" &&
      curl -fsSL --connect-timeout 10 --max-time 60 -o sums "$base/$sums" &&
      curl -fsSL --connect-timeout 10 --max-time 600 -o "$binary" "$base/$binary" &&
      awk -v file="$binary" '$2 == file' sums > sum &&
      [ -s sum ] && sha256sum -c sum
  ) || return 1
  install -m 0755 "$work/$binary" /usr/local/bin/k3s.new &&
    mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s && ln -sf k3s /usr/local/bin/kubectl
}

# A first server whose machine was replaced finds no data of its own; starting anew would make a second cluster beside
# the one that the other servers still run.
join_peers() {
  [ "$PETRA_NODE_FIRST" = true ] && [ ! -d /var/lib/rancher/k3s/server/db ] || return 0
  for peer in $(echo "$PETRA_PEER_ADDRESSES" | tr ',' ' '); do
    if curl -ksf --max-time 5 "https://$peer:6443/ping" > /dev/null; then
      say "joins the cluster found at $peer"
      printf 'cluster-init: false\\nserver: https://%s:6443\\n' "$peer" > "$config/config.yaml.d/90-petra-join.yaml"
      return 0
    fi
  done
}

publish_kubeconfig() {
  sed "s#https://127.0.0.1:6443#https://$PETRA_SERVER_ADDRESS:6443#" "$config/k3s.yaml" > "$work/kubeconfig" &&
    aws secretsmanager put-secret-value --region "$PETRA_REGION" --secret-id "$PETRA_KUBECONFIG_SECRET" \\
      --secret-string "file://$work/kubeconfig" > /dev/null
}

mkdir -p "$config/config.yaml.d"
say "$PETRA_NODE_NAME of $PETRA_CLUSTER starts"

attempt 60 10 fetch_token || { say "cannot read the secret $PETRA_TOKEN_SECRET" && exit 1; }
say "has the join token"

has_k3s || attempt 10 15 download_k3s || { say "cannot download k3s $PETRA_K3S_VERSION" && exit 1; }
say "has k3s $PETRA_K3S_VERSION"

sh /etc/petra/harden.sh
join_peers

systemctl daemon-reload
systemctl enable --quiet k3s.service
systemctl start --no-block k3s.service
attempt 180 5 systemctl is-active --quiet k3s.service || { say "k3s did not start" && exit 1; }
say "k3s runs"

if [ "$PETRA_NODE_FIRST" = true ]; then
  attempt 120 5 /usr/local/bin/k3s kubectl get --raw=/readyz > /dev/null || { say "the Kubernetes API is not ready" && exit 1; }
  attempt 30 10 publish_kubeconfig || { say "cannot write the secret $PETRA_KUBECONFIG_SECRET" && exit 1; }
  say "the kubeconfig is stored"
fi
say "$PETRA_NODE_NAME is ready"
`;
