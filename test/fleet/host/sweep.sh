#!/bin/bash
# sweep.sh stale             removes what fleets left behind whose processes are gone
# sweep.sh remove STATE      removes one fleet that has ended
# sweep.sh raise-limits      raises the machine's inotify limit for the time fleets run; the last fleet restores it
# Everything happens under one lock, so fleets that start and end together do not trip over each other.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
action=$1
state=${2-}

# The folders of the cgroup2 tree are seen through a mount of our own: where the machine mounts it, if at all, differs.
if [ "${IN_OWN_MOUNTS-}" != yes ]; then
  IN_OWN_MOUNTS=yes exec flock /run unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi
readonly cgroups=/mnt
mount -t cgroup2 cgroup2 "$cgroups"

readonly inotify=/proc/sys/fs/inotify/max_user_instances
readonly inotify_before=/run/lab-fleet.inotify
# Each host's systemd holds about eight inotify instances.
readonly inotify_wanted=4096

alive() { # STATE: its starter or its supervisor still runs
  local file pid started
  for file in "$1/starter" "$1/supervisor"; do
    [ -e "$file" ] || continue
    read -r pid started <"$file" || continue
    [ "$(start_time "$pid" || true)" = "$started" ] && return 0
  done
  # A directory this young may belong to a fleet that has not said its pid yet.
  [ -n "$(find "$1" -maxdepth 0 -mmin -1)" ] && [ ! -e "$1/supervisor" ]
}

remove_cgroups() { # ID
  local folder=$cgroups/$cgroup_folder/$1 tries
  [ -d "$folder" ] || return 0
  echo 1 >"$folder/cgroup.kill" || true
  for ((tries = 0; tries < 100; tries++)); do
    find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -d "$folder" ] || break
    sleep 0.05
  done
  rmdir "$cgroups/$cgroup_folder" 2>/dev/null || true
}

# What was started where the orchestrator stands, such as a run of `lab` in a process of its own, has nobody left to talk
# to. It is known by its home: see environmentIn.
end_orchestrators() { # STATE
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    grep --quiet --null-data --line-regexp --fixed-strings "HOME=$1/home" "$environment" 2>/dev/null || continue
    pid=${environment#/proc/}
    kill -KILL "${pid%/environ}" 2>/dev/null || true
  done
}

remove_fleet() { # STATE
  end_orchestrators "$1"
  remove_cgroups "${1##*/lab-fleet-}"
  rm -rf --one-file-system "$1"
}

restore_limits_after_the_last() {
  [ -e "$inotify_before" ] || return 0
  local fleet
  for fleet in /run/lab-fleet-*/; do
    [ -d "$fleet" ] && alive "${fleet%/}" && return 0
  done
  cat "$inotify_before" >"$inotify" || true
  rm -f "$inotify_before"
}

case $action in
  raise-limits)
    now=$(<"$inotify")
    if [ "$now" -lt "$inotify_wanted" ]; then
      [ -e "$inotify_before" ] || echo "$now" >"$inotify_before"
      echo "$inotify_wanted" >"$inotify" || true
    fi
    ;;
  remove)
    remove_fleet "$state"
    restore_limits_after_the_last
    ;;
  stale)
    for fleet in /run/lab-fleet-*/; do
      [ -d "$fleet" ] || continue
      alive "${fleet%/}" || remove_fleet "${fleet%/}"
    done
    for folder in "$cgroups/$cgroup_folder"/*/; do
      [ -d "$folder" ] || continue
      id=$(basename "$folder")
      [ -d "/run/lab-fleet-$id" ] || remove_cgroups "$id"
    done
    restore_limits_after_the_last
    ;;
esac
