#!/bin/bash
# probe.sh: can this machine run the fleet? Prints the first reason why not and fails, or does every rare thing once, in
# namespaces that vanish with it, and succeeds.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

no() { # REASON
  echo "$1"
  exit 1
}

if [ "${IN_PROBE-}" != yes ]; then
  [ "$(id -u)" = 0 ] || no 'it needs root (namespaces, mounts, a bridge)'
  missing=
  for program in unshare nsenter setpriv flock ip nft sudo nix nix-env ssh-keygen /usr/sbin/sshd /lib/systemd/systemd dbus-daemon; do
    command -v "$program" >/dev/null || missing+=" $program"
  done
  [ -z "$missing" ] || no "programs are missing:$missing (Debian: apt-get install util-linux iproute2 nftables sudo nix-bin openssh-server openssh-client systemd dbus)"
  case $(readlink -f "$(command -v nix)") in
    /nix/*) no 'nix itself lives in /nix, which every host replaces by a store of its own (the nix of the distribution is needed)' ;;
  esac
  [ "$(stat -c %d /)" = "$(stat -c %d /usr)" ] && [ "$(stat -c %d /)" = "$(stat -c %d /etc)" ] ||
    no '/usr or /etc is a file system of its own; a host only sees what lies on the root file system'
  [ -e /proc/self/ns/time ] || no 'the kernel has no time namespaces'
  IN_PROBE=yes exec unshare --net --mount --pid --propagation private --time --boottime -1 --fork --kill-child=SIGKILL \
    bash "${BASH_SOURCE[0]}" 2>&1
fi
mount -t tmpfs probe /mnt || no 'tmpfs cannot be mounted'
mkdir /mnt/{upper,work,root,cgroup}
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root || no 'overlayfs over / is refused'
mount -t cgroup2 cgroup2 /mnt/cgroup || no 'cgroup2 cannot be mounted'
# The tree is the machine's: another probe may be at it.
cgroup=$(mktemp -d "/mnt/cgroup/$cgroup_folder-probe-XXXXXX") || no 'the cgroup2 tree is read-only'
rmdir "$cgroup"
ip link add name probe type bridge || no 'network bridges are refused'
nft add table bridge probe || no 'nftables for bridges is refused'
