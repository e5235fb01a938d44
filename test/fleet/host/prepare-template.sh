#!/bin/bash
# prepare-template.sh DIRECTORY: what /etc/systemd holds on every host: our few units, and masks over all else that the
# machine's own systemd would start. Made once per fleet, copied for each host.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
template=$1
mkdir -p "$template/system" "$template/system-generators" "$template/journald.conf.d"
cp "$here"/units/* "$template/system/"

# What the machine's packages want started and a host of the fleet needs.
needed=(dbus.socket dbus.service systemd-logind.service systemd-user-sessions.service systemd-tmpfiles-setup.service
  systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service)
for wanted in /lib/systemd/system/{sysinit,sockets,timers,paths,local-fs,multi-user}.target.wants/*; do
  [ -e "$wanted" ] || [ -L "$wanted" ] || continue
  unit=${wanted##*/}
  [[ " ${needed[*]} " != *" $unit "* ]] || continue
  ln -sf /dev/null "$template/system/$unit"
done
for generator in /lib/systemd/system-generators/*; do
  [ -e "$generator" ] && ln -sf /dev/null "$template/system-generators/${generator##*/}"
done
cat >"$template/journald.conf.d/fleet.conf" <<'END'
[Journal]
Storage=volatile
RuntimeMaxUse=8M
ReadKMsg=no
Audit=no
END
