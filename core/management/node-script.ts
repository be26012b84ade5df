// What a management node runs at every start. Settings come from /etc/petra/node.env, so the text is the same for all nodes.

import { metadataAddresses } from './instance-credentials.ts';

/** Where the script is; its argument is `start` or `publish-kubeconfig`. */
export const nodeScriptPath = '/usr/local/sbin/petra-node';

/** Where k3s reads the join token, which the script fetches. */
export const joinTokenPath = '/etc/rancher/k3s/join-token';

/** The tag of its own instance in which a node says how far it is, at most `progressLength` characters. */
export const progressTag = 'petra.sh/progress';

/** EC2's limit on the value of a tag: Amazon EC2 User Guide, "Tag restrictions". */
export const progressLength = 256;

export const nodeScript = `#!/bin/sh
# Brings this machine into its management cluster. Safe to run again: what is done is left as it is.
set -eu
umask 077
. /etc/petra/node.env

config=/etc/rancher/k3s
token=${joinTokenPath}
state=/var/lib/petra
failure_file=/run/petra-node.failure
metadata=http://${metadataAddresses.ipv4}/latest
work=$(mktemp -d)
errors=$work/errors
task=\${1:-} failure='' before='' instance=''

: > "$errors"

# say WORDS: what comes after the node's name in a sentence. To the console, and to the instance's tag, where Petra reads
# it. The tag is a courtesy: nothing waits for it.
say() {
  echo "petra: $*"
  tag_instance "$*$before" > /dev/null 2>&1 || true
}

tag_instance() {
  [ -n "$instance" ] || instance=$(instance_id) || return 1
  word=$(printf '%s' "$1" | tr -c 'A-Za-z0-9 ,.;:_/=+@()-' ' ' | cut -c 1-${progressLength})
  timeout 30 aws ec2 create-tags --region "$PETRA_REGION" --resources "$instance" \\
    --tags "[{\\"Key\\":\\"${progressTag}\\",\\"Value\\":\\"$word\\"}]"
}

instance_id() {
  (
    printf 'X-aws-ec2-metadata-token: ' &&
      curl -fsS --noproxy '*' --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token"
  ) > "$work/session" &&
    curl -fsS --noproxy '*' --max-time 5 -H "@$work/session" "$metadata/meta-data/instance-id"
}

# fail WORDS: with the last thing that a command complained of.
fail() {
  failure="$*"
  complaint=$(grep -v '^[[:space:]]*$' "$errors" | tail -n 1)
  [ -z "$complaint" ] || failure="$failure: $complaint"
  exit 1
}

finish() {
  status=$?
  if [ "$status" -ne 0 ]; then
    failure=\${failure:-stopped with status $status}
    if [ "$task" = start ]; then
      echo "petra: the end of the log of k3s:"
      journalctl --no-pager --output=cat --lines=30 --unit=k3s.service || true
      printf '%s' "$failure" > "$failure_file"
    fi
    # Told of a failure once is enough.
    before=''
    say "failed: $failure"
  fi
  rm -rf "$work"
}
trap finish EXIT

# attempt TIMES SECONDS COMMAND...: a new instance profile and fresh routes take a while to work.
attempt() {
  left=$1 pause=$2
  shift 2
  until "$@" 2> "$errors"; do
    cat "$errors" >&2
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep "$pause"
  done
}

secrets() { aws secretsmanager "$@" --region "$PETRA_REGION" --cli-connect-timeout 10 --cli-read-timeout 20; }

fetch_token() {
  secrets get-secret-value --secret-id "$PETRA_TOKEN_SECRET" --query SecretString --output text > "$work/token" &&
    [ -s "$work/token" ] && mv -f "$work/token" "$token"
}

has_k3s() { /usr/local/bin/k3s --version 2> /dev/null | grep -qF " $PETRA_K3S_VERSION "; }

download_k3s() {
  # A plus sign stands for a space in some servers' reading of an address.
  base=$PETRA_K3S_BASE_URL/$(echo "$PETRA_K3S_VERSION" | sed 's/+/%2B/')
  (
    cd "$work" &&
      curl -fsSL --connect-timeout 10 --max-time 60 -o sums "$base/$sums" &&
      curl -fsSL --connect-timeout 10 --max-time 600 -o "$binary" "$base/$binary" &&
      { grep "[ *]$binary$" sums > sum || { echo "$sums has no $binary" >&2 && false; }; } &&
      sha256sum -c sum
  ) || return 1
  install -m 0755 "$work/$binary" /usr/local/bin/k3s.new &&
    mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s && ln -sf k3s /usr/local/bin/kubectl
}

# A first server whose machine was replaced finds no data of its own; starting anew would make a second cluster beside
# the one that the other servers still run.
join_peers() {
  [ "$PETRA_NODE_FIRST" = true ] && [ ! -d /var/lib/rancher/k3s/server/db ] || return 0
  for peer in $(echo "$PETRA_PEER_ADDRESSES" | tr ',' ' '); do
    if curl -ksf --noproxy '*' --max-time 5 "https://$peer:6443/ping" > /dev/null; then
      say "joins the cluster found at $peer"
      printf 'cluster-init: false\\nserver: https://%s:6443\\n' "$peer" > "$config/config.yaml.d/90-petra-join.yaml"
      return 0
    fi
  done
}

# Both the start and the path unit come here, at the same time after a reboot. What this machine stored before is not
# stored again.
publish_kubeconfig() {
  (
    flock 9 || exit 1
    sed "s#https://127.0.0.1:6443#https://$PETRA_SERVER_ADDRESS:6443#" "$config/k3s.yaml" > "$work/kubeconfig" || exit 1
    grep -q 'client-key-data: .' "$work/kubeconfig" || { echo "k3s.yaml is not complete" >&2 && exit 1; }
    sum=$(sha256sum < "$work/kubeconfig")
    [ "$sum" != "$(cat "$state/kubeconfig.sum" 2> /dev/null)" ] || exit 0
    secrets put-secret-value --secret-id "$PETRA_KUBECONFIG_SECRET" --secret-string "file://$work/kubeconfig" \\
      > /dev/null || exit 1
    echo "$sum" > "$state/kubeconfig.sum"
    : > "$work/stored"
  ) 9> "$state/kubeconfig.lock"
}

start() {
  [ ! -s "$failure_file" ] || before=" (the start before failed: $(cat "$failure_file"))"
  case $(uname -m) in
    x86_64) binary=k3s sums=sha256sum-amd64.txt ;;
    aarch64) binary=k3s-arm64 sums=sha256sum-arm64.txt ;;
    *) fail "there is no k3s for $(uname -m)" ;;
  esac
  echo "petra: this is $PETRA_NODE_NAME of $PETRA_CLUSTER"
  say "starts"

  [ -s "$token" ] || attempt 60 10 fetch_token || fail "cannot read the secret $PETRA_TOKEN_SECRET"
  say "has the join token"

  has_k3s || attempt 10 15 download_k3s || fail "cannot download k3s $PETRA_K3S_VERSION"
  say "has k3s $PETRA_K3S_VERSION"

  sh /etc/petra/harden.sh 2> "$errors" || fail "cannot harden this machine"
  say "is hardened"
  join_peers

  systemctl daemon-reload
  systemctl enable --quiet k3s.service
  systemctl start --no-block k3s.service
  attempt 180 5 systemctl is-active --quiet k3s.service || {
    journalctl --no-pager --output=cat --lines=30 --unit=k3s.service | grep level=fatal > "$errors" || true
    fail "k3s did not start"
  }
  say "runs k3s"

  if [ "$PETRA_NODE_FIRST" = true ]; then
    attempt 120 5 /usr/local/bin/k3s kubectl get --raw=/readyz > /dev/null || fail "the Kubernetes API is not ready"
    attempt 30 10 publish_kubeconfig || fail "cannot write the secret $PETRA_KUBECONFIG_SECRET"
    say "has stored the kubeconfig"
    systemctl enable --quiet --now petra-kubeconfig.path
  fi
  rm -f "$failure_file"
  before=''
  say "is ready"
}

publish() {
  attempt 10 10 publish_kubeconfig || fail "cannot write the secret $PETRA_KUBECONFIG_SECRET"
  [ ! -e "$work/stored" ] || say "is ready, and has stored its kubeconfig again"
}

mkdir -p "$config/config.yaml.d" "$state"
case $task in
  start) start ;;
  publish-kubeconfig) publish ;;
  *) fail "knows start and publish-kubeconfig, not '$task'" ;;
esac
`;
