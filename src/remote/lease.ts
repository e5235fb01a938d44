import { z } from 'zod';
import type { Machine } from '../fleet/machine.ts';
import type { Claim, Fenced, Lease, LeaseAnswer, LeaseRequest, Remote } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { prelude, readRecord, recordBytesMax, type ScriptRecord } from './record.ts';

/**
 * The lease of a machine: a small file on the machine itself, so that orchestrators which know nothing of each other
 * meet there. It outlives a reboot, for the run that reboots the machine still has it afterwards.
 *
 * Its age is counted by the machine's uptime and, after another boot, from that boot: no wall clock is asked, neither
 * the machine's, which may jump, nor an orchestrator's. A container's uptime is its host's, so the boot is when the
 * machine's own systemd began. A record is written whole, synced and renamed, under a lock that all these scripts take.
 */

/** How long a script waits for another one of ours, seconds: less than whoever asks waits for it, so that the reason is told. */
const lockWaitSeconds = 6;
/** More is no record of ours, which is a few lines. */
const recordOnDiskBytesMax = 8_192;

/**
 * The shell's part, for every script that acts. `fence RUN OWNER TTL MACHINE` says whether the machine is still that run's,
 * renews the lease if so, and tells by whom it was taken if not. It is taken for one machine by name: an address that has
 * come to lead to another machine of the same run leads to a lease that was taken for that one. The lock is held until the
 * script ends or closes descriptor 9, so that nobody can take the lease between the look and the act. A record that cannot
 * be written anew (a full disk) is no reason to refuse its owner.
 */
export const leasePrelude = `${prelude}
lab=/var/lib/lab
is_number() { case $1 in ''|*[!0-9]*|0?*|??????????*) return 1 ;; esac; }
lease_lock() {
  mkdir -p "$lab" 2>/dev/null
  [ -e "$lab/lease.lock" ] || touch "$lab/lease.lock" 2>/dev/null
  [ -f "$lab/lease.lock" ] && [ -r "$lab/lease.lock" ] || return 1
  exec 9<"$lab/lease.lock"
  flock -w ${lockWaitSeconds} 9
}
lease_read() {
  l_state=free l_run= l_owner= l_machine= l_left=0 l_format= l_boot= l_since= l_ttl=
  [ -e "$lab/lease" ] || return 0
  # A pipe, a device or a huge file would keep whoever reads it.
  [ -f "$lab/lease" ] && [ "$(head -c ${recordOnDiskBytesMax} "$lab/lease" | wc -c)" -lt ${recordOnDiskBytesMax} ] ||
    { l_state=unreadable l_run=unreadable l_owner=unknown; return 0; }
  while IFS='=' read -r key value; do
    case $key in
      lab-lease) l_format=$value ;;
      state) l_state=$value ;;
      run) l_run=$value ;;
      owner) l_owner=$value ;;
      machine) l_machine=$value ;;
      boot) l_boot=$value ;;
      since) l_since=$value ;;
      ttl) l_ttl=$value ;;
    esac
  done <"$lab/lease"
  read -r up rest </proc/uptime
  up=$(echo "$up" | cut -d . -f 1)
  case $l_format:$l_state in
    1:held|1:released|1:broken) ;;
    *) l_format= ;;
  esac
  if [ -z "$l_format" ] || [ -z "$l_run" ] || ! is_number "$l_since" || ! is_number "$l_ttl"; then
    l_state=unreadable l_run=unreadable l_owner=unknown l_machine=
    return 0
  fi
  [ "$l_state" = held ] || return 0
  if [ "$l_boot" != "$(head -c 64 /proc/sys/kernel/random/boot_id)" ]; then
    l_since=$(systemctl show --property=UserspaceTimestampMonotonic --value 2>/dev/null | sed 's/......$//')
    is_number "$l_since" || l_since=0
  fi
  [ "$l_since" -le "$up" ] || l_since=0
  l_left=$((l_ttl - (up - l_since)))
  if [ "$l_left" -le 0 ]; then l_state=expired l_left=0; fi
}
lease_of() { # run, owner
  [ "$l_run $l_owner" = "$1 $2" ] && [ "$l_state" != broken ]
}
lease_for() { # run, owner, machine
  lease_of "$1" "$2" || return 1
  case $l_machine in ''|"$3") return 0 ;; *) return 1 ;; esac
}
lease_write() { # state, run, owner, ttl, machine
  read -r up rest </proc/uptime
  { put lab-lease 1 && put state "$1" && put run "$2" && put owner "$3" && put ttl "$4" &&
    put machine "$5" && put boot "$(head -c 64 /proc/sys/kernel/random/boot_id)" &&
    put since "$(echo "$up" | cut -d . -f 1)"; } 2>/dev/null >"$lab/lease.new" || return 1
  sync "$lab/lease.new" 2>/dev/null
  # Into a folder it would be moved, and nobody would find it there.
  if [ -d "$lab/lease" ]; then rm -f "$lab/lease" 2>/dev/null || rmdir "$lab/lease" || return 1; fi
  mv -f "$lab/lease.new" "$lab/lease"
}
lease_tell() {
  put lease "$l_state"
  put lease-run "$l_run"
  put lease-owner "$l_owner"
  put lease-machine "$l_machine"
  put lease-left "$l_left"
}
fence() { # run, owner, ttl, machine
  if ! lease_lock; then put fence unlocked; return 1; fi
  lease_read
  if [ "$l_state" != free ] && ! lease_for "$1" "$2" "$4"; then
    put fence taken
    lease_tell
    return 1
  fi
  umask 022
  lease_write held "$1" "$2" "$3" "$4"
  return 0
}
`;

