#!/bin/bash
# prepare-host.sh STATE NAME ADDRESS: the host's disk: the machine's own root file system below, whatever the host writes
# above it in memory, an empty Nix store of its own, and its own identity.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1 name=$2
disk=$state/disk/hosts/$name
root=$disk/root

mkdir -p "$disk/layers" "$disk/nix" "$root"
mount -t tmpfs -o mode=0755 "disk-$name" "$disk/layers"
mount -t tmpfs -o mode=0755 "nix-$name" "$disk/nix"
mkdir -p "$disk/layers/work" "$disk"/layers/upper/{etc,var/log,var/lib,usr/local/lib}
# Nothing of the machine's own services, keys, homes, mounts and lease: a 0/0 device hides what lies below it.
for hidden in etc/{systemd,tmpfiles.d,sysctl.d,modules-load.d,sudoers.d,ssh,nix,fstab} root home boot var/log/journal var/lib/lab; do
  mknod "$disk/layers/upper/$hidden" c 0 0
done
mount -t overlay -o "lowerdir=/,upperdir=$disk/layers/upper,workdir=$disk/layers/work" "root-$name" "$root"
mkdir -p "$root"/etc/{sudoers.d,ssh,nix,systemd} "$root"/{home,boot,nix}
mkdir -m 0700 "$root/root"
cp -a "$state/disk/template/." "$root/etc/systemd/"

tr -d - </proc/sys/kernel/random/uuid | write_file "$root/etc/machine-id"
mkdir -p "$root/var/lib/dbus"
ln -sf /etc/machine-id "$root/var/lib/dbus/machine-id"
write_file "$root/etc/hostname" <<<"$name"
{
  printf '127.0.0.1 localhost\n::1 localhost\n'
  while read -r _ other address _; do printf '%s %s\n' "$address" "$other"; done <"$state/hosts.list"
} | write_file "$root/etc/hosts"

# The ordinary user `lab`: no password, key login, everything through sudo.
readonly uid=4277
for file in passwd shadow group gshadow; do
  [ -e "$root/etc/$file" ] || continue
  grep -v '^lab:' "$root/etc/$file" >"$disk/$file" || true
  case $file in
    passwd) echo "lab:x:$uid:$uid:lab:/home/lab:/bin/bash" ;;
    shadow) echo 'lab:*:19000:0:99999:7:::' ;;
    group) echo "lab:x:$uid:" ;;
    gshadow) echo 'lab:!::' ;;
  esac >>"$disk/$file"
  cat "$disk/$file" >"$root/etc/$file"
  rm "$disk/$file"
done
mkdir -m 0700 "$root/home/lab"
for home in "$root/root" "$root/home/lab"; do
  mkdir -m 0700 "$home/.ssh"
  install -m 0600 "$state/ssh/id_ed25519.pub" "$home/.ssh/authorized_keys"
done
chown -R "$uid:$uid" "$root/home/lab"
write_file "$root/etc/sudoers" <<END
Defaults env_reset
Defaults secure_path="$host_path"
root ALL=(ALL:ALL) ALL
lab ALL=(ALL:ALL) NOPASSWD: ALL
END
chmod 0440 "$root/etc/sudoers"

install -m 0600 "$state/hosts/$name/ssh_host_ed25519_key" "$root/etc/ssh/ssh_host_ed25519_key"
write_file "$root/etc/ssh/sshd_config" <<END
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
PrintMotd no
AcceptEnv LANG LC_*
SetEnv PATH=$host_path
Subsystem sftp internal-sftp
END
write_file "$root/etc/nix/nix.conf" <<END
sandbox = false
build-users-group =
substituters =
trusted-users = root lab
experimental-features = nix-command flakes
END
# The mark of a machine that tests may change: what must never run elsewhere looks for it.
: >"$root/etc/lab-test-host"
mkdir -p "$root/usr/local/lib/lab-fleet"
cp "$here/common.sh" "$here/stage-2.sh" "$root/usr/local/lib/lab-fleet/"
[ ! -e "$state/factory" ] || bash "$here/install-factory.sh" "$state" "$name"
