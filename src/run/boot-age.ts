import type { Clock, Reachable } from '../ports.ts';
import type { StepFacts } from './event.ts';
import { inTheWorld } from './standstill.ts';
import type { RunState } from './state.ts';

/** Whether a machine has ended a boot, by the age of its PID 1: a boot id is a file, which something may have covered. */

type Here = { readonly state: Pick<RunState, 'takeovers'>; readonly clock: Pick<Clock, 'elapsed' | 'stood'> };

/** Clocks of two machines may go apart by so much meanwhile, milliseconds. */
const clocksApartMs = 5_000;

/** This moment, to be asked for by the same process. */
export const momentIn = ({ state, clock }: Here): NonNullable<StepFacts['inBootAt']> => ({
  at: inTheWorld(clock),
  takeovers: state.takeovers,
});

/** How long PID 1 may have run if the boot of these facts has ended since, ms; null where another process, or nobody, saw when it still ran. */
export const initMostMs = (
  facts: Pick<StepFacts, 'inBootAt'> | null,
  { state, clock }: Here,
): number | null =>
  facts?.inBootAt?.takeovers === state.takeovers
    ? inTheWorld(clock) - facts.inBootAt.at + clocksApartMs
    : null;

/** Whether PID 1 has run for longer than that, so that the machine has not rebooted, whatever boot id it tells. */
export const ranBefore = ({ initSeconds }: Pick<Reachable, 'initSeconds'>, mostMs: number | null): boolean =>
  mostMs !== null && (initSeconds ?? 0) * 1_000 > mostMs;