/** Arguments: what is asked, run, owner (of a break: who breaks it), time to live in seconds, machine. */
export const leaseScript = `${leasePrelude}
umask 022
echo lab-lease
answer() { put outcome "$1"; echo lab-end; exit 0; }
case $1 in
  look) lease_read ;;
  *)
    command -v flock >/dev/null || { put message 'flock is not there'; answer unknown; }
    lease_lock || { put message "$lab/lease.lock cannot be locked"; answer unknown; }
    lease_read
    ;;
esac
ours= free=
if lease_for "$2" "$3" "$5"; then ours=yes; fi
case $l_state in
  free) ours=yes free=yes ;;
  expired|released|broken) if [ -n "$ours" ] || ! lease_of "$2" "$3"; then free=yes; fi ;;
esac
write() {
  said=$(lease_write "$@" 2>&1) && return
  if [ -z "$said" ]; then said=$({ echo >"$lab/lease.new"; } 2>&1); fi
  put message "$lab/lease cannot be written: $(printf '%s' "$said" | tail -n 1)"
  answer unknown
}
case $1 in
  take)
    [ -n "$ours$free" ] || { lease_tell; answer taken; }
    # Who had it before, for whom this machine turns out to be another one.
    if ! lease_for "$2" "$3" "$5"; then
      rm -rf "$lab/lease.before"
      [ ! -f "$lab/lease" ] || cp "$lab/lease" "$lab/lease.before" 2>/dev/null || rm -f "$lab/lease.before"
    fi
    write held "$2" "$3" "$4" "$5"
    answer held
    ;;
  renew) [ -n "$ours" ] || { lease_tell; answer taken; }; write held "$2" "$3" "$4" "$5"; answer held ;;
  release)
    [ -n "$ours" ] || { lease_tell; answer taken; }
    [ "$l_state" = free ] || write released "$2" "$3" "$4" "$5"
    answer free
    ;;
  disown)
    [ -n "$ours" ] || { lease_tell; answer taken; }
    if [ -f "$lab/lease.before" ]; then mv -f "$lab/lease.before" "$lab/lease"; else rm -f "$lab/lease"; fi
    answer free
    ;;
  break)
    [ "$l_run" = "$2" ] || { lease_tell; answer taken; }
    write broken "$2" "$3" "$4" "$5"
    answer free
    ;;
  look)
    lease_tell
    [ -z "$free" ] || answer free
    answer taken
    ;;
esac
`;

