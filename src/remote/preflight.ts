import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ExecResult, PreflightFacts, Remote } from '../ports.ts';
import { sanitiseLine, sanitiseLines } from '../text/sanitise.ts';
import { loginsScript, parseJson, parseLogins } from './logins.ts';
import { failureOf, unusableAnswer } from './problem.ts';
import { prelude, readRecord, recordBytesMax, type ScriptRecord } from './record.ts';
import { unitFunctions } from './unit-functions.ts';

/**
 * Free space, whether an activation is under way, who forbids a shutdown, and who is logged in. That activations take
 * turns by a lock on one file is NixOS's own rule; its holder is looked up in /proc/locks (proc(5): `1: FLOCK ADVISORY
 * WRITE PID MAJOR:MINOR:INODE 0 EOF`, the device in hex, unpacked as by makedev(3)), because trying the lock could refuse
 * an activation that asks for it just then. A unit of an activation counts also before it has the lock. The inhibitors
 * come from logind itself: the table of `systemd-inhibit --list` cannot be split, since its names and reasons hold
 * spaces, and it has no JSON form before systemd 256. Without logind there are none; that it is not there has to be seen,
 * for one that does not answer may know of many.
 */
export const preflightScript = `${prelude}
echo lab-preflight
if [ -d /nix/store ]; then nix=/nix/store; else nix=/nix; fi
put nix "$(timeout 5 df -P -k "$nix" 2>/dev/null | tail -n 1)"
put boot "$(timeout 5 df -P -k /boot 2>/dev/null | tail -n 1)"
lock=/run/nixos/switch-to-configuration.lock
if [ -e "$lock" ]; then
  dev=$((0x$(stat -c %D "$lock")))
  device=$(printf '%02x:%02x' $((dev >> 8 & 4095)) $((dev & 255 | dev >> 12 & 1048320)))
  inode=$(stat -c %i "$lock")
  while read -r number class kind access pid file rest; do
    if [ "$class $file" = "FLOCK $device:$inode" ]; then
      put activating yes
      put activator "process $pid $(head -c 64 "/proc/$pid/comm" 2>/dev/null | tr '\\n' ' ')"
    fi
  done </proc/locks
fi
timeout 5 systemctl list-units --plain --no-legend --no-pager --full 'lab-activate-*' 'lab-restore-*' 'nixos-rebuild-*' 2>/dev/null | head -n 20 |
  while read -r unit load active sub rest; do
    if [ "$sub" = running ]; then put activator "$unit"; fi
  done
logind=there
seek_logind() {
  if [ -d /run/systemd/system ]; then
    case "$(timeout 5 systemctl show --property=LoadState --value -- systemd-logind.service 2>/dev/null)" in
      not-found|masked) echo none ;;
      *) echo silent ;;
    esac
  else echo none
  fi
}
inhibitors=$(timeout 5 busctl --system --json=short call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ListInhibitors 2>/dev/null | head -c 65536 | tr '\\n' ' ')
if [ -z "$inhibitors" ]; then logind=$(seek_logind); fi
put inhibitors "$inhibitors"
put logind "$logind"
${loginsScript}echo lab-end
`;

/** Whether root is to be had: if so, it tells of activations that run where there is no systemd to list them. */
export const rootScript = `${prelude}
${unitFunctions}
echo lab-root
detached_running | while read -r name; do put activator "$name"; done
echo lab-end
`;

const inhibitorsMax = 32;

/** `device 1024-blocks used available capacity mount-point`; the device may hold spaces, so it is read from the right. */
const dfLine = /\s\d+\s+-?\d+\s+(-?\d{1,15})\s+(?:\d+%|-)\s+(\/.*)$/;

const freeBytes = (line: string | null, mountedOn?: string): number | null => {
  const match = dfLine.exec(line ?? '');
  if (match === null || (mountedOn !== undefined && match[2] !== mountedOn)) return null;
  return Math.max(0, Number(match[1])) * 1024;
};

