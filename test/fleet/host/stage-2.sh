#!/bin/bash
# stage-2.sh newest|old: what NixOS does between the kernel and systemd: choose the system, run its activation, start pid 1.
# The boot loader is played by a file: /boot/default-toplevel names the system that boots when a
# switch-to-configuration wrote it; without it the newest generation of the system profile boots.
. /usr/local/lib/lab-fleet/common.sh
generation=$1
readonly profiles=/nix/var/nix/profiles

# The toplevel of the highest generation that is not the one the profile points to.
previous_toplevel() {
  local link newest='' number highest=-1 current
  current=$(readlink "$profiles/system") || return 0
  for link in "$profiles"/system-*-link; do
    [ "${link##*/}" != "$current" ] || continue
    number=${link##*/system-}
    number=${number%-link}
    [ "$number" -gt "$highest" ] || continue
    highest=$number newest=$link
  done
  [ -z "$newest" ] || readlink -f "$newest"
}

toplevel=
if [ "$generation" = old ]; then
  toplevel=$(previous_toplevel)
fi
if [ -z "$toplevel" ] && [ -e /boot/default-toplevel ]; then
  toplevel=$(</boot/default-toplevel)
fi
if [ -z "$toplevel" ] && [ -e "$profiles/system" ]; then
  toplevel=$(readlink -f "$profiles/system")
fi
if [ -n "$toplevel" ] && [ -d "$toplevel" ]; then
  ln -sfn "$toplevel" /run/booted-system
  ln -sfn "$toplevel" /run/current-system
  if [ -x "$toplevel/activate" ]; then
    "$toplevel/activate" || echo "activation of $toplevel failed with $?"
  fi
fi
exec setpriv --bounding-set "$dropped_capabilities" --inh-caps "$dropped_capabilities" \
  env -i container=lab PATH="$host_path" /lib/systemd/systemd systemd.unit=lab.target systemd.show_status=no
