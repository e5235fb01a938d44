#!/bin/bash
# supervisor.sh STATE: pid 1 of the fleet's own network, mount and pid namespaces. Keeps every host running until the
# lifeline (standard input) ends. Whatever it mounts or starts vanishes with it, however it dies.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1
disk=$state/disk

# /proc still is the machine's: the only moment to learn the pid that others know us by.
read -r machine_pid _ </proc/self/stat
mount --make-rprivate /
mount -t tmpfs -o mode=0755 lab-fleet "$disk"
mkdir "$disk/machine-proc" "$disk/cgroup" "$disk/net"
mount --bind /proc "$disk/machine-proc"
supervisor_start=$(start_time "$machine_pid")
mount -t proc proc /proc
mount -t cgroup2 cgroup2 "$disk/cgroup"
cgroup=$disk/cgroup/$cgroup_folder/${state##*/lab-fleet-}
mkdir -p "$cgroup"

ip -batch - <<END
link set lo up
link add $bridge type bridge
address add $orchestrator_cidr dev $bridge
link set $bridge up
END
# Faults on the wire are rules on the host's port, added and removed by fault.sh.
nft -f - <<END
table bridge faults {
  chain in { type filter hook input priority 0; }
  chain through { type filter hook forward priority 0; }
  chain out { type filter hook output priority 0; }
}
END

bash "$here/prepare-template.sh" "$disk/template"
while read -r index name address mac; do
  bash "$here/host.sh" "$state" "$index" "$name" "$address" "$mac" </dev/null >>"$state/hosts/$name/console" 2>&1 &
done <"$state/hosts.list"

printf '%s %s\n' "$machine_pid" "$supervisor_start" >"$state/supervisor.new"
mv "$state/supervisor.new" "$state/supervisor"

if [ "${LIFELINE-}" = none ]; then
  sleep infinity
else
  cat >/dev/null
fi
