import { z } from 'zod';
import type { Machine } from '../fleet/machine.ts';
import { type Clock, type ExecResult, type Observation, type Remote, systemStates } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { Parts, partsFunctions, partsIn, systemPath } from './boot-parts.ts';
import { bootIdPattern } from './names.ts';
import { unusableAnswer } from './problem.ts';
import { prelude, readRecord, recordBytesMax, type ScriptRecord } from './record.ts';

/**
 * Reads everything an observation holds. `systemctl` has a limit of its own, so that a machine whose system manager
 * hangs still tells its boot id. `is-system-running` exits non-zero for all but `running`: only its word counts.
 * A unit that dies and is started again for ever (Restart=, at intervals that pass no start limit) never is `failed` to
 * systemd, and the system `running`: while it waits for its next start it counts as failed here, as it does for
 * switch-to-configuration. One that ended well and is started again (Restart=always) does not. Where that wait is short it is
 * mostly up when it is looked at: so one that was started again for its failure counts for a while after that, too. Only units
 * with a young cgroup are asked for it. A list that systemd did
 * not give in time is not an empty one: then its state is not known either. That PID 1
 * is no systemd is told by what sd_booted(3) looks at, never by a question that got no answer.
 */
export const observeScript = `${prelude}${partsFunctions}echo lab-observe
put boot-id "$(head -c 64 /proc/sys/kernel/random/boot_id)"
put host-name "$(uname -n)"
put uptime "$(head -c 64 /proc/uptime)"
put init "$(head -c 512 /proc/1/stat 2>/dev/null)"
if [ -d /run ] && ! [ -e /run/systemd/system ]; then state=offline
else
  state=$(timeout 5 systemctl is-system-running 2>/dev/null | head -n 1)
  if [ "$state" = offline ]; then state=unknown; fi
fi
put state "$state"
list_units() { timeout 5 systemctl list-units "$1" --plain --no-legend --no-pager --full 2>/dev/null; }
failed=$(list_units --failed) || put unlisted failed
printf '%s\\n' "$failed" | head -n 200 | while read -r unit rest; do put failed "$unit"; done
restarting=$(list_units --state=auto-restart) || put unlisted restarting
printf '%s\\n' "$restarting" | head -n 50 |
  while read -r unit rest; do
    [ -n "$unit" ] || continue
    result=$(timeout 5 systemctl show --property=Result --value -- "$unit" 2>/dev/null) || put unlisted "$unit"
    case "$result" in
      success|'') ;;
      *) put failed "$unit" ;;
    esac
  done
young=$(find /sys/fs/cgroup/system.slice -maxdepth 2 -name '*.service' -mmin -1 2>/dev/null | head -n 200 | sed 's,.*/,,')
if [ -n "$young" ]; then
  again=$(timeout 5 systemctl show --property=Id,Restart,NRestarts,ExecMainStartTimestampMonotonic -- $young 2>/dev/null) ||
    put unlisted young
  printf '%s\\n' "$again" | while IFS= read -r line; do put young "$line"; done
fi
link booted /run/booted-system
link current /run/current-system
link profile /nix/var/nix/profiles/system
if [ -L /nix/var/nix/profiles/system ]; then put generation "$(readlink /nix/var/nix/profiles/system)"; fi
put kernel-release "$(uname -r)"
if [ -r /run/current-system/nixos-version ]; then put nixos-version "$(head -n 1 /run/current-system/nixos-version)"; fi
parts booted /run/booted-system
parts profile /nix/var/nix/profiles/system
echo lab-end
`;

/** USER_HZ, in which /proc/PID/stat counts: 100 on all that NixOS runs on. */
const ticksPerSecond = 100;

/** From the 22nd field of its /proc/1/stat, in ticks since the boot; what stands before the last `)` may be anything. */
const initSecondsIn = ({ first }: ScriptRecord): number | null => {
  const stat = first('init') ?? '';
  const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const seconds = Number.parseFloat(first('uptime') ?? '') - Number(began) / ticksPerSecond;
  return /^\d{1,15}$/u.test(began) && seconds >= 0 ? seconds : null;
};

/** For so long a unit that died has to stay up before it is believed to. */
const staysUpSeconds = 30;

