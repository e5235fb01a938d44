#!/bin/sh
# Makes this generation the running one: /run/current-system, the files below /etc, the units.
# LAB_STAND_IN_ROOT (tests only) is put before every path that is written; then systemd is left alone.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
toplevel=$(dirname "$(readlink -f "$0")")
root=${LAB_STAND_IN_ROOT:-}

# This is a test's system. It belongs on a machine that is thrown away, never on a real one.
if [ -z "$root" ]; then
  if [ -e /etc/NIXOS ]; then
    echo "activate: this is a stand-in for tests and would damage NixOS" >&2
    exit 1
  fi
  if [ "$(stat -f -c %T /)" != overlayfs ] && [ ! -e /etc/lab-test-host ]; then
    echo "activate: this is a stand-in for tests; a machine that may be changed by it has the file /etc/lab-test-host" >&2
    exit 1
  fi
fi

# Links that earlier generations made, one path a line.
links=$root/var/lib/lab-stand-in/links
mkdir -p "$root/run" "$root/etc/systemd/system" "$(dirname "$links")"
touch "$links"

replace_link() { # TARGET LINK
  ln -sfn "$1" "$2.new"
  mv -T "$2.new" "$2"
}

(cd "$toplevel/etc" && find . \( -type f -o -type l \) -printf '%P\n' | sort) >"$links.new"
while read -r path; do
  mkdir -p "$(dirname "$root/etc/$path")"
  replace_link "$toplevel/etc/$path" "$root/etc/$path"
done <"$links.new"
# What only an earlier generation had. Folders stay where something else lies in them.
while read -r path; do
  grep -qxF -- "$path" "$links.new" && continue
  case $(readlink "$root/etc/$path" 2>/dev/null) in
    /nix/store/*) rm -f "$root/etc/$path" && rmdir -p --ignore-fail-on-non-empty "$(dirname "$root/etc/$path")" ;;
  esac
done <"$links"
mv "$links.new" "$links"

replace_link "$toplevel" "$root/run/current-system"
if [ -z "$root" ] && [ -S /run/systemd/private ]; then
  systemctl daemon-reload
fi
