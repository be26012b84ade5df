#!/bin/sh
# Runs a command as if on a management node: with that node's own file system and network, and stand-ins for what it
# talks to. Called inside namespaces of its own (mounts, network), so nothing of it is left afterwards.
# sandbox.sh MACHINE NODE SERVERS COMMAND...: MACHINE is the folder that machine.ts made.
set -eu
machine=$1 node=$2 servers=$3
shift 3
root=$machine/root

for folder in /usr /bin /sbin /lib /lib64; do
  if [ -L "$folder" ]; then
    ln -sfn "$(readlink "$folder")" "$root$folder"
  elif [ -d "$folder" ]; then
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
  fi
done
mkdir -p "$root/dev" "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
# What the node installs must not reach this machine's own programs.
mount --bind "$machine/usr-local" "$root/usr/local"

ip link set lo up
# The metadata service, and a peer whose API the test may let answer.
ip address add 169.254.169.254/32 dev lo
ip address add 10.0.0.12/32 dev lo

rm -f "$machine/listening"
"$node" "$servers" "$machine" &
server=$!
trap 'kill "$server"' EXIT
tries=0
until [ -e "$machine/listening" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { echo "the stand-in servers do not listen" >&2 && exit 70; }
  sleep 0.05
done

status=0
env -i PATH=/stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  chroot "$root" "$@" 2>&1 || status=$?
exit "$status"