/** Units that systemd has started again because they failed, a moment ago: those of Restart=always may have ended well. */
const startedAgainIn = ({ first, all }: ScriptRecord): readonly string[] => {
  const uptimeSeconds = Number.parseFloat(first('uptime') ?? '');
  return all('young')
    .join('\n')
    .split('\n\n')
    .flatMap((unit) => {
      const told = new Map(
        unit.split('\n').map((line) => [line.split('=', 1)[0], line.replace(/^[^=]*=/u, '')]),
      );
      const upSeconds = uptimeSeconds - Number(told.get('ExecMainStartTimestampMonotonic')) / 1_000_000;
      return /^on-(?:failure|abnormal|abort|watchdog)$/u.test(told.get('Restart') ?? '') &&
        Number(told.get('NRestarts')) > 0 &&
        upSeconds >= 0 &&
        upSeconds < staysUpSeconds
        ? [told.get('Id') ?? '']
        : [];
    });
};

const failedUnitsMax = 200;
const shortText = (max: number) =>
  z
    .string()
    .transform((text) => sanitiseLine(text, max).trim())
    .transform((text) => (text === '' ? null : text))
    .nullable();
const Observed = z.object({
  bootId: z.string().regex(bootIdPattern),
  hostName: shortText(255),
  // “12345.67 54321.00”: seconds up, seconds idle.
  uptimeSeconds: z
    .string()
    .regex(/^\d{1,12}(?:\.\d{1,6})?(?: |$)/)
    .transform((text) => Number.parseFloat(text)),
  initSeconds: z.number().nullable(),
  state: z.enum(systemStates).catch('unknown'),
  failedUnits: z.array(z.string()).transform((units) =>
    units
      .map((unit) => sanitiseLine(unit, 256))
      .filter((unit) => unit !== '')
      .slice(0, failedUnitsMax),
  ),
  booted: systemPath,
  current: systemPath,
  profile: systemPath,
  generation: z
    .string()
    .regex(/^(?:.*\/)?system-\d{1,9}-link$/)
    .transform((link) => Number(/system-(\d+)-link$/.exec(link)?.[1]))
    .nullable()
    .catch(null),
  kernelRelease: shortText(128),
  nixosVersion: shortText(128),
  bootedParts: Parts,
  profileParts: Parts,
});
type Observed = z.infer<typeof Observed>;

/** Whether all units run is known only with the units; that it shuts down, or is in rescue mode, is known without. */
const stateIn = ({ first }: ScriptRecord): string | null => {
  const state = first('state');
  return first('unlisted') !== null && (state === 'running' || state === 'degraded') ? 'unknown' : state;
};

/**
 * What the answer of `observeScript` says, or in words why it says nothing. A boot id counts only with exit 0 and the
 * form of a UUID (ansible once took the error text of a dying machine for a new boot id). What is missing or not of
 * the expected form is null or `unknown`.
 */
export const parseObservation = (result: ExecResult): Observed | string => {
  const record = readRecord('observe', result);
  if (typeof record === 'string') return record;
  const { first, all } = record;
  const parsed = Observed.safeParse({
    bootId: first('boot-id'),
    hostName: first('host-name'),
    uptimeSeconds: first('uptime'),
    initSeconds: initSecondsIn(record),
    state: stateIn(record),
    failedUnits: [...new Set([...all('failed'), ...startedAgainIn(record)])],
    booted: first('booted'),
    current: first('current'),
    profile: first('profile'),
    generation: first('generation'),
    kernelRelease: first('kernel-release'),
    nixosVersion: first('nixos-version'),
    bootedParts: partsIn(record, 'booted'),
    profileParts: partsIn(record, 'profile'),
  });
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.');
  return field === 'bootId'
    ? 'its boot id is not a UUID'
    : field === 'uptimeSeconds'
      ? 'its uptime is not a number of seconds'
      : `its ${field} cannot be read`;
};

/** Observes as the ssh user; nothing in it needs root. `fresh` drops the pooled connection first. */
export const observe = async (
  deps: { readonly remote: Remote; readonly clock: Clock },
  machine: Machine,
  options: { deadlineMs: number; signal?: AbortSignal; fresh?: boolean },
): Promise<Observation> => {
  if (options.fresh === true) deps.remote.forget(machine);
  const answer = await deps.remote.exec(machine, ['sh', '-c', observeScript], {
    deadlineMs: options.deadlineMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    outputBytesMax: recordBytesMax,
    idempotent: true,
  });
  const at = deps.clock.now();
  if (!answer.ok) return { kind: 'unreachable', machine: machine.name, at, error: answer.failure };
  const observed = parseObservation(answer.value);
  if (typeof observed === 'string') {
    const error = unusableAnswer(machine, 'an observation', observed, answer.value);
    return { kind: 'unreachable', machine: machine.name, at, error };
  }
  return { kind: 'reachable', machine: machine.name, at, ...observed };
};
