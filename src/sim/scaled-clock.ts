import type { Clock } from '../ports.ts';

/**
 * A clock on which `speed` seconds pass in one second of the given one, for showing a simulation to people. It starts
 * at the present, so that dates look right, and runs ahead of it.
 */
export const createScaledClock = (base: Clock, speed: number): Clock => {
  const begun = base.now();
  return {
    now: () => Math.round(begun + (base.now() - begun) * speed),
    elapsed: () => Math.round(base.elapsed() * speed),
    sleep: (ms, signal) => base.sleep(Math.max(0, ms) / speed, signal),
  };
};
