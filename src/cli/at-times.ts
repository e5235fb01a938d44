/**
 * Does something at the times of a schedule, for as long as nobody stops it. A time that was missed, because the machine
 * was suspended, this process was stopped, or the clock was set past it, is made up for once, as systemd does for
 * `Persistent=true`. What falls into the time that one takes is left out.
 */

/** The longest that is slept: so late it may be noticed that the clock was set, or the machine suspended. */
const napMs = 30_000;

export type Schedule = {
  /** The next time of it, by the clock on the wall as it is now; ms since the epoch. */
  readonly next: () => number;
  /** The clock on the wall, which anybody may set. */
  readonly wall: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** `due`: the time that it is for. */
  readonly begin: (due: number) => Promise<void>;
};

export const atTimes = async ({ next, wall, sleep, begin }: Schedule, stop: AbortSignal): Promise<void> => {
  let due = next();
  let seen = wall();
  while (!stop.aborted) {
    await sleep(Math.max(0, Math.min(napMs, due - wall())), stop);
    if (stop.aborted) return;
    const now = wall();
    // Set back: what a clock that was ahead made of the schedule may be years away.
    if (now < seen) due = next();
    seen = now;
    if (now < due) continue;
    await begin(due);
    seen = wall();
    due = next();
  }
};
