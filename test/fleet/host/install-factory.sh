#!/bin/bash
# install-factory.sh STATE NAME: puts the system that factory.sh built on the disk of a host that has not booted yet: into
# its store, as the first generation of its profile, and as what boots.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
if [ "${IN_OWN_MOUNTS-}" != yes ]; then
  IN_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "${BASH_SOURCE[0]}" "$@"
fi
state=$1 name=$2
root=$state/disk/hosts/$name/root
toplevel=$(<"$state/factory/toplevel")
bind_store "$state/disk/hosts/$name/nix" "$root/nix"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
in_host=(chroot "$root" env -i PATH="$host_path" HOME=/root)
"${in_host[@]}" nix-store --import <"$state/factory/closure" >/dev/null
"${in_host[@]}" nix-env -p /nix/var/nix/profiles/system --set "$toplevel"
write_file "$root/boot/default-toplevel" <<<"$toplevel"
