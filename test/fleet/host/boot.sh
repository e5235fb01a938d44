#!/bin/bash
# boot.sh STATE NAME BOOT-ID GENERATION: pid 1 of a booting host, still with the supervisor's view of the files. Lays out
# the host's own /proc, /sys, /dev, /run and /tmp, steps into its root, and goes on as stage-2.sh.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
state=$1 name=$2 boot_id=$3 generation=$4
disk=$state/disk/hosts/$name
root=$disk/root

# Two pids: as the supervisor's namespace counts (fault.sh works there), and as the machine counts.
read -r inner_pid _ </proc/self/stat
read -r machine_pid _ <"$state/disk/machine-proc/self/stat"

hostname "$name"
mount --bind "$disk/nix" "$root/nix"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o nosuid,nodev,mode=0755 run "$root/run"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmp "$root/tmp"
mount -t tmpfs -o nosuid,mode=0755 dev "$root/dev"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# Kernel settings are the real machine's: look, but do not touch; only the network's are the host's own.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,rw,nosuid,nodev,noexec "$root/proc/sys/net"
printf '%s\n' "$boot_id" >"$root/run/.boot-id"
mount --bind "$root/run/.boot-id" "$root/proc/sys/kernel/random/boot_id"
mount -o remount,bind,ro "$root/proc/sys/kernel/random/boot_id"
for dangerous in sysrq-trigger kcore kmsg; do
  [ ! -e "$root/proc/$dangerous" ] || mount --bind /dev/null "$root/proc/$dangerous"
done
while IFS= read -r share; do
  mkdir -p "$root$share"
  mount --bind "$share" "$root$share"
  mount -o remount,bind,ro "$root$share"
done <"$state/shares"

printf '%s %s\n' "$machine_pid" "$inner_pid" >"$state/hosts/$name/pid"
mkdir "$root/run/.machine"
cd "$root"
pivot_root . run/.machine
umount --lazy /run/.machine
rmdir /run/.machine
exec chroot . /bin/bash /usr/local/lib/lab-fleet/stage-2.sh "$generation"
