#!/bin/sh
# switch-to-configuration switch|boot|test|dry-activate, as far as tests need it. Exits as NixOS does:
#   0 done · 1 refused beforehand · 2 the activation script complained · 4 units failed, the generation is live ·
#   100 the boot entry is written and a reboot is needed
# The boot loader is a file, /boot/default-toplevel: what it names is what boots.
# LAB_STAND_IN_ROOT (tests only) is put before every path that is written; then systemd is left alone.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
toplevel=$(dirname "$(dirname "$(readlink -f "$0")")")
root=${LAB_STAND_IN_ROOT:-}
told=$(cat "$toplevel/lab-stand-in/switch-exit-code")
action=${1-}
case $action in
  switch | boot | test | dry-activate) ;;
  *)
    echo "usage: switch-to-configuration switch|boot|test|dry-activate" >&2
    exit 1
    ;;
esac

manages_units() { [ -z "$root" ] && [ -S /run/systemd/private ]; }
old=$(readlink -f "$root/run/current-system" 2>/dev/null) || old=
unit_of() { # SYSTEM NAME: the file, or nothing
  [ -n "$1" ] && [ -f "$1/etc/systemd/system/$2" ] && echo "$1/etc/systemd/system/$2"
}
units_of() { # SYSTEM: names of all its units that can run as they stand
  [ -d "$1/etc/systemd/system" ] || return 0
  (cd "$1/etc/systemd/system" && find . -maxdepth 1 -type f ! -name '*@.*' -printf '%P\n' | sort)
}
wanted() { # names of the units that a booted machine starts
  (cd "$toplevel/etc/systemd/system" && find . -mindepth 2 -type l -printf '%f\n' | sort -u)
}
active() { # also one that is about to be started again
  manages_units || return 1
  case "$(systemctl is-active -- "$1")" in active | activating | reloading) ;; *) return 1 ;; esac
}

# What changes: one `VERB UNIT` a line.
changes() {
  for unit in $(units_of "$old"); do
    [ -z "$(unit_of "$toplevel" "$unit")" ] || continue
    if active "$unit"; then echo "stop $unit"; else echo "forget $unit"; fi
  done
  for unit in $(units_of "$toplevel"); do
    before=$(unit_of "$old" "$unit")
    if [ -n "$before" ] && ! cmp -s "$before" "$toplevel/etc/systemd/system/$unit" && active "$unit"; then
      grep -q '^X-RestartIfChanged=false' "$toplevel/etc/systemd/system/$unit" || echo "restart $unit"
    fi
  done
  for unit in $(wanted); do
    active "$unit" || echo "start $unit"
  done
}
of_verb() { printf '%s\n' "$planned" | sed -n "s/^$1 //p"; }
say() { # SENTENCE UNITS
  [ -z "$2" ] || echo "$1: $(echo "$2" | tr '\n' ' ' | sed 's/ $//; s/ /, /g')" >&2
}

if [ "$action" = dry-activate ]; then
  planned=$(changes)
  say 'would stop the following units' "$(of_verb stop)"
  echo 'would activate the configuration...' >&2
  say 'would restart the following units' "$(of_verb restart)"
  say 'would start the following units' "$(of_verb start)"
  exit 0
fi

if [ "$told" = 1 ]; then
  echo "Pre-switch check 'lab-stand-in' failed" >&2
  exit 1
fi
mkdir -p "$root/run/nixos" "$root/boot"
exec 9>"$root/run/nixos/switch-to-configuration.lock"
if ! flock -n 9; then
  echo 'Could not acquire lock' >&2
  exit 1
fi

if [ "$action" != test ]; then
  echo 'updating the boot loader (a file: /boot/default-toplevel)...' >&2
  printf '%s\n' "$toplevel" >"$root/boot/default-toplevel.new" &&
    mv "$root/boot/default-toplevel.new" "$root/boot/default-toplevel" || exit 1
fi
[ "$action" != boot ] || exit 0
if [ "$told" = 100 ]; then
  echo 'This configuration changes the init interface: reboot to use it.' >&2
  exit 100
fi

planned=$(changes)
status=0
say 'stopping the following units' "$(of_verb stop)"
for unit in $(of_verb stop); do systemctl stop -- "$unit" 9>&-; done
echo 'activating the configuration...' >&2
sleep "$(cat "$toplevel/lab-stand-in/switch-seconds")"
"$toplevel/activate" 9>&- || status=2
if [ "$told" = 2 ]; then
  echo "Activation script snippet 'lab-stand-in' failed (1)" >&2
  status=2
fi

failed=
if manages_units; then
  for unit in $(of_verb forget); do systemctl reset-failed -- "$unit" 2>/dev/null; done
  for verb in restart start; do
    say "${verb}ing the following units" "$(of_verb "$verb")"
    for unit in $(of_verb "$verb"); do
      systemctl "$verb" -- "$unit" 2>/dev/null 9>&- || failed="$failed$unit
"
    done
  done
  # A service that is up at once and dies at once counts as failed, too.
  for unit in $(of_verb restart) $(of_verb start); do
    case "$failed" in *"$unit"*) continue ;; esac
    ! systemctl is-failed --quiet -- "$unit" || failed="$failed$unit
"
  done
fi
[ "$told" != 4 ] || failed="${failed}lab-stand-in.service
"
if [ -n "$failed" ]; then
  say 'warning: the following units failed' "$(printf '%s' "$failed")"
  exit 4
fi
[ "$status" = 0 ] || exit "$status"
exit "$told"
