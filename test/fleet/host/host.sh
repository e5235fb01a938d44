#!/bin/bash
# host.sh STATE INDEX NAME ADDRESS MAC: the life of one host: its disk, then boot after boot.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1 index=$2 name=$3 address=$4 mac=$5
disk=$state/disk/hosts/$name
host=$state/hosts/$name
cgroup=$state/disk/cgroup/$cgroup_folder/${state##*/lab-fleet-}/$name
netns=$state/disk/net/$name

# A machine that is off answers nothing, not even a refusal. Its end of the cable may outlive its last process a little.
unplug() {
  ip link delete "v$index" 2>/dev/null || true
  umount "$netns" 2>/dev/null || true
}

# boot BOOT-ID: one boot, from power on until pid 1 is gone. Returns what `unshare` says: 128 + the signal.
boot() {
  local up generation=newest
  unplug
  : >"$netns"
  unshare --net="$netns" true
  # The same addresses at each boot: a new MAC would leave the neighbours with a stale one for most of a minute.
  ip -batch - <<END
link add v$index type veth peer name eth0 address $mac netns $netns
link set v$index master $bridge
END
  [ -e "$host/faults/link-down" ] || ip link set "v$index" up
  nsenter --net="$netns" ip -batch - <<END
link set lo up
address add $address/16 dev eth0
link set eth0 up
END
  mkdir -p "$cgroup"
  read -r up _ </proc/uptime
  up=${up%%.*}
  [ ! -e "$host/faults/boots-old-generation" ] || generation=old
  # The cgroup namespace comes after joining the cgroup, so that this cgroup is its root.
  nsenter --net="$netns" unshare --mount --pid --uts --ipc --time --boottime "-$up" --monotonic "-$up" \
    --fork --kill-child=SIGKILL \
    bash -c 'echo 0 >"$1/cgroup.procs" && shift && exec unshare --cgroup bash "$@"' \
    boot "$cgroup" "$here/boot.sh" "$state" "$name" "$1" "$generation"
}

# A host that loops has its power cut a while after each boot, for as long as the fault is set.
cut_later() {
  local seconds
  seconds=$(fault_of "$state" "$name" boot-loop) || return 0
  sleep "$seconds"
  [ ! -e "$host/faults/boot-loop" ] || cut_power "$host" "$cgroup"
}

# wait_before_booting STATUS: what a machine does between going down and booting again.
wait_before_booting() {
  local deadline seconds reason
  case $1 in
    129) reason=reboot ;;
    130) reason=power-off ;;
    # `unshare` cannot pass on a SIGKILL and ends with 1.
    *) [ -e "$host/cut" ] && reason=power-cut || reason=broken-$1 ;;
  esac
  record "$state" "$name" went-down "$reason"
  case $reason in
    reboot | power-cut) ;;
    *)
      record "$state" "$name" stays-down "$reason"
      until [ -e "$host/power-on" ]; do sleep 0.1; done
      ;;
  esac
  for reason in power-cut never-returns; do
    [ -e "$host/faults/$reason" ] || continue
    record "$state" "$name" stays-down "$reason"
    while [ -e "$host/faults/$reason" ]; do sleep 0.1; done
  done
  if seconds=$(fault_of "$state" "$name" slow-return); then
    deadline=$((${EPOCHREALTIME%.*} + seconds))
    while [ -e "$host/faults/slow-return" ] && [ "${EPOCHREALTIME%.*}" -lt "$deadline" ]; do sleep 0.1; done
  fi
  rm -f "$host/power-on" "$host/cut"
}

bash "$here/prepare-host.sh" "$state" "$name" "$address"
while :; do
  boot_id=$(</proc/sys/kernel/random/uuid)
  record "$state" "$name" boot "$boot_id"
  cut_later &
  cutter=$!
  status=0
  boot "$boot_id" || status=$?
  rm -f "$host/pid"
  unplug
  kill "$cutter" 2>/dev/null || true
  wait "$cutter" 2>/dev/null || true
  wait_before_booting "$status"
done
