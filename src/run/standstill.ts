import type { Clock } from '../ports.ts';
import { duration } from '../text/words.ts';

/**
 * What a process has not lived through: it was stopped (SIGSTOP, a frozen cgroup), or its computer suspended with the lid
 * closed. Its deadlines are not about that time, but what it had seen before is as old as that time is long: it is looked
 * at anew before anything is done because of it, as after a pause.
 */

/** A look that is so old is still one: so long may the looks at several slow machines take. Milliseconds. */
const standsStillMs = 10_000;

type Standstills = {
  /** Milliseconds of a standstill since this was last asked, or null: none that matters. */
  readonly take: () => number | null;
};

export const standstills = (clock: Pick<Clock, 'stood'>): Standstills => {
  const stood = (): number => clock.stood?.() ?? 0;
  let known = stood();
  return {
    take: () => {
      const now = stood();
      const ms = now - known;
      if (ms < standsStillMs) return null;
      known = now;
      return ms;
    },
  };
};

/** Milliseconds on a steady clock that counts what the process has not lived through too: as another machine has it. */
export const inTheWorld = (clock: Pick<Clock, 'elapsed' | 'stood'>): number =>
  clock.elapsed() + (clock.stood?.() ?? 0);

/** Who the pause is by that a standstill comes to. */
export const standstillWords = (ms: number): string =>
  `a standstill of ${duration(ms)} (the process was stopped, or its computer suspended)`;
