import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../src/ports.ts';

/** Real time. */
export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => Math.round(performance.now()),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
};

/** Time passes only by sleeping, and then at once. `slept` lists the pauses. */
export const leapingClock = (): Clock & { readonly slept: number[] } => {
  let now = 1_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    elapsed: () => now,
    sleep: async (ms, signal) => {
      if (signal?.aborted === true) return;
      slept.push(ms);
      now += ms;
    },
  };
};
