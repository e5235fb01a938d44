import type { Failure } from '../failure.ts';
import type { Clock } from '../ports.ts';
import { goesOnAfterOwnBoot } from '../run/progress.ts';
import type { RunState } from '../run/state.ts';

/**
 * A run that reboots the very machine it is executed on goes on after its boot, by a unit. What begins meanwhile (a timer
 * that makes up for what it missed fires in that very boot) must not take it for one that was left behind, and end it.
 */

/** How long after a boot, or after its last word, the unit may still come; milliseconds. Later, nobody waits for it. */
const unitComesWithinMs = 10 * 60_000;

type Surroundings = {
  readonly clock: Pick<Clock, 'now'>;
  /** How long this machine has been up, milliseconds. Absent: not known. */
  readonly uptimeMs?: () => number;
};

/** Why nothing may begin in the place of this run, which nobody executes now; null when it may. */
export const goesOnAfterBoot = ({ clock, uptimeMs }: Surroundings, left: RunState): Failure | null => {
  if (!goesOnAfterOwnBoot(left)) return null;
  const booted = uptimeMs !== undefined && uptimeMs() < unitComesWithinMs;
  // It has been asked to go down, and has not yet. By the wall, for another process wrote it down.
  const goesDown = Math.abs(clock.now() - left.lastAt) < unitComesWithinMs;
  return booted || goesDown
    ? {
        kind: 'locked',
        machine: null,
        phase: 'lock',
        message: `run ${left.run} has rebooted this machine, and goes on by itself after its boot`,
        remedy: `let it: \`lab attach\` shows it once it goes on, \`lab resume ${left.run}\` has it go on at once`,
      }
    : null;
};
