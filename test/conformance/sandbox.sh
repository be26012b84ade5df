#!/bin/sh
# The first process of the sandbox (sandbox.ts): makes its network, runs a command, and takes everything with it when it
# ends. Without a command it only tries whether the network can be made.
# File descriptor 3 comes from the process outside: each line is the name of a signal for the command, its end means
# that the one outside is gone.
set -eu

ip link set lo up
ip link add petra-pods type bridge
ip address add 10.42.0.1/24 dev petra-pods
ip link set petra-pods up
[ $# -gt 0 ] || exit 0

# A command in the background would get no standard input.
exec 4<&0
"$@" <&4 3<&- 4<&- &
command=$!
exec 4<&-

{
  while read -r signal; do kill -s "$signal" "$command" || :; done
  # All but this one and the first process, which then ends by itself.
  kill -s KILL -- -1
} <&3 3<&- &
exec 3<&-

status=0
wait "$command" || status=$?
exit "$status"
