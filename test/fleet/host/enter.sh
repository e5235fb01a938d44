#!/bin/bash
# enter.sh PID ARGV...: runs a command as root inside the host whose pid 1 is PID, with no more power than the host's root.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
pid=$1
shift
# A shutdown stops every process in the host for a moment. nsenter stops with its own, nobody would ever have it go on, and the
# shutdown waits 90 s for a child that it does not collect.
self=$$
(while sleep 1 && kill -CONT "$self" 2>/dev/null; do :; done) </dev/null >/dev/null 2>&1 &
exec nsenter --target "$pid" --mount --pid --net --uts --ipc --cgroup --time -- \
  setpriv --bounding-set "$dropped_capabilities" --inh-caps "$dropped_capabilities" \
  env -i PATH="$host_path" HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM="${TERM:-dumb}" LANG=C.UTF-8 "$@"
