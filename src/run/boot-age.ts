import type { Clock, Reachable } from '../ports.ts';
import type { StepFacts } from './event.ts';
import { inTheWorld } from './standstill.ts';
import type { RunState } from './state.ts';

/** Whether a machine has ended a boot, by the age of its PID 1: a boot id is a file, which something may have covered. */

type InBootAt = NonNullable<StepFacts['inBootAt']>;
type Here = { readonly state: Pick<RunState, 'takeovers'>; readonly clock: Pick<Clock, 'elapsed' | 'stood'> };
type Init = Pick<Reachable, 'at' | 'initSeconds'>;

/** Clocks of two machines may go apart by so much meanwhile, milliseconds. */
const clocksApartMs = 5_000;
/** What the boot after it cannot be taken for, milliseconds. */
const oldEnoughMs = 60_000;

/** This moment, before the machine is looked at. */
export const momentIn = ({ state, clock }: Here): InBootAt => ({
  at: inTheWorld(clock),
  takeovers: state.takeovers,
});

const beganAt = ({ at, initSeconds }: Init): number | null =>
  initSeconds == null ? null : Math.round(at - initSeconds * 1_000);

/** The same, with what the look has shown. */
export const seenIn = (moment: InBootAt, seen: Init): InBootAt => {
  const began = beganAt(seen);
  return began === null || (seen.initSeconds ?? 0) * 1_000 < oldEnoughMs
    ? moment
    : { ...moment, initBeganAt: began };
};

/**
 * Whether the machine has not ended the boot of these facts, whatever boot id it tells: its PID 1 has run for longer than that
 * boot can be over. To another process its own clock tells nothing, and the wall only where PID 1 began at the very same
 * moment by both: a clock that was set lets a wrong boot id pass, and makes no reboot undone.
 */
export const isStillIn = (
  { inBootAt }: Pick<StepFacts, 'inBootAt'>,
  seen: Init,
  { state, clock }: Here,
): boolean => {
  const began = beganAt(seen);
  if (inBootAt === undefined || began === null) return false;
  return inBootAt.takeovers === state.takeovers
    ? seen.at - began > inTheWorld(clock) - inBootAt.at + clocksApartMs
    : inBootAt.initBeganAt !== undefined && Math.abs(began - inBootAt.initBeganAt) < clocksApartMs;
};
