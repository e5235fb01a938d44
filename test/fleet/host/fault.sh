#!/bin/bash
# fault.sh STATE set|clear HOST KIND [DETAIL]: breaks or mends one host.
# fault.sh STATE power-on HOST: boots a host that was powered off.
# Runs inside the supervisor's namespaces. A fault that is set stays set over reboots until it is cleared; setting or
# clearing twice does no harm.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1 action=$2 name=$3 kind=${4-} detail=${5-}
host=$state/hosts/$name
disk=$state/disk/hosts/$name
root=$disk/root
faults=$host/faults
cgroup=$state/disk/cgroup/$cgroup_folder/${state##*/lab-fleet-}/$name
index=$(awk -v name="$name" '$2 == name { print $1 }' "$state/hosts.list")
units=$root/etc/systemd/system

# Long enough for a host in the middle of its boot to have a systemd that answers.
readonly systemd_wait_tenths=600
inside() { # ARGV: in the host, when it runs
  local pid tries
  { read -r _ pid <"$host/pid"; } 2>/dev/null || return 0
  for ((tries = 0; tries < systemd_wait_tenths; tries++)); do
    [ ! -S "/proc/$pid/root/run/systemd/private" ] || break
    [ -e "/proc/$pid" ] || return 0
    sleep 0.1
  done
  bash "$here/enter.sh" "$pid" "$@"
}

write_rules() { # PERCENT
  local chance='' chain
  [ "$1" = 100 ] || chance="numgen random mod 100 < $1"
  for chain in in through; do
    nft add rule bridge faults "$chain" iifname "v$index" $chance drop comment "\"v$index\""
  done
  for chain in through out; do
    nft add rule bridge faults "$chain" oifname "v$index" $chance drop comment "\"v$index\""
  done
}
delete_rules() {
  local chain handle
  for chain in in through out; do
    nft --handle list chain bridge faults "$chain" |
      sed -n "s/.*comment \"v$index\" # handle \([0-9]*\)\$/\1/p" |
      while read -r handle; do nft delete rule bridge faults "$chain" handle "$handle"; done
  done
}

# The unit of a fault: there at once and at every boot.
install_unit() { # UNIT, text on standard input
  mkdir -p "$units/lab.target.wants"
  write_file "$units/$1"
  ln -sf "../$1" "$units/lab.target.wants/$1"
  inside systemctl daemon-reload
}
remove_unit() { # UNIT
  inside systemctl kill --signal=SIGKILL "$1" 2>/dev/null || true
  rm -f "$units/$1" "$units/lab.target.wants/$1"
  inside systemctl stop "$1" 2>/dev/null || true
  inside systemctl daemon-reload
  inside systemctl reset-failed "$1" 2>/dev/null || true
}

disk_of() { case $1 in /nix) echo "$disk/nix" ;; /) echo "$disk/layers" ;; *) return 1 ;; esac; }
fill() { # PATH: its file system shrinks to what is in it
  local mounted used tries
  mounted=$(disk_of "$1") || { echo "disk-full: $1 is not a file system of its own (/nix or /)" >&2; exit 2; }
  for ((tries = 0; tries < 20; tries++)); do
    used=$(df --output=used --block-size=1 "$mounted" | tail -n 1)
    used=${used// /}
    # A size of 0 would mean no limit.
    [ "$used" -gt 0 ] || used=4096
    # What is being written to grows on the way from there to here: a little more room each time.
    mount -o "remount,size=$((used + tries * tries * 65536))" "$mounted" 2>/dev/null && return 0
  done
  echo "disk-full: $1 of $name is written to all the time and could not be shrunk" >&2
  exit 1
}

set_fault() {
  case $kind in
    link-down) ip link set "v$index" down 2>/dev/null || true ;; # off: its next boot sees the fault
    drop)
      delete_rules
      write_rules "$detail"
      ;;
    freeze) echo 1 >"$cgroup/cgroup.freeze" ;;
    power-cut) [ ! -e "$host/pid" ] || cut_power "$host" "$cgroup" ;;
    never-returns | slow-return | boots-old-generation | boot-loop) ;;
    failed-unit)
      install_unit "$detail" <<<$'[Unit]\nDescription=A unit that fails\n[Service]\nType=oneshot\nExecStart=/bin/false'
      inside systemctl start "$detail" 2>/dev/null || true
      ;;
    slow-stop)
      install_unit lab-slow-stop.service <<END
[Unit]
Description=A unit that does not want to stop
[Service]
ExecStart=/bin/sh -c 'trap "" TERM; exec sleep infinity'
TimeoutStopSec=$detail
END
      inside systemctl start lab-slow-stop.service
      ;;
    hostkey-regenerated)
      rm -f "$root"/etc/ssh/ssh_host_ed25519_key{,.pub}
      ssh-keygen -q -t ed25519 -N '' -C '' -f "$root/etc/ssh/ssh_host_ed25519_key"
      inside systemctl restart sshd.service
      ;;
    hostkey-at-boot)
      mkdir -p "$units/sshd.service.d"
      # Without a reload of systemd it takes effect when the host boots.
      write_file "$units/sshd.service.d/other-key.conf" <<END
[Service]
ExecStartPre=/bin/rm -f /etc/ssh/ssh_host_ed25519_key
ExecStartPre=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
END
      ;;
    sshd-broken)
      mkdir -p "$units/sshd.service.d"
      write_file "$units/sshd.service.d/broken.conf" <<<$'[Service]\nExecStartPre=/bin/false\nRestart=no'
      inside systemctl daemon-reload
      inside systemctl restart sshd.service 2>/dev/null || true
      ;;
    disk-full) fill "$detail" ;;
    *)
      echo "unknown fault $kind" >&2
      exit 2
      ;;
  esac
}

clear_fault() {
  case $kind in
    link-down) ip link set "v$index" up 2>/dev/null || true ;;
    drop) delete_rules ;;
    freeze) echo 0 >"$cgroup/cgroup.freeze" ;;
    power-cut | never-returns | slow-return | boots-old-generation | boot-loop) ;;
    failed-unit) remove_unit "$detail" ;;
    slow-stop) remove_unit lab-slow-stop.service ;;
    hostkey-regenerated | hostkey-at-boot)
      rm -f "$units/sshd.service.d/other-key.conf"
      inside systemctl daemon-reload
      install -m 0600 "$host/ssh_host_ed25519_key" "$root/etc/ssh/ssh_host_ed25519_key"
      inside systemctl restart sshd.service
      ;;
    sshd-broken)
      rm -f "$units/sshd.service.d/broken.conf"
      inside systemctl daemon-reload
      inside systemctl reset-failed sshd.service 2>/dev/null || true
      inside systemctl restart sshd.service
      ;;
    disk-full) mount -o remount,size=50% "$(disk_of "$detail")" ;;
  esac
}

case $action in
  power-on) [ -e "$host/pid" ] || : >"$host/power-on" ;;
  set)
    # Written first: a host that goes down by this very fault must find it.
    printf '%s\n' "$detail" >"$faults/$kind"
    set_fault
    record "$state" "$name" fault "$kind"
    ;;
  clear)
    [ -e "$faults/$kind" ] || exit 0
    detail=$(<"$faults/$kind")
    rm -f "$faults/$kind"
    clear_fault
    record "$state" "$name" healed "$kind"
    ;;
esac
