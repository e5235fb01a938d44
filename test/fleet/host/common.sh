# shellcheck shell=bash
# Sourced by the scripts beside it. They run as root; the state directory is always an argument, never a global.
set -euo pipefail
readonly caller_path=${PATH-} caller_lc_all=${LC_ALL-}
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The bridge every host hangs on, and the orchestrator's own address on it.
readonly bridge=fleet0
readonly orchestrator_cidr=10.77.255.254/16
# All fleets of this machine live below this folder of the cgroup2 tree, each in a folder of its own.
readonly cgroup_folder=lab-fleet
# Root inside a host must not reach the real machine's modules, ports, clock, log or devices.
readonly dropped_capabilities=-mknod,-sys_module,-sys_rawio,-sys_time,-syslog,-sys_pacct,-mac_admin,-mac_override,-audit_control,-audit_read,-wake_alarm,-block_suspend,-bpf,-perfmon
readonly host_path=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# record STATE HOST EVENT [DETAIL]: one line of the fleet's history, seconds since the epoch first.
record() {
  local state=$1 host=$2 event=$3 detail=${4:--}
  printf '%s %s %s %s\n' "$EPOCHREALTIME" "$host" "$event" "$detail" >>"$state/events"
}

# start_time PID: when the process started, in clock ticks since boot; with the pid it names one process for good.
start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) }
  set -- $stat
  printf '%s\n' "${20}"
}

# fault_of STATE HOST KIND: prints the fault's detail when it is set; fails when it is not.
fault_of() {
  local file=$1/hosts/$2/faults/$3
  [ -e "$file" ] && cat "$file"
}

# write_file PATH: standard input becomes the file, which gets a new inode (the old one may belong to the lower layer).
write_file() {
  rm -f "$1"
  cat >"$1"
}

# bind_store DIRECTORY MOUNT-POINT: a Nix store whose programs run even where DIRECTORY lies on a file system mounted noexec.
bind_store() {
  mkdir -p "$2"
  mount --bind "$1" "$2"
  mount -o remount,bind,exec,nodev,nosuid "$2"
}

# cut_power HOST-DIRECTORY CGROUP: the host is gone at once; the mark tells its keeper that it did not break by itself.
cut_power() {
  : >"$1/cut"
  echo 1 >"$2/cgroup.kill"
}
