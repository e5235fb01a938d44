import { z } from 'zod';
import type { ActivateOutcome, ActivateRequest, ExecResult } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { profileFunctions } from './profile.ts';
import { prelude, readRecord } from './record.ts';
import { supervisedExit } from './supervisor.ts';
import { unitsNamedIn, withTellingLine } from './telling-line.ts';
import { unitFunctions } from './unit-functions.ts';

/** The transient unit of an activation: its script, those that read and clear it, and what its state means. Pure. */

/** Exit statuses of `unitScript` itself; switch-to-configuration uses 0, 1, 2, 4, 100 and, when it panics, 101. */
export const ownExit = { toplevelMissing: 91, noActivationScript: 92, profileNotSet: 93 } as const;
/** Exit statuses of timeout(1): it had to end the command, gently or not. */
export const endedByTimeout = { gently: 124, killed: 137 } as const;

/**
 * What the unit runs. Arguments: toplevel, mode, generation or nothing, seconds that the profile may take. Holds neither
 * `${` nor `$$`, which systemd would expand in the arguments of a unit (systemd.service(5)). `test` and `dry-activate`
 * leave the profile alone.
 */
export const unitScript = `limit=$4
if ! [ -d "$1" ]; then
  echo "$1 is not on this machine"
  exit ${ownExit.toplevelMissing}
fi
if ! [ -x "$1/bin/switch-to-configuration" ]; then
  echo "$1 has no bin/switch-to-configuration"
  exit ${ownExit.noActivationScript}
fi
${profileFunctions}case "$2" in
  switch|boot) lead_to "$1" "$3" || exit ${ownExit.profileNotSet} ;;
esac
exec "$1/bin/switch-to-configuration" "$2"
`;

/** Entries of the journal that one reading brings. Most have one line; of those with more it brings as many lines again. */
const readingLinesMax = 200;
/** Longer lines are cut on the machine: an answer that passes its bound would count for nothing. */
const readingLineBytesMax = 1_000;

/**
 * Reads state and log. Arguments: unit, journal cursor (empty for the first reading). Only what the unit's processes
 * wrote: systemd's own remarks about the unit belong to another unit in the journal. When it has ended, the journal
 * is flushed first, so that the last words are there, and the failed units are named.
 */
export const readScript = `${prelude}
${unitFunctions}
echo lab-unit
properties=$(unit_properties "$1")
printf '%s\\n' "$properties" | head -n 20
ended=
case "$properties" in
  *SubState=running*|*SubState=start*) ;;
  *) ended=yes ;;
esac
if [ -e "/run/lab/$1/code" ]; then
  ended=yes
  : >"/run/lab/$1/extend"
  put code "$(cat "/run/lab/$1/code")"
fi
if [ -e "/run/lab/$1/refused" ]; then put refused "$(cat "/run/lab/$1/refused")"; fi
if [ -L "/run/lab/$1/verdict" ]; then put verdict "$(readlink "/run/lab/$1/verdict")"; fi
if [ -e "/run/lab/$1/end" ]; then put end "$(cat "/run/lab/$1/end")"; fi
case "$ended" in
  yes)
    unit_log_sync "$1"
    failed_units | while read -r unit; do put failed "$unit"; done
    ;;
esac
unit_log "$1" "$2" ${readingLinesMax} | head -n ${2 * readingLinesMax} | cut -c 1-${readingLineBytesMax} |
  while IFS= read -r line; do put log "$line"; done
echo lab-end
`;

/** Unloads the unit and forgets its state. Argument: unit. Never leaves the machine degraded. */
export const clearScript = `${prelude}
${unitFunctions}
unit_remove "$1"
rm -rf "/run/lab/$1"
echo lab-clear
if unit_known "$1"; then put state loaded; else put state not-found; fi
echo lab-end
`;

/** Tells a unit of this activation from another of the same name. */
export const descriptionOf = (request: Pick<ActivateRequest, 'toplevel' | 'mode'>): string =>
  `lab ${request.mode} ${request.toplevel}`;

const count = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
  .catch(0);
const exitStatus = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .nullable()
  .catch(null);
const Unit = z.object({
  loadState: z.string(),
  activeState: z.string(),
  subState: z.string().catch(''),
  result: z.string().catch(''),
  /** As in siginfo: 1 exited, 2 killed, 3 dumped core; 0 while it runs. */
  mainCode: count,
  mainStatus: count,
  /** A supervised activation has ended so, and its supervisor waits or has gone on. */
  code: exitStatus,
  /** A supervised activation was refused so, whatever its unit has done since. */
  refused: exitStatus,
  /** Its supervisor has its word. */
  verdict: z.enum(['confirm', 'restore', 'expired']).nullable().catch(null),
  /** What came of the supervision. */
  end: z.enum(['confirmed', 'restored', 'no-boot-default', 'stuck', 'spared']).nullable().catch(null),
});
export type UnitReading = {
  readonly unit: z.infer<typeof Unit>;
  readonly failedUnits: readonly string[];
  readonly log: readonly string[];
  /** As many lines as one reading brings, empty ones too: there may be more. */
  readonly full: boolean;
  /** null when the journal gave none; the next reading then begins anew. */
  readonly cursor: string | null;
};