const Told = z.object({
  state: z.enum(['held', 'expired', 'released', 'broken', 'unreadable']),
  run: z.string().max(200),
  owner: z.string().max(400),
  machine: z.string().max(200).nullable(),
  leftSeconds: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
});

/** What `lease_tell` told, or null where there is no lease or nothing that could be one. */
const leaseIn = (record: ScriptRecord): Lease | null => {
  const told = Told.safeParse({
    state: record.first('lease'),
    run: record.first('lease-run'),
    owner: record.first('lease-owner'),
    machine: record.first('lease-machine'),
    leftSeconds: record.first('lease-left'),
  });
  if (!told.success) return null;
  const { state, run, owner, machine, leftSeconds } = told.data;
  return {
    state,
    run: sanitiseLine(run, 64),
    owner: sanitiseLine(owner, 128),
    leftMs: leftSeconds * 1_000,
    ...(machine === null || machine === '' ? {} : { machine: sanitiseLine(machine, 120) }),
  };
};

const nobodyKnown: Lease = { state: 'unreadable', run: 'unknown', owner: 'unknown', leftMs: 0 };

/** What a script that was given a claim says of it: the act may have happened (null), or was refused by the fence. */
export const fencedBy = (record: ScriptRecord): Fenced | { readonly kind: 'unlocked' } | null => {
  switch (record.first('fence')) {
    case null:
      return null;
    case 'unlocked':
      return { kind: 'unlocked' };
    default:
      return { kind: 'fenced', by: leaseIn(record) ?? nobodyKnown };
  }
};

/** For people, where the lock of the lease is not to be had. */
export const unlockedMessage = (machine: Machine): string =>
  `the lease of ${machine.name} could not be locked (/var/lib/lab/lease.lock); nothing was done`;

const word = (text: string): string => text.replace(/[^A-Za-z0-9._@:-]/gu, '_').slice(0, 120);
/** A claim as the arguments of a script: run, owner, time to live in seconds, and the machine that it is for. */
export const claimArguments = (
  { run, owner, ttlMs }: Claim,
  { name }: Pick<Machine, 'name'>,
): readonly string[] => [word(run), word(owner), String(Math.ceil(ttlMs / 1_000)), word(name)];

/** `Target.lease` over a real connection. A repeat of what was asked answers the same, so a transport may repeat it. */
export const lease = async (
  remote: Remote,
  machine: Machine,
  { ask, claim, deadlineMs }: LeaseRequest,
  { signal }: { signal?: AbortSignal },
): Promise<LeaseAnswer> => {
  const argv = ['sh', '-c', leaseScript, 'sh', ask, ...claimArguments(claim, machine)];
  const answer = await remote.exec(machine, argv, {
    deadlineMs,
    ...(signal === undefined ? {} : { signal }),
    outputBytesMax: recordBytesMax,
    asRoot: true,
    idempotent: true,
  });
  if (!answer.ok) return { kind: 'unknown', message: answer.failure.message, error: answer.failure };
  const record = readRecord('lease', answer.value);
  if (typeof record === 'string') return { kind: 'unknown', message: record, error: null };
  const last = leaseIn(record);
  switch (record.first('outcome')) {
    case 'held':
      return { kind: 'held' };
    case 'free':
      return { kind: 'free', last };
    case 'taken':
      return { kind: 'taken', by: last ?? nobodyKnown };
    default:
      return {
        kind: 'unknown',
        message: sanitiseLine(record.first('message') ?? 'no reason given', 300),
        error: null,
      };
  }
};
