#!/bin/sh
# A node with a pod, and beyond it AWS with a metadata service: three network namespaces with real routing between them.
# routing.sh SHIELD NODE: says what the pod and the node get from the metadata service, before and after SHIELD ran twice.
set -eu
shield=$1 node=$2
metadata=169.254.169.254

ip link set lo up
unshare --net sleep 60 &
pod=$!
unshare --net sleep 60 &
aws=$!
trap 'kill $pod $aws ${service:-}' EXIT
# Until both have left this namespace.
own=$(readlink /proc/self/ns/net)
for process in $pod $aws; do
  while [ "$(readlink "/proc/$process/ns/net")" = "$own" ]; do sleep 0.05; done
done

ip link add cni0 type veth peer name eth0 netns "$pod"
ip link add ens5 type veth peer name eth0 netns "$aws"
ip address add 10.42.0.1/24 dev cni0
ip address add 10.0.0.10/24 dev ens5
ip link set cni0 up
ip link set ens5 up
ip route add default via 10.0.0.1
nsenter --target "$pod" --net sh -c \
  'ip address add 10.42.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.42.0.1'
nsenter --target "$aws" --net sh -c \
  "ip link set lo up; ip address add 10.0.0.1/24 dev eth0; ip address add $metadata/32 dev eth0
   ip address add 10.0.0.99/32 dev eth0; ip link set eth0 up; ip route add 10.42.0.0/24 via 10.0.0.10"
echo 1 > /proc/sys/net/ipv4/ip_forward
# As strict as a kernel can be about where answers come from.
echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter

nsenter --target "$aws" --net "$node" --eval \
  'require("node:http").createServer((_, response) => response.end("reached")).listen(80)' &
service=$!

ask() { curl --silent --noproxy '*' --max-time 5 "http://$1/" || echo 'refused'; }
report() {
  echo "$1: node $(ask $metadata), pod $(nsenter --target "$pod" --net curl --silent --noproxy '*' --max-time 5 \
    "http://$metadata/" || echo refused), pod elsewhere $(nsenter --target "$pod" --net curl --silent --noproxy '*' \
    --max-time 5 http://10.0.0.99/ || echo refused)"
}

tries=0
until [ "$(ask $metadata)" = reached ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 70
  sleep 0.1
done
report before
sh "$shield"
sh "$shield"
report after
ip -4 rule | grep -c $metadata