const cursorLine = /^-- cursor: ([A-Za-z0-9=;_.-]{1,400})$/;

/** What the answer of `readScript` says, or in words why it says nothing. */
export const parseUnit = (result: ExecResult): UnitReading | string => {
  const record = readRecord('unit', result);
  if (typeof record === 'string') return record;
  const parsed = Unit.safeParse({
    loadState: record.first('LoadState'),
    activeState: record.first('ActiveState'),
    subState: record.first('SubState'),
    result: record.first('Result'),
    mainCode: record.first('ExecMainCode'),
    mainStatus: record.first('ExecMainStatus'),
    code: record.first('code'),
    refused: record.first('refused'),
    verdict: record.first('verdict'),
    end: record.first('end'),
  });
  if (!parsed.success) return 'systemctl did not tell the state of the unit';
  const lines = record.all('log');
  const cursor = cursorLine.exec(lines.at(-1) ?? '')?.[1] ?? null;
  const own = lines.slice(0, cursor === null ? lines.length : -1);
  return {
    unit: parsed.data,
    failedUnits: record.all('failed').map((unit) => sanitiseLine(unit, 256)),
    log: own.map((line) => sanitiseLine(line).trimEnd()).filter((line) => line !== ''),
    full: own.length >= readingLinesMax,
    cursor,
  };
};

/**
 * Where a unit stands: `gone` when systemd no longer knows it, `ended` with an exit status or with a reason instead,
 * `returned` when the activation had ended and its supervisor took it back.
 */
type UnitPhase =
  | { readonly kind: 'running' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'returned' }
  | { readonly kind: 'ended'; readonly status: number }
  | { readonly kind: 'died'; readonly message: string };

export const phaseOf = ({ unit }: UnitReading): UnitPhase => {
  if (unit.loadState !== 'loaded') return { kind: 'gone' };
  const over = unit.activeState === 'failed' || unit.activeState === 'inactive' || unit.subState === 'exited';
  // It acts on its word: what runs at this moment is not what it leaves behind.
  const acts = unit.verdict !== null && unit.end === null && !over;
  if (unit.code !== null && !acts)
    return unit.end === null || unit.end === 'confirmed'
      ? { kind: 'ended', status: unit.code }
      : { kind: 'returned' };
  if (!over) return { kind: 'running' };
  if (unit.mainCode === 1) return { kind: 'ended', status: unit.refused ?? unit.mainStatus };
  const result = sanitiseLine(unit.result, 60);
  return unit.mainCode === 2 || unit.mainCode === 3
    ? { kind: 'died', message: `it was killed by signal ${unit.mainStatus} (${result})` }
    : { kind: 'died', message: `it could not be started (${result})` };
};

/** What an exit status means; the statuses are those of switch-to-configuration-ng. */
export const outcomeOf = (
  status: number,
  mode: ActivateRequest['mode'],
  log: readonly string[],
  failedUnits: readonly string[],
  supervised = false,
): ActivateOutcome => {
  const refused = (message: string) =>
    ({ kind: 'refused', code: status, message: withTellingLine(message, log), log }) as const;
  const boot = !supervised && (mode === 'switch' || mode === 'boot');
  const afterProfile = boot ? ' (the profile already leads to the new toplevel)' : '';
  switch (status) {
    case 0:
      return { kind: 'live' };
    case 1:
      return refused(`a check before the ${mode} refused it${afterProfile}`);
    case 2:
      return refused(`the activation script failed${afterProfile}`);
    case 4: {
      const named = unitsNamedIn(log);
      return { kind: 'live-units-failed', units: named.length > 0 ? named : failedUnits, log };
    }
    case 100:
      return { kind: 'needs-reboot', log };
    case ownExit.toplevelMissing:
      return { ...refused('the toplevel is not on the machine'), missing: true };
    case ownExit.noActivationScript:
      return refused('the toplevel has no bin/switch-to-configuration: it is not a NixOS system');
    case ownExit.profileNotSet:
      return refused('the system profile could not be set; nothing was activated');
    case supervisedExit.inhibited:
      return { kind: 'needs-reboot', inhibited: true, log };
    case supervisedExit.noWayBack:
      return refused('what it runs now could not be returned to; nothing was activated');
    case endedByTimeout.gently:
    case endedByTimeout.killed:
      return refused('it did not end in time, and was ended');
    case supervisedExit.noState:
      return refused('what a return needs could not be recorded; nothing was activated');
    default:
      return refused(`switch-to-configuration ended with exit status ${status}`);
  }
};