// a(ssssuu): what, who, why, mode, uid, pid.
const Inhibitors = z.object({
  data: z.tuple([z.array(z.tuple([z.string(), z.string(), z.string(), z.string()], z.unknown())).max(1_000)]),
});

type Told = Pick<PreflightFacts, 'inhibitors' | 'inhibitorsUnknown'>;

/** Those in mode `block` that hold off a shutdown, as `who: why`. `delay` and `block-weak` do not stop root. */
const blockers = (json: string, logind: string | null): Told => {
  const untold = (why: string): Told => ({ inhibitors: [], inhibitorsUnknown: why });
  if (json.trim() === '')
    return logind === 'none'
      ? { inhibitors: [], inhibitorsUnknown: null }
      : untold('logind did not say who holds off a shutdown');
  const parsed = Inhibitors.safeParse(parseJson(json));
  if (!parsed.success) return untold('what logind says of shutdown inhibitors cannot be read');
  const inhibitors = parsed.data.data[0]
    .filter(([what, , , mode]) => mode === 'block' && what.split(':').includes('shutdown'))
    .map(([, who, why]) => sanitiseLine(`${who}: ${why}`, 200))
    .slice(0, inhibitorsMax);
  return { inhibitors, inhibitorsUnknown: null };
};

const activatorsMax = 20;

type Preflight = Omit<PreflightFacts, 'root' | 'rootProblem'>;

const activatorsIn = (...records: readonly ScriptRecord[]): readonly string[] =>
  records
    .flatMap((record) => record.all('activator'))
    .map((unit) => sanitiseLine(unit, 256).trim())
    .slice(0, activatorsMax);

/** `asRoot`: what root was told besides, where it is to be had. */
export const parsePreflight = (
  result: ExecResult,
  asRoot: ScriptRecord | null = null,
): Preflight | string => {
  const record = readRecord('preflight', result);
  if (typeof record === 'string') return record;
  const activators = activatorsIn(record, ...(asRoot === null ? [] : [asRoot]));
  return {
    activating: record.first('activating') === 'yes' || activators.length > 0 ? activators : null,
    nixFreeBytes: freeBytes(record.first('nix')),
    bootFreeBytes: freeBytes(record.first('boot'), '/boot'),
    ...blockers(record.first('inhibitors') ?? '', record.first('logind')),
    ...parseLogins(record),
  };
};

const rootProblemOf = (machine: Machine, probe: ExecResult): string | null => {
  if (probe.code === 0) return null;
  const said = sanitiseLines(probe.stderr, 1)[0] ?? `exit ${probe.code ?? probe.signal ?? 'unknown'}`;
  return `${machine.name} does not let its ssh user become root without a password (${said})`;
};

/** Whether root is to be had, and everything that may hold back what is done to the machine. Fails when it cannot be asked. */
export const preflight = async (
  remote: Remote,
  machine: Machine,
  options: { deadlineMs: number; signal?: AbortSignal },
): Promise<Result<PreflightFacts>> => {
  const common = { ...options, idempotent: true };
  const unusable = (why: string, answer: ExecResult): Result<PreflightFacts> =>
    fail(failureOf(machine, 'preflight', unusableAnswer(machine, 'the preflight', why, answer)));
  const root = await remote.exec(machine, ['sh', '-c', rootScript], {
    ...common,
    outputBytesMax: recordBytesMax,
    asRoot: true,
  });
  if (!root.ok) return fail(failureOf(machine, 'preflight', root.failure));
  const rootProblem = rootProblemOf(machine, root.value);
  const asRoot = rootProblem === null ? readRecord('root', root.value) : null;
  if (typeof asRoot === 'string') return unusable(asRoot, root.value);
  const facts = await remote.exec(machine, ['sh', '-c', preflightScript], {
    ...common,
    outputBytesMax: recordBytesMax,
  });
  if (!facts.ok) return fail(failureOf(machine, 'preflight', facts.failure));
  const parsed = parsePreflight(facts.value, asRoot);
  return typeof parsed === 'string'
    ? unusable(parsed, facts.value)
    : ok({ root: rootProblem === null, rootProblem, ...parsed });
};
